//! Pages: plain HTML that works without scripts. Everything from outside is escaped by its template.

mod account;
mod decide;
mod device;
mod download;
mod evidence;
mod findings;
mod fleet;
mod frame;
mod import;
mod incident;
mod integrations;
mod look_up;
mod modules;
mod mutes;
mod organisations;
mod overview;
mod people;
mod policy;
mod refused;
mod reports;
mod settings;
mod sign;
mod traffic;
mod views;
mod waivers;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::app::App;
use frame::{Head, accepted, day, last_day, longest_accepted, minute, page, percent, ticks};

pub use frame::problem;

pub use sign::{announce, set_up_address};

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(overview::overview))
        .route("/assets/{name}", get(frame::asset))
        .route("/set-up/{secret}", get(sign::set_up).post(sign::set_up_send))
        .route("/sign-in", get(sign::sign_in).post(sign::sign_in_send))
        .route("/demo/{word}", get(sign::demo))
        .route("/sign-in/code", post(sign::code_send))
        .route("/sign-in/openid", get(sign::openid_begin))
        .route("/sign-in/openid/return", get(sign::openid_end))
        .route("/sign-out", post(sign::sign_out))
        .route("/fleet", get(fleet::fleet).post(fleet::decide_many))
        .route("/waivers", get(waivers::list).post(waivers::propose))
        .route("/waivers/settle", post(waivers::settle_many))
        .route("/waivers/{id}", post(waivers::settle))
        .route("/waivers/{id}/withdraw", post(waivers::withdraw))
        .route("/mutes", get(mutes::list).post(mutes::add))
        .route("/mutes/new", get(mutes::new))
        .route("/mutes/{id}", get(mutes::one).post(mutes::withdraw))
        .route("/views", post(views::save))
        .route("/views/{id}", post(views::remove))
        .route("/reports", get(reports::list))
        .route("/reports/{id}", get(reports::one))
        .route("/reports/{id}/file", get(reports::file))
        .route("/traffic", get(traffic::all))
        .route("/traffic/traces/{id}", get(traffic::trace))
        .route("/traffic/sessions/{id}", get(traffic::session))
        .route("/traffic/hosts/{addr}", get(traffic::host))
        .route("/evidence", get(evidence::list))
        .route("/evidence/{id}", get(evidence::one))
        .route("/changes", get(evidence::changes))
        .route("/findings", get(findings::findings).post(findings::decide_many))
        .route("/findings/{id}", get(findings::one).post(findings::decide))
        .route("/modules", get(modules::list))
        .route("/modules/{id}", get(modules::one))
        .route("/organisations/{id}", get(organisations::one))
        .route("/policy", get(policy::list))
        .route("/policy/{id}", get(policy::one))
        .route("/policy/timeline", get(policy::timeline::timeline))
        .route("/policy/markets", get(policy::markets::markets))
        .route("/policy/why", get(policy::markets::why))
        .route("/look-up", get(look_up::look_up).post(look_up::picture).layer(DefaultBodyLimit::max(look_up::PICTURE)))
        .route("/devices/{id}", get(device::device).post(device::decide))
        .route("/import", get(import::import).post(import::send).layer(DefaultBodyLimit::disable()))
        .route("/import/staged/{id}", get(import::look).post(import::decide))
        .route("/import/{n}", get(import::job))
        .route("/account", get(account::account))
        .route("/account/password", post(account::password))
        .route("/account/totp", post(account::totp))
        .route("/account/totp/confirm", post(account::confirm))
        .route("/account/totp/end", post(account::end))
        .route("/account/tokens", post(account::token))
        .route("/account/tokens/{id}", post(account::revoke))
        .route("/welcome/{id}/{secret}", get(sign::welcome).post(sign::welcome_send))
        .route("/people", get(people::people).post(people::add))
        .route("/audit-log", get(people::log))
        .route("/audit-log/verify", get(settings::verify))
        .route("/settings", get(settings::settings).post(settings::set))
        .route("/settings/integrations", get(integrations::list).post(integrations::add))
        .route("/settings/integrations/{id}", get(integrations::one).post(integrations::act))
}
