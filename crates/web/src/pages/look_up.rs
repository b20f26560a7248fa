//! Look-up: what the knowledge base says of a text of any kind. People who are signed in see beside it what of it is in the fleet.
//! Where the program was told so, anybody may look up: that page asks the store nothing.

use std::io::Cursor;
use std::net::SocketAddr;

use askama::Template;
use axum::extract::{ConnectInfo, FromRequest as _, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use umbilical_assess::lookup::{Answer, label};
use umbilical_core::Day;
use umbilical_core::answer::Trace;
use umbilical_knowledge::Knowledge;
use umbilical_store::query::Query;

use super::fleet::{href, refined};
use super::frame::{Head, page};
use super::modules::{Number, slug};
use crate::app::App;
use crate::extract::{Params, stale};
use crate::guard::encoded;
use crate::who::Who;
use crate::{Problem, limits, secret};

/// Characters that are looked at.
const LONGEST: usize = 2_000;
/// Bytes of a picture.
pub const PICTURE: usize = 8 << 20;
/// Pixels along an edge of a picture.
const EDGE: u32 = 10_000;
/// Bytes that a picture may take when it is unpacked.
const UNPACKED: u64 = 160 << 20;
/// Codes of one picture.
const CODES: usize = 8;

/// What is known of one key, and what of it is here.
struct Shown {
    answer: Answer,
    /// Name and page of each module, for who may go there.
    modules: Vec<(String, String)>,
    /// What is counted, and how many.
    here: Vec<(String, Number)>,
}

#[derive(Template)]
#[template(path = "look-up.html")]
struct LookUp {
    head: Head,
    q: String,
    /// What went wrong with a picture.
    wrong: Option<String>,
    /// What stood in its codes.
    read: Vec<String>,
    answers: Vec<Shown>,
    /// Whether anything was asked.
    asked: bool,
    /// Whether somebody is signed in.
    inside: bool,
    as_of: String,
    sources_to: String,
    absent: Vec<String>,
}

impl LookUp {
    fn countries(&self, trace: &Trace) -> String {
        super::modules::countries(trace).join(", ")
    }
    fn lists(&self, trace: &Trace) -> String {
        super::modules::lists(trace).join(", ")
    }
}

/// What is asked for.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

/// Looks up.
pub async fn look_up(
    State(app): State<App>,
    who: Option<Who>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Params(asked): Params<Asked>,
) -> Result<Response, Problem> {
    if who.is_none() {
        app.limits().take(&format!("look-up from {}", from.ip()), limits::ADDRESS, app.now()).map_err(Problem::too_often)?;
    }
    shown(&app, who.as_ref(), asked.q, Vec::new(), None).await
}

async fn shown(app: &App, who: Option<&Who>, q: String, read: Vec<String>, wrong: Option<String>) -> Result<Response, Problem> {
    let (kb, today) = (app.knowledge(), app.today());
    let text = umbilical_core::text::short(&q, LONGEST).into_owned();
    let asked = !text.trim().is_empty();
    let found = if asked { answers(app, text).await? } else { Vec::new() };
    let mut answers = Vec::new();
    for answer in found {
        answers.push(match who {
            Some(who) => beside(app, who, answer).await?,
            None => Shown { answer, modules: Vec::new(), here: Vec::new() },
        });
    }
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page_of = LookUp {
        head: Head::new("Look-up", "/look-up", who),
        q,
        wrong,
        read,
        answers,
        asked,
        inside: who.is_some(),
        as_of: today.to_string(),
        sources_to: kb.sources_to().map(|d| d.to_string()).unwrap_or_default(),
        absent: umbilical_assess::trace::unread_lists(kb, today).iter().map(ToString::to_string).collect(),
    };
    Ok(page(status, &page_of))
}

/// A long label asks many tables many times: that is not for the thread that answers others.
async fn answers(app: &App, text: String) -> Result<Vec<Answer>, Problem> {
    let kb = std::sync::Arc::clone(app.knowledge());
    let day: Day = app.today();
    tokio::task::spawn_blocking(move || label(&kb, &text, day)).await.map_err(Problem::internal)
}

/// What of an answer stands in the devices that somebody sees.
async fn beside(app: &App, who: &Who, answer: Answer) -> Result<Shown, Problem> {
    let kb: &Knowledge = app.knowledge();
    let mut modules: Vec<(String, String)> = Vec::new();
    let mut asked: Vec<(String, String)> = Vec::new();
    for entry in &answer.entries {
        match entry.kind {
            "module" => {
                modules.push((entry.title.clone(), format!("/modules/{}", encoded(&slug(&entry.title)))));
                let known = entry.brand.as_deref().and_then(|b| entry.title.strip_prefix(b)).map(str::trim);
                if let Some(m) = known.and_then(|model| kb.module(entry.brand.as_deref()?, model)) {
                    asked.push((format!("model {}", m.model), refined("", "model", &m.model, false)));
                }
            }
            "tac" | "imei" => {
                let digits: String = answer.text.chars().filter(char::is_ascii_digit).take(8).collect();
                if digits.len() == 8 {
                    asked.push((format!("IMEI beginning with {digits}"), format!("imei:{digits}*")));
                }
            }
            _ => {}
        }
        if let Some(brand) = entry.brand.as_deref() {
            asked.push((format!("maker {brand}"), refined("", "maker", brand, false)));
        }
    }
    let words = refined("", "name", &answer.text, false);
    if !words.is_empty() {
        asked.push(("a name of a device".to_owned(), words));
    }
    let mut here: Vec<(String, Number)> = Vec::new();
    for (label, q) in asked {
        if here.len() >= 8 || here.iter().any(|(l, _)| *l == label) {
            continue;
        }
        let Ok(query) = Query::parse(&q) else { continue };
        let count = app.store().count_devices(&who.scope, &query).await?;
        here.push((label, Number { count, href: href("/fleet", &q, None) }));
    }
    Ok(Shown { answer, modules, here })
}

/// Reads the codes of a picture of a label and looks up what stands in them.
pub async fn picture(State(app): State<App>, who: Who, request: Request) -> Result<Response, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return Err(stale());
    }
    let mut parts = Multipart::from_request(request, &()).await.map_err(|e| Problem::new(e.status(), e.body_text()))?;
    let (mut proved, mut bytes) = (false, None);
    while let Some(field) = parts.next_field().await.map_err(|e| Problem::new(e.status(), e.body_text()))? {
        let file = field.file_name().is_some();
        let name = field.name().unwrap_or_default().to_owned();
        let content = field.bytes().await.map_err(|e| Problem::new(e.status(), e.body_text()))?;
        match (file, name.as_str()) {
            (false, "csrf") => proved |= secret::same(&String::from_utf8_lossy(&content), who.csrf()),
            (true, _) if proved && !content.is_empty() => bytes = Some(content),
            _ => {}
        }
    }
    if !proved {
        return Err(stale());
    }
    let Some(bytes) = bytes else {
        return shown(&app, Some(&who), String::new(), Vec::new(), Some("no picture was chosen".to_owned())).await;
    };
    // A decoder of foreign bytes: a panic in it costs this answer alone.
    let codes = tokio::task::spawn_blocking(move || codes(&bytes)).await;
    match codes.unwrap_or_else(|_| Err("the picture cannot be read".to_owned())) {
        Ok(texts) => {
            let q = texts.join("\n");
            shown(&app, Some(&who), q, texts, None).await
        }
        Err(what) => shown(&app, Some(&who), String::new(), Vec::new(), Some(what)).await,
    }
}

/// The texts in the codes of a picture (PNG or JPEG).
fn codes(bytes: &[u8]) -> Result<Vec<String>, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("the picture cannot be read as PNG or JPEG: {e}");
    let mut reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| wrong(&e))?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(EDGE), Some(EDGE), Some(UNPACKED));
    reader.limits(limits);
    let grey = reader.decode().map_err(|e| wrong(&e))?.to_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let pixels = grey.into_raw();
    let at = |x: usize, y: usize| y.checked_mul(width).and_then(|row| pixels.get(row.saturating_add(x))).copied().unwrap_or(255);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, at);
    let texts = prepared.detect_grids().into_iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text);
    let texts: Vec<String> = texts.take(CODES).collect();
    if texts.is_empty() {
        Err("no code was found in the picture: take it from straight above, in good light".to_owned())
    } else {
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_said_to_be_none() {
        for bytes in [&b""[..], b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"] {
            assert!(codes(bytes).is_err_and(|e| e.contains("cannot be read")), "{bytes:?}");
        }
    }

    #[test]
    fn a_code_is_read_and_a_picture_without_one_says_so() {
        let text = "FCC ID: XMR201909EC25AFX";
        let code = qrcode::QrCode::new(text).unwrap();
        let side = code.width() as u32;
        let dark: Vec<bool> = code.into_colors().into_iter().map(|c| c == qrcode::Color::Dark).collect();
        let drawn = image::GrayImage::from_fn((side + 8) * 6, (side + 8) * 6, |x, y| {
            let (x, y) = ((x / 6).wrapping_sub(4), (y / 6).wrapping_sub(4));
            let on = x < side && y < side && dark[(y * side + x) as usize];
            image::Luma([if on { 0 } else { 255 }])
        });
        let mut png = Cursor::new(Vec::new());
        drawn.write_to(&mut png, image::ImageFormat::Png).unwrap();
        assert_eq!(codes(png.get_ref()).unwrap(), [text]);
        let mut empty = Cursor::new(Vec::new());
        image::GrayImage::new(64, 64).write_to(&mut empty, image::ImageFormat::Png).unwrap();
        assert!(codes(empty.get_ref()).unwrap_err().contains("no code"));
    }
}
