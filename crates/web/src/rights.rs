//! Who may do what: one table. What has no row is refused.

use std::collections::BTreeSet;

use axum::http::Method;
use serde::Serialize;
use umbilical_store::{Role, TokenClass};
use utoipa::ToSchema;

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Lists, devices, findings, evidence: what the asker's sites hold.
    Read,
    /// The same as streams.
    Export,
    /// Triage, notes, tags, who looks after it.
    Decide,
    /// Brings evidence in.
    Import,
    /// Approves what others prepared.
    Approve,
    /// People, tokens of others, settings.
    Admin,
    /// The audit log.
    Audit,
}

impl Permission {
    /// Every one.
    pub const ALL: [Self; 7] = [Self::Read, Self::Export, Self::Decide, Self::Import, Self::Approve, Self::Admin, Self::Audit];

    /// The kebab-case name: also the scope of a token.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Export => "export",
            Self::Decide => "decide",
            Self::Import => "import",
            Self::Approve => "approve",
            Self::Admin => "admin",
            Self::Audit => "audit",
        }
    }

    /// The permission of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}

/// The scope of a token that may see subscriber numbers, if its person may.
pub const SUBSCRIBERS: &str = "subscribers";

/// What a role may do.
pub const fn of_role(role: Role) -> &'static [Permission] {
    use Permission::{Admin, Approve, Audit, Decide, Export, Import, Read};
    match role {
        Role::Viewer => &[Read, Export],
        Role::Analyst => &[Read, Export, Decide],
        Role::Engineer => &[Read, Export, Decide, Import],
        Role::Approver => &[Read, Export, Approve],
        Role::Admin => &[Read, Export, Admin],
        Role::Auditor => &[Read, Export, Audit],
    }
}

/// What some roles may do together.
pub fn of_roles<'a>(roles: impl IntoIterator<Item = &'a Role>) -> BTreeSet<Permission> {
    roles.into_iter().flat_map(|role| of_role(*role)).copied().collect()
}

/// How somebody proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A signed-in person's cookie.
    Session,
    /// A token with scopes.
    Api,
    /// A token for exports.
    ExportOnly,
}

impl Class {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Session, Self::Api, Self::ExportOnly];
}

impl From<TokenClass> for Class {
    fn from(class: TokenClass) -> Self {
        match class {
            TokenClass::Full => Self::Api,
            TokenClass::ExportOnly => Self::ExportOnly,
        }
    }
}

/// What a row asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: anybody may.
    Nothing,
    /// To be signed in, with a session; tokens are refused.
    Session,
    /// To be known, by session or token with scopes.
    Known,
    /// A permission, by session or token with scopes; [`Permission::Export`] also by a token for exports.
    May(Permission),
    /// A permission, and a session: programs do not do this.
    Person(Permission),
    /// As [`Need::Person`]; where the program was told so ([`crate::Config::public_look_up`]), anybody may.
    Open(Permission),
    /// As [`Need::May`], and to see every site: who does not could give away, or learn, what it does not see.
    Whole(Permission),
    /// As [`Need::Person`], and to see every site.
    WholePerson(Permission),
}

impl Need {
    /// Whether somebody of this class with these permissions may, who sees every site or some.
    pub fn met(self, class: Class, permissions: &BTreeSet<Permission>, all_sites: bool) -> bool {
        match (self, class) {
            (Self::Nothing, _) | (Self::Session, Class::Session) | (Self::Known, Class::Session | Class::Api) => true,
            (Self::Session | Self::Known, _) => false,
            (Self::May(p), Class::ExportOnly) => p == Permission::Export && permissions.contains(&p),
            (Self::May(p), _) | (Self::Person(p) | Self::Open(p), Class::Session) => permissions.contains(&p),
            (Self::Person(_) | Self::Open(_), _) => false,
            (Self::Whole(p), _) => all_sites && Self::May(p).met(class, permissions, all_sites),
            (Self::WholePerson(p), _) => all_sites && Self::Person(p).met(class, permissions, all_sites),
        }
    }

    /// The permission that it asks for.
    pub fn permission(self) -> Option<Permission> {
        match self {
            Self::Nothing | Self::Session | Self::Known => None,
            Self::May(p) | Self::Person(p) | Self::Open(p) | Self::Whole(p) | Self::WholePerson(p) => Some(p),
        }
    }
}

/// A row: method and path as the router has it, and what it needs.
pub type Right = (&'static str, &'static str, Need);

const READ: Need = Need::May(Permission::Read);
const EXPORT: Need = Need::May(Permission::Export);
const DECIDE: Need = Need::May(Permission::Decide);
/// Evidence speaks of any device, and says where it stands: who sees some sites could bring others into sight with it.
const IMPORT: Need = Need::Whole(Permission::Import);
const ADMIN: Need = Need::Whole(Permission::Admin);
const AUDIT: Need = Need::Whole(Permission::Audit);

/// The table. `HEAD` is asked as `GET`.
pub const RIGHTS: &[Right] = &[
    // The API.
    ("GET", "/api/v1/health", Need::Nothing),
    ("GET", "/api/v1/ready", Need::Nothing),
    ("GET", "/api/v1/openapi.json", Need::Nothing),
    ("GET", "/api/v1/me", Need::Known),
    ("GET", "/api/v1/devices", READ),
    ("GET", "/api/v1/devices/facets", READ),
    ("GET", "/api/v1/devices/{id}", READ),
    ("GET", "/api/v1/devices/{id}/why", READ),
    ("GET", "/api/v1/devices/{id}/decisions", READ),
    ("POST", "/api/v1/devices/{id}/decisions", DECIDE),
    ("POST", "/api/v1/devices/decisions", DECIDE),
    ("GET", "/api/v1/findings", READ),
    ("GET", "/api/v1/findings/{id}", READ),
    ("GET", "/api/v1/findings/{id}/incident", READ),
    ("GET", "/api/v1/findings/{id}/decisions", READ),
    ("POST", "/api/v1/findings/{id}/decisions", DECIDE),
    ("GET", "/api/v1/traffic/traces", READ),
    ("GET", "/api/v1/traffic/sessions", READ),
    ("GET", "/api/v1/traffic/sessions/{id}", READ),
    ("GET", "/api/v1/traffic/findings", READ),
    ("GET", "/api/v1/evidence", READ),
    ("POST", "/api/v1/evidence", IMPORT),
    ("GET", "/api/v1/evidence/{id}", READ),
    ("GET", "/api/v1/evidence/{id}/content", Need::Whole(Permission::Export)),
    ("GET", "/api/v1/jobs", READ),
    ("GET", "/api/v1/jobs/{n}", READ),
    ("GET", "/api/v1/query", READ),
    ("GET", "/api/v1/devices/{id}/history", READ),
    ("GET", "/api/v1/changes", READ),
    ("GET", "/api/v1/events", READ),
    ("GET", "/api/v1/export/devices", EXPORT),
    ("GET", "/api/v1/export/findings", EXPORT),
    ("GET", "/api/v1/export/observations", Need::Whole(Permission::Export)),
    ("GET", "/api/v1/export/pack", EXPORT),
    ("GET", "/api/v1/reports", EXPORT),
    ("GET", "/api/v1/reports/{id}", Need::Whole(Permission::Export)),
    ("GET", "/api/v1/organisations", READ),
    ("GET", "/api/v1/organisations/{id}", READ),
    ("GET", "/api/v1/sites", READ),
    ("POST", "/api/v1/me/password", Need::Session),
    ("POST", "/api/v1/me/totp", Need::Session),
    ("DELETE", "/api/v1/me/totp", Need::Session),
    ("POST", "/api/v1/me/totp/confirm", Need::Session),
    ("GET", "/api/v1/tokens", Need::Session),
    ("POST", "/api/v1/tokens", Need::Session),
    ("DELETE", "/api/v1/tokens/{id}", Need::Session),
    ("GET", "/api/v1/users", ADMIN),
    ("POST", "/api/v1/users", ADMIN),
    ("GET", "/api/v1/users/{id}", ADMIN),
    ("PUT", "/api/v1/users/{id}", ADMIN),
    ("POST", "/api/v1/users/{id}/link", Need::WholePerson(Permission::Admin)),
    ("GET", "/api/v1/sessions", Need::Session),
    ("DELETE", "/api/v1/sessions/{id}", Need::Session),
    ("GET", "/api/v1/views", READ),
    ("POST", "/api/v1/views", READ),
    ("DELETE", "/api/v1/views/{id}", READ),
    ("GET", "/api/v1/roles", Need::Known),
    ("GET", "/api/v1/settings", ADMIN),
    ("PUT", "/api/v1/settings/{name}", ADMIN),
    ("GET", "/api/v1/sinks", ADMIN),
    ("POST", "/api/v1/sinks", Need::WholePerson(Permission::Admin)),
    ("GET", "/api/v1/sinks/{id}", ADMIN),
    ("PUT", "/api/v1/sinks/{id}", Need::WholePerson(Permission::Admin)),
    ("DELETE", "/api/v1/sinks/{id}", Need::WholePerson(Permission::Admin)),
    ("POST", "/api/v1/sinks/{id}/test", Need::WholePerson(Permission::Admin)),
    ("GET", "/api/v1/sinks/{id}/undelivered", ADMIN),
    ("POST", "/api/v1/sinks/{id}/undelivered", Need::WholePerson(Permission::Admin)),
    ("GET", "/api/v1/waivers", Need::Whole(Permission::Read)),
    ("POST", "/api/v1/waivers", Need::Whole(Permission::Decide)),
    ("POST", "/api/v1/waivers/{id}/approve", Need::Whole(Permission::Approve)),
    ("POST", "/api/v1/waivers/{id}/revoke", Need::Whole(Permission::Approve)),
    ("POST", "/api/v1/waivers/{id}/withdraw", Need::Whole(Permission::Decide)),
    ("GET", "/api/v1/mutes", Need::Whole(Permission::Read)),
    ("POST", "/api/v1/mutes", Need::Whole(Permission::Decide)),
    ("GET", "/api/v1/mutes/preview", Need::Whole(Permission::Read)),
    ("GET", "/api/v1/mutes/{id}", Need::Whole(Permission::Read)),
    ("POST", "/api/v1/mutes/{id}/withdraw", Need::Whole(Permission::Decide)),
    ("GET", "/api/v1/backups", ADMIN),
    ("POST", "/api/v1/backups", ADMIN),
    ("GET", "/api/v1/audit-log", AUDIT),
    ("GET", "/api/v1/audit-log/verify", AUDIT),
    ("GET", "/metrics", READ),
    // Pages.
    ("GET", "/", Need::Person(Permission::Read)),
    ("GET", "/assets/{name}", Need::Nothing),
    ("GET", "/set-up/{secret}", Need::Nothing),
    ("POST", "/set-up/{secret}", Need::Nothing),
    ("GET", "/sign-in", Need::Nothing),
    ("POST", "/sign-in", Need::Nothing),
    ("GET", "/demo/{word}", Need::Nothing),
    ("POST", "/sign-in/code", Need::Nothing),
    ("GET", "/sign-in/openid", Need::Nothing),
    ("GET", "/sign-in/openid/return", Need::Nothing),
    ("POST", "/sign-out", Need::Session),
    ("GET", "/fleet", Need::Person(Permission::Read)),
    ("POST", "/fleet", Need::Person(Permission::Decide)),
    ("GET", "/waivers", Need::WholePerson(Permission::Read)),
    ("POST", "/waivers", Need::WholePerson(Permission::Decide)),
    ("POST", "/waivers/settle", Need::WholePerson(Permission::Approve)),
    ("POST", "/waivers/{id}", Need::WholePerson(Permission::Approve)),
    ("POST", "/waivers/{id}/withdraw", Need::WholePerson(Permission::Decide)),
    // A mute hides for every site.
    ("GET", "/mutes", Need::WholePerson(Permission::Read)),
    ("POST", "/mutes", Need::WholePerson(Permission::Decide)),
    ("GET", "/mutes/new", Need::WholePerson(Permission::Decide)),
    ("GET", "/mutes/{id}", Need::WholePerson(Permission::Read)),
    ("POST", "/mutes/{id}", Need::WholePerson(Permission::Decide)),
    ("POST", "/views", Need::Person(Permission::Read)),
    ("POST", "/views/{id}", Need::Person(Permission::Read)),
    ("GET", "/devices/{id}", Need::Person(Permission::Read)),
    ("POST", "/devices/{id}", Need::Person(Permission::Decide)),
    ("GET", "/findings", Need::Person(Permission::Read)),
    ("POST", "/findings", Need::Person(Permission::Decide)),
    ("GET", "/findings/{id}", Need::Person(Permission::Read)),
    ("POST", "/findings/{id}", Need::Person(Permission::Decide)),
    ("GET", "/modules", Need::Person(Permission::Read)),
    ("GET", "/modules/{id}", Need::Person(Permission::Read)),
    ("GET", "/organisations/{id}", Need::Person(Permission::Read)),
    ("GET", "/policy", Need::Person(Permission::Read)),
    ("GET", "/policy/{id}", Need::Person(Permission::Read)),
    ("GET", "/policy/timeline", Need::Person(Permission::Read)),
    ("GET", "/policy/markets", Need::Person(Permission::Read)),
    ("GET", "/policy/why", Need::Person(Permission::Read)),
    ("GET", "/look-up", Need::Open(Permission::Read)),
    ("POST", "/look-up", Need::Person(Permission::Read)),
    ("GET", "/reports", Need::Person(Permission::Export)),
    ("GET", "/reports/{id}", Need::WholePerson(Permission::Export)),
    ("GET", "/reports/{id}/file", Need::WholePerson(Permission::Export)),
    ("GET", "/traffic", Need::Person(Permission::Read)),
    ("GET", "/traffic/traces/{id}", Need::WholePerson(Permission::Read)),
    ("GET", "/traffic/sessions/{id}", Need::Person(Permission::Read)),
    ("GET", "/traffic/hosts/{addr}", Need::WholePerson(Permission::Read)),
    ("GET", "/evidence", Need::Person(Permission::Read)),
    ("GET", "/evidence/{id}", Need::Person(Permission::Read)),
    ("GET", "/changes", Need::Person(Permission::Read)),
    ("GET", "/import", Need::WholePerson(Permission::Import)),
    ("POST", "/import", Need::WholePerson(Permission::Import)),
    ("GET", "/import/staged/{id}", Need::WholePerson(Permission::Import)),
    ("POST", "/import/staged/{id}", Need::WholePerson(Permission::Import)),
    ("GET", "/import/{n}", Need::WholePerson(Permission::Import)),
    ("GET", "/account", Need::Session),
    ("POST", "/account/password", Need::Session),
    ("POST", "/account/totp", Need::Session),
    ("POST", "/account/totp/confirm", Need::Session),
    ("POST", "/account/totp/end", Need::Session),
    ("POST", "/account/tokens", Need::Session),
    ("POST", "/account/tokens/{id}", Need::Session),
    ("GET", "/welcome/{id}/{secret}", Need::Nothing),
    ("POST", "/welcome/{id}/{secret}", Need::Nothing),
    ("GET", "/people", Need::WholePerson(Permission::Admin)),
    ("POST", "/people", Need::WholePerson(Permission::Admin)),
    ("GET", "/audit-log", Need::WholePerson(Permission::Audit)),
    ("GET", "/audit-log/verify", Need::WholePerson(Permission::Audit)),
    ("GET", "/settings", Need::WholePerson(Permission::Admin)),
    ("POST", "/settings", Need::WholePerson(Permission::Admin)),
    ("GET", "/settings/integrations", Need::WholePerson(Permission::Admin)),
    ("POST", "/settings/integrations", Need::WholePerson(Permission::Admin)),
    ("GET", "/settings/integrations/{id}", Need::WholePerson(Permission::Admin)),
    ("POST", "/settings/integrations/{id}", Need::WholePerson(Permission::Admin)),
];

/// What a route needs; `None` where it has no row.
pub fn need(method: &Method, path: &str) -> Option<Need> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    RIGHTS.iter().find(|(m, p, _)| *m == method && *p == path).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_has_two_rows() {
        let mut seen = BTreeSet::new();
        for (method, path, _) in RIGHTS {
            assert!(seen.insert((method, path)), "{method} {path}");
        }
    }

    #[test]
    fn a_route_without_a_row_is_nobodys() {
        assert_eq!(need(&Method::DELETE, "/api/v1/devices"), None);
        assert_eq!(need(&Method::HEAD, "/api/v1/devices"), Some(READ));
    }

    #[test]
    fn a_token_for_exports_reads_exports_alone() {
        let all: BTreeSet<_> = Permission::ALL.into_iter().collect();
        for need in [READ, DECIDE, IMPORT, ADMIN, AUDIT, Need::Known, Need::Session, Need::Person(Permission::Export)] {
            assert!(!need.met(Class::ExportOnly, &all, true), "{need:?}");
        }
        assert!(EXPORT.met(Class::ExportOnly, &all, false));
        assert!(!EXPORT.met(Class::ExportOnly, &BTreeSet::new(), true));
    }
}
