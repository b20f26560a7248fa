//! Links that work once: whoever opens one chooses the password of a person.

use serde::{Deserialize, Serialize};
use serde_json::json;
use umbilical_store::{By, Person, Time};

use crate::app::App;
use crate::{Problem, secret};

/// How long a link is good: a week.
const LASTS: i64 = 7 * 86_400_000;

#[derive(Serialize, Deserialize)]
struct Kept {
    sha256: String,
    until: Time,
}

/// One link for each person: a newer one takes the older one's place.
fn setting(id: &str) -> String {
    format!("link.{id}")
}

/// A new link for a person, as a path.
pub async fn make(app: &App, by: By<'_>, id: &str) -> Result<String, Problem> {
    let word = secret::random()?;
    let kept = Kept { sha256: secret::digest(&word), until: Time(app.now().0.saturating_add(LASTS)) };
    app.store().set_setting(by, &setting(id), &serde_json::to_value(&kept).map_err(Problem::internal)?, true).await?;
    Ok(format!("/welcome/{id}/{word}"))
}

/// The person of a link, while it is good.
pub async fn person(app: &App, id: &str, word: &str) -> Result<Person, Problem> {
    let gone = || Problem::missing("this link was used, has expired or never was: ask for a new one");
    let value = app.store().setting(&setting(id)).await?.ok_or_else(gone)?;
    let kept: Kept = serde_json::from_value(value).map_err(|_| gone())?;
    if !secret::same(&secret::digest(word), &kept.sha256) || kept.until <= app.now() {
        return Err(gone());
    }
    let person = app.store().person(id).await?;
    if person.disabled { Err(gone()) } else { Ok(person) }
}

/// Ends a link.
pub async fn used(app: &App, person: &Person) -> Result<(), Problem> {
    Ok(app.store().set_setting(By { who: &person.login, at: app.now() }, &setting(&person.id()), &json!(null), true).await?)
}
