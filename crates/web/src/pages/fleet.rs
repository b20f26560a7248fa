//! The fleet: a query bar, facets with counts, saved views, a table, and what is decided about many at once.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use umbilical_store::query::{Query, STATES};
use umbilical_store::{Many, Page, Role};

use super::decide;
use super::download::Download;
use super::frame::{Head, page};
use super::refused::Refused;
use super::views::{self, Saved};
use crate::Problem;
use crate::api::{DeviceLine, FACETS};
use crate::app::App;
use crate::extract::{Checked, Params};
use crate::guard::encoded;
use crate::rights::Permission;
use crate::who::Who;

/// Rows of a page.
const ROWS: u32 = 50;
/// Values of a facet.
const VALUES: u32 = 8;

/// A field and its values, as the side of a list shows them.
pub struct FacetShown {
    pub field: &'static str,
    pub values: Vec<ValueShown>,
}

/// A value of a field.
pub struct ValueShown {
    pub value: String,
    pub count: u64,
    /// The list with this value alone.
    pub with: String,
    /// The list without it.
    pub without: String,
    /// Whether the query asks for it already.
    pub on: bool,
}

impl ValueShown {
    /// A value of a field in the list at `path` under a query.
    pub fn new(path: &str, q: &str, sort: Option<&str>, field: &str, value: String, count: u64) -> Self {
        Self {
            on: q.contains(&refined("", field, &value, false)),
            with: href(path, &refined(q, field, &value, false), sort),
            without: href(path, &refined(q, field, &value, true), sort),
            value,
            count,
        }
    }
}

/// What a list is asked for, by its address.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(flatten)]
    list: BTreeMap<String, String>,
}

impl Asked {
    fn get(&self, name: &str) -> Option<&str> {
        self.list.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// What a form beside the list was sent from.
    pub fn again(sent: &[(String, String)]) -> Self {
        let of_list = sent.iter().filter(|(name, _)| ["q", "sort", "after"].contains(&name.as_str()));
        Self { list: of_list.cloned().collect() }
    }

    /// Behind which row the page begins; empty for the first one.
    pub fn after(&self) -> &str {
        self.get("after").unwrap_or_default()
    }

    /// The query as it was written.
    pub fn q(&self) -> &str {
        self.get("q").unwrap_or_default()
    }

    /// The sort.
    pub fn sort(&self) -> Option<&str> {
        self.get("sort")
    }

    /// So many were just decided about.
    pub fn done(&self) -> Option<u64> {
        self.get("done").and_then(|n| n.parse().ok())
    }

    /// Which page of the list.
    pub fn page(&self) -> Page<'_> {
        let limit = self.get("limit").and_then(|n| n.parse().ok()).filter(|n| *n > 0).unwrap_or(ROWS);
        Page { after: self.get("after"), limit, sort: self.sort() }
    }

    /// The query, and what is wrong with it: then the whole list is shown.
    pub fn query(&self) -> (Query, Option<String>) {
        match Query::parse(self.q()) {
            Ok(query) => (query, None),
            Err(error) => (Query::all(), Some(error.to_string())),
        }
    }

    /// The address of the page behind this one.
    pub fn next(&self, path: &str, after: Option<&str>) -> Option<String> {
        after.map(|after| format!("{}&after={}", href(path, self.q(), self.sort()), encoded(after)))
    }
}

#[derive(Template)]
#[template(path = "fleet.html")]
struct Fleet<'a> {
    head: Head,
    q: &'a str,
    sort: Option<&'a str>,
    done: Option<u64>,
    views: Vec<Saved>,
    decides: bool,
    /// Whether waivers may be proposed: they hold for every site.
    waives: bool,
    states: &'static [&'static str],
    after: &'a str,
    roles: [Role; 6],
    download: Option<Download>,
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
pub async fn fleet(State(app): State<App>, who: Who, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    list(&app, &who, &asked, None).await
}

/// The list, with a form that was refused.
pub async fn list(app: &App, who: &Who, asked: &Asked, refused: Option<Refused>) -> Result<Response, Problem> {
    let (query, wrong) = asked.query();
    // Of a query that was not understood the whole list is shown: links narrow that.
    let (q, sort) = (if wrong.is_some() { "" } else { asked.q().trim() }, asked.sort());
    let listed = app.store().devices(&who.scope, &query, asked.page()).await?;
    let found = app.store().facets(&who.scope, &query, &FACETS, VALUES).await?;
    let facets = found.into_iter().filter(|f| !f.values.is_empty()).map(|f| FacetShown {
        field: f.field,
        values: f.values.into_iter().map(|v| ValueShown::new("/fleet", q, sort, f.field, v.value, v.devices)).collect(),
    });
    let now = sort.unwrap_or("name");
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
    let next = asked.next("/fleet", listed.next.as_deref());
    let head = Head::new("Fleet", "/fleet", Some(who)).again(refused);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { head.status() };
    let fleet = Fleet {
        head,
        q: asked.q(),
        sort,
        done: asked.done(),
        views: views::of(app, who, "devices").await?,
        decides: who.may(Permission::Decide),
        waives: who.may(Permission::Decide) && who.sees_all(),
        states: STATES,
        after: asked.after(),
        roles: Role::ALL,
        download: if wrong.is_none() { Download::devices(who, asked.q().trim(), listed.count) } else { None },
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

/// Decides about many devices.
pub async fn decide_many(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let sent = decide::Sent(sent);
    match decide::many(&app, &who, Many::Devices, "/fleet", &sent).await {
        Err(problem) => list(&app, &who, &Asked::again(&sent.0), Some(sent.refused_list(problem)?)).await,
        done => done,
    }
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
