//! The fleet and its findings: a query bar, facets with counts, a table.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use umbilical_store::query::Query;

use super::{Head, page};
use crate::Problem;
use crate::api::{DeviceLine, FACETS, FindingLine, ListParams};
use crate::app::App;
use crate::extract::Params;
use crate::guard::encoded;
use crate::who::Who;

/// Rows of a page.
const ROWS: u32 = 50;
/// Values of a facet.
const VALUES: u32 = 8;

struct FacetShown {
    field: &'static str,
    values: Vec<ValueShown>,
}

struct ValueShown {
    value: String,
    devices: u64,
    /// The list with this value alone.
    with: String,
    /// The list without it.
    without: String,
    /// Whether the query asks for it already.
    on: bool,
}

#[derive(Template)]
#[template(path = "fleet.html")]
struct Fleet<'a> {
    head: Head,
    q: &'a str,
    wrong: Option<String>,
    count: u64,
    exact: bool,
    rows: Vec<DeviceLine>,
    facets: Vec<FacetShown>,
    sorts: Vec<Sorted>,
    next: Option<String>,
    empty_store: bool,
}

/// A head of a column that sorts.
struct Sorted {
    label: &'static str,
    href: String,
    /// `ascending`, `descending`, empty.
    order: &'static str,
}

/// The query with one more term.
pub fn refined(q: &str, field: &str, value: &str, not: bool) -> String {
    // A quotation mark ends the value: what has one is asked for by its words.
    let quoted = value.replace('"', " ");
    if !quoted.chars().any(char::is_alphanumeric) {
        // No word of it can be asked for.
        return q.to_owned();
    }
    let term = format!("{}{field}:\"{quoted}\"", if not { "NOT " } else { "" });
    let q = q.trim();
    if q.is_empty() {
        term
    } else if q.contains(" OR ") {
        format!("({q}) {term}")
    } else {
        format!("{q} {term}")
    }
}

/// The list behind a query.
pub fn href(path: &str, q: &str, sort: Option<&str>) -> String {
    let mut out = format!("{path}?q={}", encoded(q));
    if let Some(sort) = sort {
        out.push_str(&format!("&sort={}", encoded(sort)));
    }
    out
}

const COLUMNS: [(&str, &str); 7] = [
    ("Device", "name"),
    ("Site", "site"),
    ("Module", "model"),
    ("Maker", "maker"),
    ("Owner", "owner"),
    ("Confidence", "confidence"),
    ("Findings", "severity"),
];

/// The fleet.
pub async fn fleet(State(app): State<App>, who: Who, Params(mut params): Params<ListParams>) -> Result<Response, Problem> {
    if params.limit == 0 {
        params.limit = ROWS;
    }
    let (query, wrong) = match Query::parse(&params.q) {
        Ok(query) => (query, None),
        Err(error) => (Query::all(), Some(error.to_string())),
    };
    let q = params.q.trim();
    let listed = app.store().devices(&who.scope, &query, params.page()).await?;
    let found = app.store().facets(&who.scope, &query, &FACETS, VALUES).await?;
    let facets = found.into_iter().filter(|f| !f.values.is_empty()).map(|f| FacetShown {
        field: f.field,
        values: f
            .values
            .into_iter()
            .map(|v| {
                let with = refined(q, f.field, &v.value, false);
                ValueShown {
                    on: q.contains(&refined("", f.field, &v.value, false)),
                    with: href("/fleet", &with, params.sort.as_deref()),
                    without: href("/fleet", &refined(q, f.field, &v.value, true), params.sort.as_deref()),
                    value: v.value,
                    devices: v.devices,
                }
            })
            .collect(),
    });
    let now = params.sort.as_deref().unwrap_or("name");
    let sorts = COLUMNS.iter().map(|(label, name)| {
        let order = if now == *name {
            "ascending"
        } else if now.strip_prefix('-') == Some(name) {
            "descending"
        } else {
            ""
        };
        // What is counted is wanted from the highest.
        let high = matches!(*name, "confidence" | "severity");
        let sort = match (order, high) {
            ("ascending", _) | ("", true) => format!("-{name}"),
            _ => (*name).to_owned(),
        };
        Sorted { label, href: href("/fleet", q, Some(&sort)), order }
    });
    let next = listed.next.as_deref().map(|after| format!("{}&after={}", href("/fleet", q, params.sort.as_deref()), encoded(after)));
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let fleet = Fleet {
        head: Head::new("Fleet", "/fleet", Some(&who)),
        q: &params.q,
        wrong,
        count: listed.count.n,
        exact: listed.count.exact,
        empty_store: listed.count.n == 0 && q.is_empty(),
        rows: listed.rows.into_iter().map(Into::into).collect(),
        facets: facets.collect(),
        sorts: sorts.collect(),
        next,
    };
    Ok(page(status, &fleet))
}

#[derive(Template)]
#[template(path = "findings.html")]
struct Findings<'a> {
    head: Head,
    q: &'a str,
    wrong: Option<String>,
    count: u64,
    exact: bool,
    rows: Vec<FindingLine>,
    next: Option<String>,
}

/// The findings.
pub async fn findings(State(app): State<App>, who: Who, Params(mut params): Params<ListParams>) -> Result<Response, Problem> {
    if params.limit == 0 {
        params.limit = ROWS;
    }
    let (query, wrong) = match Query::parse(&params.q) {
        Ok(query) => (query, None),
        Err(error) => (Query::all(), Some(error.to_string())),
    };
    let listed = app.store().findings(&who.scope, &query, params.page()).await?;
    let next =
        listed.next.as_deref().map(|after| format!("{}&after={}", href("/findings", &params.q, params.sort.as_deref()), encoded(after)));
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let findings = Findings {
        head: Head::new("Findings", "/findings", Some(&who)),
        q: &params.q,
        wrong,
        count: listed.count.n,
        exact: listed.count.exact,
        rows: listed.rows.into_iter().map(Into::into).collect(),
        next,
    };
    Ok(page(status, &findings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facet_narrows_the_query() {
        assert_eq!(refined("", "maker", "Acme", false), "maker:\"Acme\"");
        assert_eq!(refined("a", "maker", "Ac\"me", true), "a NOT maker:\"Ac me\"");
        assert_eq!(refined("a OR b", "site", "X", false), "(a OR b) site:\"X\"");
        for hostile in ["\"", "a\" OR site:*", "\\", "(", "'--"] {
            assert!(Query::parse(&refined("x", "maker", hostile, false)).is_ok(), "{hostile}");
        }
    }
}
