//! Evidence: the list, one artefact, its bytes, and how it comes in.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use umbilical_store::Evidence;
use utoipa::{IntoParams, ToSchema};

use crate::Problem;
use crate::api::json;
use crate::app::App;
use crate::extract::{Params, stale};
use crate::ingest::{self, Folder};
use crate::record::{FileProblem, Taken, Upload};
use crate::secret;
use crate::who::Who;

/// Files of one upload.
const MOST_FILES: usize = 1000;
/// Text fields of a form.
const FIELD: usize = 4096;
/// How many of them are looked at.
const MOST_FIELDS: usize = 16;

/// An artefact.
#[derive(Serialize, ToSchema)]
pub struct EvidenceOf {
    /// `evd-…`
    pub id: String,
    /// SHA-256.
    pub sha256: String,
    /// Name as it came.
    pub name: String,
    /// What the readers took it for.
    pub format: String,
    /// Length.
    pub bytes: u64,
    /// When it was collected, as far as anybody said.
    pub collected_at: Option<String>,
    /// By whom.
    pub collected_by: Option<String>,
    /// When it came in.
    pub received_at: String,
    /// Who brought it.
    pub received_by: String,
    /// Whether its bytes are kept.
    pub kept: bool,
    /// What retention has taken away since.
    pub dropped: Vec<String>,
    /// Digest over this row of the chain of custody and the row before.
    pub chain: String,
}

impl From<Evidence> for EvidenceOf {
    fn from(e: Evidence) -> Self {
        Self {
            kept: e.kept && !e.dropped.iter().any(|d| d == "bytes"),
            id: e.id,
            sha256: e.sha256,
            name: e.name,
            format: e.format,
            bytes: e.bytes,
            collected_at: e.collected_at.map(|t| t.to_string()),
            collected_by: e.collected_by,
            received_at: e.received_at.to_string(),
            received_by: e.received_by,
            dropped: e.dropped,
            chain: e.chain,
        }
    }
}

/// Which part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EvidenceParams {
    /// The id of the last artefact of the page before.
    after: Option<String>,
    /// Rows of a page, 1 to 1000; 50 where nothing is said.
    #[serde(default)]
    limit: u32,
}

/// A page of artefacts.
#[derive(Serialize, ToSchema)]
pub struct EvidenceList {
    /// The newest first.
    evidence: Vec<EvidenceOf>,
    /// What `after` of the next page is; `null` on the last.
    next: Option<String>,
}

/// Artefacts, the newest first
#[utoipa::path(get, path = "/api/v1/evidence", tag = "evidence", params(EvidenceParams), responses((status = 200, body = EvidenceList)))]
pub async fn list(State(app): State<App>, who: Who, Params(params): Params<EvidenceParams>) -> Result<Response, Problem> {
    let limit = if params.limit == 0 { 50 } else { params.limit.min(1000) };
    let rows = app.store().evidence(&who.scope, params.after.as_deref(), limit).await?;
    let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|e| e.id.clone());
    let body = EvidenceList { evidence: rows.into_iter().map(Into::into).collect(), next };
    let mut response = json(&body);
    if let Some(next) = &body.next
        && let Ok(link) = HeaderValue::try_from(format!("</api/v1/evidence?limit={limit}&after={next}>; rel=\"next\""))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// An artefact with what its readers could not understand.
#[derive(Serialize, ToSchema)]
pub struct EvidenceWhole {
    /// The artefact.
    #[serde(flatten)]
    evidence: EvidenceOf,
    /// What could not be understood.
    problems: Vec<FileProblem>,
}

/// An artefact: its chain of custody, and what its readers could not understand
#[utoipa::path(get, path = "/api/v1/evidence/{id}", tag = "evidence", params(("id" = String, Path, description = "`evd-…`")), responses((status = 200, body = EvidenceWhole)))]
pub async fn one(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let evidence = app.store().evidence_by_id(&who.scope, &id).await?;
    // A problem may quote a row of a device elsewhere.
    let problems = if who.sees_all() { app.store().problems(&who.scope, &id).await? } else { Vec::new() };
    let problems = problems.into_iter().map(|p| FileProblem { path: p.path, at: p.at, what: p.what }).collect();
    Ok(json(&EvidenceWhole { evidence: evidence.into(), problems }))
}

/// The bytes of an artefact, as they came. Needs all sites and the right to see subscriber numbers: nothing is masked in them
#[utoipa::path(get, path = "/api/v1/evidence/{id}/content", tag = "evidence", params(("id" = String, Path, description = "`evd-…`")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
pub async fn content(State(app): State<App>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let evidence = app.store().evidence_by_id(&who.scope, &id).await?;
    // The first piece is asked for at once, so that what is not kept is an answer and no torn stream.
    let first = app.store().content(&who.scope, &id, 0).await?;
    app.store().audit(who.by(app.now()), "evidence.content", &id, &serde_json::json!({})).await?;
    let source = (app.store().clone(), who.scope.clone());
    let rest = stream::unfold((source, id.clone(), first, 0u64), |(source, id, now, n)| async move {
        let bytes = now?;
        let n = n.saturating_add(1);
        let (next, item) = match source.0.content(&source.1, &id, n).await {
            Ok(next) => (next, Ok(Bytes::from(bytes))),
            Err(error) => (None, Err(std::io::Error::other(error))),
        };
        Some((item, (source, id, next, n)))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_LENGTH, evidence.bytes.into()),
        // The name is from outside: the id is ours.
        (header::CONTENT_DISPOSITION, HeaderValue::try_from(format!("attachment; filename=\"{id}.bin\"")).map_err(Problem::internal)?),
    ];
    Ok((headers, Body::from_stream(rest)).into_response())
}

/// What an upload is called.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadParams {
    /// The file's name, where the body is the file itself.
    name: Option<String>,
}

/// An import under way.
#[derive(Serialize, ToSchema)]
pub struct Accepted {
    /// Its job: `GET /api/v1/jobs/{n}` says when the fleet is answered anew.
    job: i64,
    /// The files, kept when this is answered.
    files: Vec<Taken>,
}

/// Brings evidence in: one file as the body, or several as `multipart/form-data`
#[utoipa::path(post, path = "/api/v1/evidence", tag = "evidence", params(UploadParams),
    request_body(content(("application/octet-stream"), ("multipart/form-data"))), responses((status = 202, body = Accepted)))]
pub async fn upload(State(app): State<App>, who: Who, Params(params): Params<UploadParams>, request: Request) -> Result<Response, Problem> {
    let Received { job, files } = receive(&app, &who, params.name.as_deref(), request, false).await?;
    let mut response = (StatusCode::ACCEPTED, json(&Accepted { job, files })).into_response();
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/jobs/{job}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// What came in.
pub struct Received {
    /// The job.
    pub job: i64,
    /// The files.
    pub files: Vec<Taken>,
}

/// Files that lie under the home.
pub struct Arrived {
    /// Dropping it takes them away.
    pub folder: Folder,
    /// The files.
    pub uploads: Vec<Upload>,
    /// Names of the fields that stood beside them in the form.
    pub fields: Vec<String>,
}

/// Takes a body to disk. With `form` the first field must be the session's word.
pub async fn arrive(app: &App, who: &Who, name: Option<&str>, request: Request, form: bool) -> Result<Arrived, Problem> {
    let folder = Folder::new(&app.config().home).await?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let limit = app.config().upload_limit;
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|n| n > limit.saturating_add(1 << 20)) {
        return Err(too_large(limit));
    }
    let mut left = limit;
    let mut fields = Vec::new();
    let uploads = if kind.starts_with("multipart/form-data") {
        multipart(who, request, &folder, &mut left, limit, form, &mut fields).await?
    } else if form {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "files come as multipart/form-data"));
    } else {
        let name = name.unwrap_or("upload");
        let upload = folder.place(0, name).await?;
        let stream = request.into_body().into_data_stream().map(|b| b.map_err(|e| broken(&e)));
        save(stream, &upload.path, &mut left, limit).await?;
        vec![upload]
    };
    if uploads.is_empty() {
        return Err(Problem::invalid("there is no file in the upload"));
    }
    Ok(Arrived { folder, uploads, fields })
}

/// Takes a body to disk, reads it, keeps it.
pub async fn receive(app: &App, who: &Who, name: Option<&str>, request: Request, form: bool) -> Result<Received, Problem> {
    let arrived = arrive(app, who, name, request, form).await?;
    keep(app, who, arrived.uploads.into_iter().map(|u| (u, None)).collect()).await
}

/// Reads files and keeps them, as one job.
pub async fn keep(app: &App, who: &Who, files: ingest::Mapped) -> Result<Received, Problem> {
    let by = who.by(app.now());
    let names: Vec<&str> = files.iter().map(|(u, _)| u.name.as_str()).collect();
    let job = app.store().begin_job(by, "import", &serde_json::json!({ "names": names })).await?;
    match ingest::take(app, by, job, files).await {
        Ok(files) => Ok(Received { job, files }),
        Err(problem) => {
            app.store().set_job(job, "failed", &serde_json::json!({"failed": problem.detail}), app.now()).await?;
            Err(problem)
        }
    }
}

async fn multipart(
    who: &Who,
    request: Request,
    folder: &Folder,
    left: &mut u64,
    limit: u64,
    form: bool,
    fields: &mut Vec<String>,
) -> Result<Vec<Upload>, Problem> {
    let mut parts = Multipart::from_request(request, &()).await.map_err(|e| Problem::new(e.status(), e.body_text()))?;
    let mut uploads = Vec::new();
    let mut proved = !form;
    while let Some(mut field) = parts.next_field().await.map_err(|e| broken(&e))? {
        let Some(name) = field.file_name().map(str::to_owned) else {
            let mut text = Vec::new();
            while let Some(chunk) = field.chunk().await.map_err(|e| broken(&e))? {
                text.extend_from_slice(&chunk);
                if text.len() > FIELD {
                    return Err(Problem::invalid("a field of the form is too long"));
                }
            }
            match field.name() {
                Some("csrf") => proved |= secret::same(&String::from_utf8_lossy(&text), who.csrf()),
                Some(name) if fields.len() < MOST_FIELDS => fields.push(name.to_owned()),
                _ => {}
            }
            continue;
        };
        if !proved {
            return Err(stale());
        }
        if uploads.len() >= MOST_FILES {
            return Err(Problem::invalid(format!("at most {MOST_FILES} files at once: put them into an archive")));
        }
        let upload = folder.place(uploads.len(), &name).await?;
        let stream = stream::unfold(field, |mut field| async move {
            match field.chunk().await {
                Ok(Some(bytes)) => Some((Ok(bytes), field)),
                Ok(None) => None,
                Err(e) => Some((Err(broken(&e)), field)),
            }
        });
        let written = save(stream, &upload.path, left, limit).await?;
        // A form without a chosen file sends an empty one without a name.
        if !(name.is_empty() && written == 0) {
            uploads.push(upload);
        }
    }
    if proved { Ok(uploads) } else { Err(stale()) }
}

/// Writes a stream to a file, counting down what is left of the limit.
async fn save(
    stream: impl Stream<Item = Result<Bytes, Problem>>,
    path: &std::path::Path,
    left: &mut u64,
    limit: u64,
) -> Result<u64, Problem> {
    let mut file = tokio::fs::File::create(path).await.map_err(|e| ingest::no_room(&e))?;
    let mut written = 0u64;
    let mut stream = std::pin::pin!(stream);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        let size = chunk.len() as u64;
        *left = left.checked_sub(size).ok_or_else(|| too_large(limit))?;
        file.write_all(&chunk).await.map_err(|e| ingest::no_room(&e))?;
        written = written.saturating_add(size);
    }
    file.flush().await.map_err(|e| ingest::no_room(&e))?;
    Ok(written)
}

fn too_large(limit: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("an upload is at most {limit} bytes; `umbilical serve --upload-limit` says how many"),
    )
}

fn broken(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the upload broke off or is not as it says: {error}"))
}
