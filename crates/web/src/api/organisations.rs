//! Organisations: what is on file of who makes, owns and controls. They are facts of the knowledge base and no site's.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use umbilical_assess::trace::trace;
use umbilical_core::answer::Trace;
use utoipa::{IntoParams, ToSchema};

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::extract::Params;
use crate::who::Who;

/// An organisation in a list.
#[derive(Serialize, ToSchema)]
pub struct OrganisationLine {
    /// Its id.
    id: String,
    /// The full name.
    name: String,
    /// ISO 3166 code of the country it is organised in.
    country: Option<String>,
    /// `module-maker`, `investor`, …
    kind: String,
    /// Other names.
    aliases: Vec<String>,
}

/// Which organisations.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrganisationParams {
    /// A part of a name.
    #[serde(default)]
    name: String,
}

/// Organisations on file, by id
#[utoipa::path(get, path = "/api/v1/organisations", tag = "organisations", params(OrganisationParams), responses((status = 200, body = [OrganisationLine])))]
pub async fn list(State(app): State<App>, Params(params): Params<OrganisationParams>) -> Response {
    let part = params.name.trim().to_lowercase();
    let fits = |text: &str| part.is_empty() || text.to_lowercase().contains(&part);
    let found = app.knowledge().organisations().iter().filter(|o| fits(&o.name) || o.aliases.iter().any(|a| fits(a)));
    let mut lines: Vec<OrganisationLine> = found
        .map(|o| OrganisationLine {
            id: o.id.to_string(),
            name: o.name.to_string(),
            country: o.country.as_deref().map(str::to_owned),
            kind: o.kind.to_string(),
            aliases: o.aliases.iter().map(|a| a.to_string()).collect(),
        })
        .collect();
    lines.sort_by(|a, b| a.id.cmp(&b.id));
    json(&lines)
}

/// An organisation as it is traced today.
#[derive(Serialize, ToSchema)]
pub struct OrganisationWhole {
    /// As the audit document has it.
    #[schema(value_type = Object)]
    trace: Trace,
    /// The day.
    as_of: String,
}

/// Who stands behind an organisation as of today: owners, jurisdictions, listings, what is alleged
#[utoipa::path(get, path = "/api/v1/organisations/{id}", tag = "organisations", params(("id" = String, Path)), responses((status = 200, body = OrganisationWhole)))]
pub async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    if app.knowledge().org(&id).is_none() {
        return Err(Problem::missing("no such organisation is on file"));
    }
    let as_of = app.today();
    Ok(json(&OrganisationWhole { trace: trace(app.knowledge(), &id, as_of), as_of: as_of.to_string() }))
}

/// A site.
#[derive(Serialize, ToSchema)]
pub struct SiteOf {
    /// Its name.
    site: String,
    /// Devices that stand there.
    devices: u64,
}

/// The sites that you see, with how many devices stand there
#[utoipa::path(get, path = "/api/v1/sites", tag = "devices", responses((status = 200, body = [SiteOf])))]
pub async fn sites(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let found = app.store().facets(&who.scope, &umbilical_store::query::Query::all(), &["site"], u32::MAX).await?;
    let mut sites: Vec<SiteOf> = found.into_iter().flat_map(|f| f.values).map(|v| SiteOf { site: v.value, devices: v.devices }).collect();
    sites.sort_by(|a, b| a.site.cmp(&b.site));
    Ok(json(&sites))
}
