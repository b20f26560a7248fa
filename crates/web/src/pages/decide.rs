//! What pages decide: about one thing, about the rows that are ticked, or about everything that a query fits. Who decides about
//! everything is shown first how many that is.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use umbilical_store::query::{Query, STATES};
use umbilical_store::{Many, Page};

use super::frame::{Head, page};
use super::refused::Refused;
use crate::Problem;
use crate::api::{WaiverWanted, Wanted, last_day, propose_waiver};
use crate::app::App;
use crate::guard::encoded;
use crate::rights::Permission;
use crate::who::Who;

/// Rows that may be ticked together: a query has at most a hundred terms.
const TICKED: usize = 90;

/// A form as it was sent: names may stand in it more than once.
pub struct Sent(pub Vec<(String, String)>);

/// What forms call fields that the API calls otherwise.
const NAMES: [(&str, &str); 4] = [("expires", "until"), ("state", "kind"), ("reason", "comment"), ("decision", "kind")];

impl Sent {
    /// The form on the page of one thing, with why it was refused.
    pub fn refused(&self, problem: Problem) -> Result<Refused, Problem> {
        let form = Some(self.get("kind")).filter(|k| ["note", "tag", "assign"].contains(k)).unwrap_or("state");
        Ok(Refused::new(form, &self.0, problem)?.named(&NAMES))
    }

    /// The form beside a list.
    pub fn refused_list(&self, problem: Problem) -> Result<Refused, Problem> {
        Ok(Refused::new("rows", &self.0, problem)?.named(&NAMES))
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
    }

    /// The query for the rows that are ticked, and how many they are.
    fn ticked(&self) -> Result<(String, u64), Problem> {
        let ticked: Vec<&str> = self.0.iter().filter(|(n, _)| n == "id").map(|(_, v)| v.as_str()).collect();
        if ticked.is_empty() {
            return Err(Problem::invalid("no row is ticked"));
        }
        if ticked.len() > TICKED || ticked.iter().any(|id| !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')) {
            return Err(Problem::invalid(format!("these are no ids, or more than {TICKED}")));
        }
        let terms: Vec<String> = ticked.iter().map(|id| format!("id:\"{id}\"")).collect();
        Ok((terms.join(" OR "), ticked.len() as u64))
    }

    /// The decision that the form asks for.
    fn wanted(&self) -> Result<Wanted, Problem> {
        let (value, comment, until) = (self.get("value").to_owned(), self.get("comment").to_owned(), self.get("until"));
        let needed = |what: &str| if value.is_empty() { Err(Problem::at("value", format!("say {what}"))) } else { Ok(value.clone()) };
        Ok(match self.get("kind") {
            "tag" => Wanted::Tag { value: needed("which tag")?, comment },
            "untag" => Wanted::Untag { value: needed("which tag")?, comment },
            "assign" => Wanted::Assign { value: Some(value), comment },
            "note" => Wanted::Note { comment },
            state if STATES.contains(&state) => {
                Wanted::State { value: state.to_owned(), comment, expires: (!until.is_empty()).then(|| until.to_owned()) }
            }
            _ => return Err(Problem::at("decision", "choose what is to be done")),
        })
    }
}

/// What is about to be done to many.
#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm<'a> {
    head: Head,
    path: &'static str,
    many: u64,
    what: &'static str,
    done: String,
    sent: &'a Sent,
    q: &'a str,
    back: String,
}

fn words(wanted: &Wanted) -> String {
    let because = |comment: &str| if comment.is_empty() { String::new() } else { format!(", because: {comment}") };
    match wanted {
        Wanted::State { value, comment, expires } => {
            let until = expires.as_deref().map(|d| format!(" until {d}")).unwrap_or_default();
            format!("state “{value}”{until}{}", because(comment))
        }
        Wanted::Note { comment } => format!("note “{comment}”"),
        Wanted::Tag { value, comment } => format!("tag “{value}” added{}", because(comment)),
        Wanted::Untag { value, comment } => format!("tag “{value}” taken away{}", because(comment)),
        Wanted::Assign { value, comment } => {
            let whom = value.as_deref().filter(|v| !v.is_empty()).unwrap_or("nobody");
            format!("looked after by {whom}{}", because(comment))
        }
    }
}

/// Decides about one thing and shows it again. Its page is at `path` and its id.
pub async fn one(app: &App, who: &Who, path: &str, id: &str, sent: &Sent) -> Result<Response, Problem> {
    let wanted = sent.wanted()?;
    let (decision, comment, expires) = wanted.parts()?;
    app.store().decide(&who.scope, who.by(app.now()), id, decision, comment, expires).await?;
    Ok(Redirect::to(&format!("{path}/{}", encoded(id))).into_response())
}

/// Decides about many, or asks first. `path` is the page of the list.
pub async fn many(app: &App, who: &Who, many: Many, path: &'static str, sent: &Sent) -> Result<Response, Problem> {
    let q = sent.get("q");
    if sent.get("to") == "list" {
        // The list of these rows alone: what can be done with a list, taking it out as a file among it, can be done with them.
        return Ok(Redirect::to(&format!("{path}?q={}", encoded(&sent.ticked()?.0))).into_response());
    }
    if sent.get("kind") == WAIVE {
        return waive(app, who, many, path, sent).await;
    }
    let wanted = sent.wanted()?;
    let (decision, comment, expires) = wanted.parts()?;
    // Who is asked whether it is sure is not refused afterwards.
    decision.check(who.by(app.now()), comment, expires)?;
    let all = sent.get("to") == "all";
    let (query, expected) = if all {
        let query = Query::parse(q)?;
        let now = app.store().count_many(&who.scope, many, &query).await?;
        match sent.get("expected").parse::<u64>() {
            Ok(seen) if sent.get("sure") == "yes" => (query, seen),
            _ => {
                return Ok(sure(who, many, path, now, words(&wanted), sent));
            }
        }
    } else {
        let (terms, many) = sent.ticked()?;
        (Query::parse(&terms)?, many)
    };
    let done = app.store().decide_many(&who.scope, who.by(app.now()), (many, &query, expected), decision, comment, expires).await?;
    Ok(Redirect::to(&format!("{path}?q={}&done={done}", encoded(q))).into_response())
}

/// Asks before something is done to everything that a query fits.
fn sure(who: &Who, many: Many, path: &'static str, now: u64, done: String, sent: &Sent) -> Response {
    let q = sent.get("q");
    let what = if many == Many::Devices { "devices" } else { "findings" };
    let head = Head::new("Are you sure?", path, Some(who));
    page(StatusCode::OK, &Confirm { head, path, many: now, what, done, sent, q, back: format!("{path}?q={}", encoded(q)) })
}

/// The word of a form for a waiver.
const WAIVE: &str = "waive";
/// Findings whose waivers are proposed together. More than these are a rule's matter and not a subject's: the file of waivers takes
/// patterns.
const WAIVED: u64 = 90;

/// Proposes waivers for findings of rules; of devices, for what rules found about them. Each stands by itself, and another person
/// approves it.
async fn waive(app: &App, who: &Who, many: Many, path: &'static str, sent: &Sent) -> Result<Response, Problem> {
    if !(who.may(Permission::Decide) && who.sees_all()) {
        return Err(Problem::forbidden("a waiver holds for every site: who proposes one sees them all"));
    }
    let (reason, until) = (sent.get("comment"), sent.get("until"));
    if reason.is_empty() {
        return Err(Problem::at("reason", "a waiver says because of what"));
    }
    last_day(app, until)?;
    let all = sent.get("to") == "all";
    let (chosen, expected) = if all { (sent.get("q").to_owned(), None) } else { sent.ticked().map(|(q, n)| (q, Some(n)))? };
    let now = app.store().count_many(&who.scope, many, &Query::parse(&chosen)?).await?;
    let found = of_rules(app, who, many, &chosen).await?;
    if all && sent.get("sure") != "yes" {
        let done = format!("{} waivers proposed until {until}, because: {reason}; what no rule found stays as it is", found.len());
        return Ok(sure(who, many, path, now, done, sent));
    }
    let seen = expected.or_else(|| sent.get("expected").parse().ok());
    if Some(now) != seen {
        return Err(Problem::new(StatusCode::CONFLICT, "the list has changed meanwhile: look at it again"));
    }
    let (mut proposed, mut already) = (0u64, 0u64);
    for finding in found {
        let wanted = WaiverWanted { finding: Some(finding), reason: reason.to_owned(), until: until.to_owned(), ..WaiverWanted::default() };
        match propose_waiver(app, who, wanted).await {
            Ok(_) => proposed = proposed.saturating_add(1),
            // Proposed before, or holding already.
            Err(problem) if problem.status == StatusCode::CONFLICT.as_u16() => already = already.saturating_add(1),
            Err(problem) => return Err(problem),
        }
    }
    Ok(Redirect::to(&format!("/waivers?proposed={proposed}&already={already}")).into_response())
}

/// What rules found among what was chosen, by id.
async fn of_rules(app: &App, who: &Who, many: Many, chosen: &str) -> Result<Vec<String>, Problem> {
    // Of devices the findings are asked for by their ids.
    let chosen = match many {
        Many::Findings => chosen.to_owned(),
        Many::Devices => {
            let page = Page { limit: TICKED as u32, ..Page::default() };
            let listed = app.store().devices(&who.scope, &Query::parse(chosen)?, page).await?;
            if listed.next.is_some() {
                return Err(Problem::invalid(format!("waivers are proposed for at most {TICKED} devices at once: narrow the query")));
            }
            let ids: Vec<String> = listed.rows.iter().map(|d| format!("id:\"{}\"", d.id)).collect();
            if ids.is_empty() {
                return Err(Problem::invalid("there is no device of this query"));
            }
            ids.join(" OR ")
        }
    };
    let chosen = if chosen.is_empty() { String::new() } else { format!("({chosen}) ") };
    let found = Query::parse(&format!("{chosen}source:rule NOT verdict:pass"))?;
    let page = Page { limit: WAIVED as u32, ..Page::default() };
    let listed = app.store().findings(&who.scope, &found, page).await?;
    if listed.next.is_some() {
        let what = format!("rules found more than {WAIVED} things here: narrow the query, or write a pattern into the file of waivers");
        return Err(Problem::invalid(what));
    }
    if listed.rows.is_empty() {
        return Err(Problem::invalid("no rule found anything here: only what a rule found is waived"));
    }
    Ok(listed.rows.into_iter().map(|row| row.finding.id).collect())
}
