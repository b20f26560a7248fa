//! What is done by itself: decisions end on their day, evidence goes when it is too old, and the fleet is answered anew when the
//! day turns, because owners, lists and law are asked as of a day.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use umbilical_core::Day;
use umbilical_store::{Retention, Scope, lake};
use utoipa::ToSchema;

use crate::Problem;
use crate::app::App;
use crate::backups;

/// The setting.
pub const SETTING: &str = "keeping";
/// How often it is looked whether something is due.
const EACH: Duration = Duration::from_secs(60);

/// How long evidence is kept, in days since it came in, and how long traffic; `null` for ever.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Keeping {
    /// The bytes of artefacts.
    #[serde(default)]
    pub bytes: Option<u32>,
    /// What was read from them: what rests on them alone is gone from the next answer on.
    #[serde(default)]
    pub observations: Option<u32>,
    /// What was watched, by its last packet: conversations in the lake, sessions, findings.
    #[serde(default)]
    pub traffic: Option<u32>,
}

impl Keeping {
    /// Refuses what nobody means: no day at all would take everything away within a minute.
    pub fn check(self) -> Result<Self, Problem> {
        let all = [("bytes", self.bytes), ("observations", self.observations), ("traffic", self.traffic)];
        let none = all.into_iter().find(|(_, days)| *days == Some(0));
        match none {
            Some((field, _)) => Err(Problem::at(field, "it is kept for a day at least; nothing is for ever")),
            None => Ok(self),
        }
    }
}

/// The policy as it is set.
pub async fn policy(app: &App) -> Result<Keeping, Problem> {
    let value = app.store().setting(SETTING).await?.filter(|v| !v.is_null());
    Ok(value.map(serde_json::from_value).transpose().map_err(Problem::internal)?.unwrap_or_default())
}

/// Does what is due.
pub async fn tidy(app: &App) -> Result<(), Problem> {
    app.staged().sweep(app.now());
    let ended = app.store().end_expired(app.by_itself()).await?;
    app.store().tidy_incidents(app.by_itself()).await?;
    for lost in app.store().expire_outbox(app.by_itself()).await? {
        tracing::warn!(sink = lost.name, events = lost.events, "events expired undelivered");
    }
    let policy = policy(app).await?;
    let mut gone = 0;
    if policy != Keeping::default() {
        let retention = Retention { bytes: policy.bytes, observations: policy.observations };
        let retained = app.store().retain(app.by_itself(), retention).await?;
        gone = retained.observations;
    }
    if let Some(days) = policy.traffic {
        let from = app.now().days_before(days);
        app.store().retain_traces(app.by_itself(), from).await?;
        let home = app.config().home.clone();
        if let Some(day) = Day::from_unix(from.0.div_euclid(1000)) {
            let gone = tokio::task::spawn_blocking(move || lake::retain(&home, day)).await.map_err(Problem::internal)?;
            gone.map_err(Problem::internal)?;
        }
    }
    let last = app.store().answers(&Scope::ALL, 1).await?.into_iter().next();
    let older = last.is_some_and(|a| a.as_of != app.today().to_string());
    // Another program brought evidence: `umbilical audit` on this home.
    let behind = app.pipeline().is_idle() && app.store().behind().await?;
    if ended > 0 || gone > 0 || older || behind {
        tracing::info!(ended, gone, older, behind, "housekeeping");
    }
    if gone > 0 || older || behind {
        app.pipeline().anew();
    }
    Ok(())
}

/// Whether the answer that stands was made by other law than this server asks.
async fn other_law(app: &App) -> Result<bool, Problem> {
    let Some((_, answer)) = app.store().answer(&Scope::ALL).await? else { return Ok(false) };
    let Some(judge) = app.config().judge.clone() else { return Ok(answer.law.is_some()) };
    let today = app.today();
    let asked = move || {
        let mut stamp = None;
        judge(today, &mut |law| stamp = law.stamp).map(|()| stamp)
    };
    let stamp = tokio::task::spawn_blocking(asked).await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    Ok(stamp != answer.law)
}

/// Makes a backup where one is due.
pub async fn backup(app: &App) -> Result<(), Problem> {
    backups::due(app).await
}

/// For as long as the program runs.
pub async fn run(app: App) {
    match other_law(&app).await {
        Ok(true) => app.pipeline().anew(),
        Ok(false) => {}
        Err(problem) => tracing::error!(detail = problem.detail, "the law of the last answer could not be compared"),
    }
    loop {
        if let Err(problem) = tidy(&app).await {
            tracing::error!(detail = problem.detail, "housekeeping failed");
        }
        if let Err(problem) = backup(&app).await {
            tracing::error!(detail = problem.detail, "the backup that is due failed");
        }
        tokio::time::sleep(EACH).await;
    }
}
