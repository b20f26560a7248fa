//! Integrations: where findings and decisions are delivered to, and how that goes.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Map, Value as Json, json};
use umbilical_store::SinkKind;

use super::frame::{Head, page};
use super::refused::Refused;
use crate::Problem;
use crate::api::{
    Filter, RefusedOf, SinkShown, SinkWanted, all_sinks, alter_sink, guarantee, make_sink, named_sink, refused_of, send_again, try_sink,
};
use crate::app::App;
use crate::extract::Checked;
use crate::who::Who;

/// A field of a form.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    value: String,
    /// `text`, `password`, `number`, `textarea`, `check`, `select`.
    input: &'static str,
    options: &'static [&'static str],
    required: bool,
}

/// What a kind is called, and what it is for.
fn title(kind: SinkKind) -> (&'static str, &'static str) {
    match kind {
        SinkKind::Webhook => ("Webhook", "JSON by HTTP, signed as Standard Webhooks says: tickets, chat, programs of your own"),
        SinkKind::Syslog => ("Syslog", "CEF in RFC 5424 over TCP or TLS: ArcSight, QRadar, Sentinel, any collector"),
        SinkKind::Hec => ("Splunk", "HTTP Event Collector"),
        SinkKind::Mail => ("E-mail", "a digest in plain text"),
    }
}

const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];
const VERDICTS: [&str; 4] = ["fail", "review", "unknown", "none"];
const SECURITY: &[&str] = &["starttls", "tls", "none"];

/// The fields of a kind: empty ones, or those of a sink.
fn fields(kind: SinkKind, sink: Option<&SinkShown>, sees_subscribers: bool) -> Vec<Field> {
    let none = Filter::default();
    let filter = sink.map_or(&none, |s| &s.filter);
    let set = |name: &str| sink.and_then(|s| s.settings.get(name));
    let text = |name: &'static str, label: &'static str, hint: &'static str, usual: &str, required: bool| {
        let value = match set(name) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
            Some(Json::Number(n)) => n.to_string(),
            _ if sink.is_some() => String::new(),
            _ => usual.to_owned(),
        };
        Field { name, label, hint, value, input: "text", options: &[], required }
    };
    let check = |name: &'static str, label: &'static str, on: bool| Field {
        name,
        label,
        hint: "",
        value: if on { "on".to_owned() } else { String::new() },
        input: "check",
        options: &[],
        required: false,
    };
    let is_new = sink.is_none();
    let secret = |label: &'static str| Field {
        name: "secret",
        label,
        hint: if is_new { "" } else { "(empty: as it is)" },
        value: String::new(),
        input: "password",
        options: &[],
        required: false,
    };
    let mut out = vec![text("name", "Name", "", "", true)];
    if let (Some(sink), Some(name)) = (sink, out.first_mut()) {
        name.value.clone_from(&sink.name);
    }
    match kind {
        SinkKind::Webhook => out.push(text("url", "Address", "https://… or http://…", "", true)),
        SinkKind::Hec => {
            out.push(text("url", "Address", "https://splunk.example:8088", "", true));
            out.push(secret("Token"));
            out.push(text("index", "Index", "(empty: the token's)", "", false));
        }
        SinkKind::Syslog => {
            out.push(text("host", "Host", "", "", true));
            out.push(Field { input: "number", ..text("port", "Port", "", "6514", true) });
            out.push(check("tls", "encrypted (TLS)", set("tls").is_none_or(|v| v == true)));
        }
        SinkKind::Mail => {
            out.push(text("host", "Server", "", "", true));
            out.push(Field { input: "number", ..text("port", "Port", "", "587", true) });
            out.push(Field { input: "select", options: SECURITY, ..text("tls", "Encryption", "", "starttls", true) });
            out.push(text("login", "Login", "(empty: none)", "", false));
            out.push(secret("Password"));
            out.push(text("from", "From", "", "", true));
            out.push(text("to", "To", "(apart by commas)", "", true));
            out.push(Field { input: "number", ..text("every_minutes", "Minutes between two", "", "15", true) });
        }
    }
    let ca = text("ca", "Authorities that alone are trusted, PEM", "(empty: those of the system)", "", false);
    out.push(Field { input: "textarea", ..ca });
    let mut severity = text("severity", "Least severity", "", "", true);
    severity.value.clone_from(&filter.severity);
    out.push(Field { input: "select", options: SEVERITIES, ..severity });
    for (verdict, name) in VERDICTS.into_iter().zip(["verdict-fail", "verdict-review", "verdict-unknown", "verdict-none"]) {
        let on = filter.verdicts.is_empty() || filter.verdicts.iter().any(|v| v == verdict);
        let label = match verdict {
            "fail" => "findings that fail a rule",
            "review" => "findings for review",
            "unknown" => "findings that stay open",
            _ => "findings without a verdict",
        };
        out.push(check(name, label, on));
    }
    let mut codes = text("codes", "Codes", "(apart by commas, a * at the end; empty: all)", "", false);
    codes.value = filter.codes.join(", ");
    out.push(codes);
    out.push(check("decisions", "people's decisions", filter.decisions));
    if sees_subscribers {
        out.push(check("subscribers", "subscriber numbers whole", sink.is_some_and(|s| s.subscribers)));
    }
    out
}

/// What was typed, where the form of this kind was refused.
fn typed(fields: &mut [Field], kind: SinkKind, refused: Option<&Refused>) {
    let Some(refused) = refused.filter(|r| r.is(kind.name())) else { return };
    for field in fields.iter_mut().filter(|f| f.input != "password") {
        refused.typed(kind.name(), field.name).unwrap_or_default().clone_into(&mut field.value);
    }
}

/// What a form says.
fn wanted(kind: &str, sent: &[(String, String)], running: bool) -> Result<SinkWanted, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim());
    let some = |name: &str| Some(get(name)).filter(|v| !v.is_empty());
    let list = |name: &str| get(name).split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let number = |name: &'static str| get(name).parse::<u32>().map_err(|_| Problem::at(name, "this is a whole number"));
    let mut settings: Map<String, Json> = Map::new();
    let texts: &[&str] = match kind {
        "webhook" => &["url", "ca"],
        "hec" => &["url", "index", "ca"],
        "syslog" => &["host", "ca"],
        _ => &["host", "tls", "login", "from", "ca"],
    };
    for name in texts {
        if let Some(text) = some(name) {
            settings.insert((*name).to_owned(), text.into());
        }
    }
    if kind == "syslog" {
        settings.insert("port".into(), number("port")?.into());
        settings.insert("tls".into(), (get("tls") == "on").into());
    }
    if kind == "mail" {
        settings.insert("port".into(), number("port")?.into());
        settings.insert("every_minutes".into(), number("every_minutes")?.into());
        settings.insert("to".into(), json!(list("to")));
    }
    let mut verdicts: Vec<String> = VERDICTS.iter().filter(|v| get(&format!("verdict-{v}")) == "on").map(|v| (*v).to_owned()).collect();
    if verdicts.is_empty() {
        return Err(Problem::at("verdict-none", "tick which findings are delivered"));
    }
    if verdicts.len() == VERDICTS.len() {
        verdicts.clear();
    }
    let filter = Filter { severity: get("severity").to_owned(), verdicts, codes: list("codes"), decisions: get("decisions") == "on" };
    Ok(SinkWanted {
        name: get("name").to_owned(),
        kind: kind.to_owned(),
        settings: settings.into(),
        secret: some("secret").map(str::to_owned),
        new_key: false,
        filter,
        subscribers: get("subscribers") == "on",
        running,
    })
}

/// A form to make a sink.
struct Form {
    kind: &'static str,
    title: &'static str,
    purpose: &'static str,
    guarantee: &'static str,
    fields: Vec<Field>,
}

#[derive(Template)]
#[template(path = "integrations.html")]
struct Integrations {
    head: Head,
    sinks: Vec<SinkShown>,
    forms: Vec<Form>,
    /// A webhook that was made, with its key.
    made: Option<(String, String)>,
    keep_days: u32,
}

/// How a sink stands, in words.
fn state(sink: &SinkShown) -> String {
    let mut out = match (sink.waiting, &sink.waiting_since) {
        (0, _) => "nothing waits".to_owned(),
        (1, Some(since)) => format!("1 event waits since {}", super::minute(since)),
        (n, Some(since)) => format!("waiting {n} events since {}", super::minute(since)),
        (n, None) => format!("waiting {n} events"),
    };
    if !sink.running {
        out.push_str("; paused");
    }
    if let Some(error) = &sink.error {
        out.push_str(&format!("; last error: {error}"));
    }
    out
}

/// The list.
pub async fn list(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    shown(&app, &who, None, None).await
}

async fn shown(app: &App, who: &Who, refused: Option<Refused>, made: Option<(String, String)>) -> Result<Response, Problem> {
    let form = |kind: SinkKind| {
        let (title, purpose) = title(kind);
        let mut fields = fields(kind, None, who.scope.subscribers);
        typed(&mut fields, kind, refused.as_ref());
        Form { kind: kind.name(), title, purpose, guarantee: guarantee(kind), fields }
    };
    let shown = Integrations {
        sinks: all_sinks(app).await?,
        forms: SinkKind::ALL.into_iter().map(form).collect(),
        head: Head::new("Integrations", "/settings", Some(who)).again(refused),
        made,
        keep_days: umbilical_store::KEEP_DAYS,
    };
    Ok(page(shown.head.status(), &shown))
}

/// Makes a sink.
pub async fn add(State(app): State<App>, who: Who, Checked(sent): Checked<Vec<(String, String)>>) -> Result<Response, Problem> {
    let kind = sent.iter().find(|(n, _)| n == "kind").map_or("", |(_, v)| v.as_str()).to_owned();
    let made = match wanted(&kind, &sent, true) {
        Ok(wanted) => make_sink(&app, &who, wanted).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(made) => match made.key {
            Some(key) => shown(&app, &who, None, Some((made.id, key))).await,
            None => Ok(Redirect::to(&format!("/settings/integrations/{}", made.id)).into_response()),
        },
        Err(problem) => shown(&app, &who, Some(Refused::new(&kind, &sent, problem)?), None).await,
    }
}

#[derive(Template)]
#[template(path = "integration.html")]
struct Integration {
    head: Head,
    sink: SinkShown,
    title: &'static str,
    fields: Vec<Field>,
    undelivered: Vec<RefusedOf>,
    /// What a test said, and whether it was taken.
    tested: Option<(bool, String)>,
    key: Option<String>,
}

/// One of them.
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    single(&app, &who, &id, None, None, None).await
}

async fn single(
    app: &App,
    who: &Who,
    id: &str,
    refused: Option<Refused>,
    tested: Option<(bool, String)>,
    key: Option<String>,
) -> Result<Response, Problem> {
    let sink = named_sink(app, id).await?;
    let kind = SinkKind::from_name(sink.kind).ok_or_else(|| Problem::internal("a sink is of no kind"))?;
    let mut fields = fields(kind, Some(&sink), who.scope.subscribers);
    typed(&mut fields, kind, refused.as_ref());
    let shown = Integration {
        head: Head::new(sink.name.clone(), "/settings", Some(who)).again(refused),
        title: title(kind).0,
        fields,
        undelivered: refused_of(app, id).await?,
        sink,
        tested,
        key,
    };
    Ok(page(shown.head.status(), &shown))
}

/// Changes, tests, pauses, resumes or takes away one of them, or sends again what was refused.
pub async fn act(
    State(app): State<App>,
    who: Who,
    Path(id): Path<String>,
    Checked(sent): Checked<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let get = |name: &str| sent.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim());
    let here = || Ok(Redirect::to(&format!("/settings/integrations/{id}")).into_response());
    let sink = named_sink(&app, &id).await?;
    let as_it_is = |running: bool, new_key: bool| SinkWanted {
        name: sink.name.clone(),
        kind: sink.kind.to_owned(),
        settings: sink.settings.clone(),
        secret: None,
        new_key,
        filter: sink.filter.clone(),
        subscribers: sink.subscribers,
        running,
    };
    let outcome = match get("to") {
        "test" => {
            let tested = try_sink(&app, &who, &id).await?;
            return single(&app, &who, &id, None, Some((tested.taken, tested.said)), None).await;
        }
        "again" => {
            let seq = match get("seq") {
                "" => None,
                text => Some(text.parse().map_err(|_| Problem::invalid("an event has a number"))?),
            };
            send_again(&app, &who, &id, seq).await?;
            return here();
        }
        "remove" => {
            app.store().remove_sink(who.by(app.now()), &id).await?;
            return Ok(Redirect::to("/settings/integrations").into_response());
        }
        "pause" => alter_sink(&app, &who, &id, as_it_is(false, false)).await,
        "resume" => alter_sink(&app, &who, &id, as_it_is(true, false)).await,
        "key" => alter_sink(&app, &who, &id, as_it_is(sink.running, true)).await,
        "change" => match wanted(sink.kind, &sent, sink.running) {
            Ok(wanted) => alter_sink(&app, &who, &id, wanted).await,
            Err(problem) => Err(problem),
        },
        _ => return Err(Problem::invalid("an integration is changed, tested, paused, resumed or taken away")),
    };
    match outcome {
        Ok(made) if made.key.is_some() => single(&app, &who, &id, None, None, made.key).await,
        Ok(_) => here(),
        Err(problem) => {
            // Only what was typed is shown again: a button keeps its fields.
            let form = if get("to") == "change" { sink.kind } else { "" };
            single(&app, &who, &id, Some(Refused::new(form, &sent, problem)?), None, None).await
        }
    }
}
