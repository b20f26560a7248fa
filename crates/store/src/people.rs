//! Who may come in, and with what: people, their sessions, and tokens of programs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use umbilical_core::id::{content_id, hex};

use crate::audit::append;
use crate::db::{Row, Sql, Tx, sql};
use crate::error::not_found;
use crate::{By, Sites, Store, StoreError, Time, pack};

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Triages, notes, tags.
    Analyst,
    /// Imports evidence, learns and plans containment.
    Engineer,
    /// Approves what others prepared.
    Approver,
    /// Adds people, tokens, settings.
    Admin,
    /// Sees everything, the audit log among it, and changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [Self::Viewer, Self::Analyst, Self::Engineer, Self::Approver, Self::Admin, Self::Auditor];

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Engineer => "engineer",
            Self::Approver => "approver",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// The role of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name() == name)
    }
}

/// A person. What proves who it is was made by the caller: the store compares nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// What is typed to sign in; it never changes, and upper and lower case are one.
    pub login: String,
    /// Shown.
    pub name: String,
    /// Mail address.
    pub email: Option<String>,
    /// A password hash in PHC form (argon2id); `None` for who signs in elsewhere.
    pub password: Option<String>,
    /// The secret of one-time passwords.
    pub totp: Option<String>,
    /// Issuer and subject at an OpenID provider.
    pub identity: Option<(String, String)>,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// Which sites it may see.
    pub sites: Sites,
    /// Whether it may see subscriber numbers.
    pub subscribers: bool,
    /// Whether it is shut out.
    pub disabled: bool,
    /// Since when it is known.
    pub created: Time,
}

/// No secret is printed by accident.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("login", &self.login).field("roles", &self.roles).field("sites", &self.sites).finish_non_exhaustive()
    }
}

impl Person {
    /// `usr-` and the first 12 hex digits of the digest of its login.
    pub fn id(&self) -> String {
        content_id("usr-", "login", &self.login.to_lowercase())
    }

    /// What it sees.
    pub fn scope(&self) -> crate::Scope {
        crate::Scope { sites: self.sites.clone(), subscribers: self.subscribers }
    }
}

/// A session of a signed-in person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub person: Person,
    /// Its id.
    pub id: String,
    /// When it began.
    pub created: Time,
    /// When it ends at the latest.
    pub expires: Time,
    /// When it was last used before, to the minute: the caller ends sessions that were idle for too long.
    pub seen: Time,
    /// What the caller keeps in it.
    pub data: String,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenClass {
    /// What its scopes say.
    Full,
    /// Reads exports and nothing else.
    ExportOnly,
}

impl TokenClass {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ExportOnly => "export-only",
        }
    }
}

/// A token of a program, on behalf of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// `tok-…`
    pub id: String,
    /// What it is for, in words.
    pub name: String,
    /// The person's id.
    pub person: String,
    /// Its class.
    pub class: TokenClass,
    /// What it may do, in the caller's words.
    pub scopes: BTreeSet<String>,
    /// Which sites it may see, within those of its person.
    pub sites: Sites,
    /// Since when.
    pub created: Time,
    /// Until when; `None` for ever.
    pub expires: Option<Time>,
    /// When it was last used, to the minute.
    pub used: Option<Time>,
    /// Since when it is no longer taken.
    pub revoked: Option<Time>,
}

/// What a secret is stored as.
fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

const MINUTE: i64 = 60_000;
const PERSON: &str =
    "p.id, p.login, p.name, p.email, p.password, p.totp, p.issuer, p.subject, p.roles, p.sites, p.subscribers, p.disabled, p.created";

fn sites_text(sites: &Sites) -> Result<Option<String>, StoreError> {
    match sites {
        Sites::All => Ok(None),
        Sites::Only(list) => Ok(Some(String::from_utf8_lossy(&pack::json(list)?).into_owned())),
    }
}

fn sites(text: Option<&str>) -> Result<Sites, StoreError> {
    text.map_or(Ok(Sites::All), |t| pack::parse(t.as_bytes()).map(Sites::Only))
}

fn person(row: &Row, at: usize) -> Result<Person, StoreError> {
    let col = |n: usize| at.saturating_add(n);
    let role = |word: &str| Role::from_name(word).ok_or_else(|| StoreError::damaged(format!("`{word}` is no role")));
    Ok(Person {
        login: row.owned(col(1))?,
        name: row.owned(col(2))?,
        email: row.opt_owned(col(3))?,
        password: row.opt_owned(col(4))?,
        totp: row.opt_owned(col(5))?,
        identity: row.opt_owned(col(6))?.zip(row.opt_owned(col(7))?),
        roles: row.text(col(8))?.split_ascii_whitespace().map(role).collect::<Result<_, _>>()?,
        sites: sites(row.opt_text(col(9))?)?,
        subscribers: row.int(col(10))? != 0,
        disabled: row.int(col(11))? != 0,
        created: row.time(col(12))?,
    })
}

impl Store {
    /// Adds a person; a login or identity that is there already is refused.
    pub async fn add_person(&self, by: By<'_>, new: &Person) -> Result<String, StoreError> {
        let login = new.login.trim();
        if login.is_empty() || login.len() > 200 || login.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(StoreError::field("login", "a login is 1 to 200 bytes without blanks"));
        }
        let mut tx = self.db().write().await?;
        let id = new.id();
        if tx.first(sql!("SELECT id FROM person WHERE id = $1", &id)).await?.is_some() {
            return Err(StoreError::Conflict(format!("there is a person `{login}` already")));
        }
        free_identity(&mut tx, &id, new).await?;
        let insert = "INSERT INTO person (id, login, name, email, password, totp, issuer, subject, roles, sites, subscribers, disabled, created) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let (issuer, subject) = new.identity.clone().unzip();
        let values = sql!(
            insert,
            &id,
            login.to_lowercase(),
            &new.name,
            new.email.as_deref(),
            new.password.as_deref(),
            new.totp.as_deref(),
            issuer,
            subject,
            roles_text(&new.roles),
            sites_text(&new.sites)?,
            new.subscribers,
            new.disabled,
            by.at
        );
        tx.run(values).await?;
        let head = append(&mut tx, by, "person.add", &id, &shown(new)).await?;
        self.commit(tx, &head).await?;
        Ok(id)
    }

    /// Changes a person, found by its login. Somebody must stay who can administer; who is shut out, or has another password,
    /// is signed out everywhere.
    pub async fn update_person(&self, by: By<'_>, new: &Person) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        let id = new.id();
        let row = tx.first(sql!(&format!("SELECT {PERSON} FROM person p WHERE p.id = $1"), &id)).await?;
        let old = person(&row.ok_or_else(|| not_found("person", &new.login))?, 0)?;
        free_identity(&mut tx, &id, new).await?;
        let (issuer, subject) = new.identity.clone().unzip();
        let update = "UPDATE person SET name = $2, email = $3, password = $4, totp = $5, issuer = $6, subject = $7, roles = $8, sites = $9, \
                      subscribers = $10, disabled = $11 WHERE id = $1";
        let values = sql!(
            update,
            &id,
            &new.name,
            new.email.as_deref(),
            new.password.as_deref(),
            new.totp.as_deref(),
            issuer,
            subject,
            roles_text(&new.roles),
            sites_text(&new.sites)?,
            new.subscribers,
            new.disabled
        );
        tx.run(values).await?;
        // Who sees some sites looks after nobody, and who has no way to sign in yet may never have one.
        let whole = "SELECT COUNT(*) FROM person WHERE disabled = 0 AND sites IS NULL AND (password IS NOT NULL OR issuer IS NOT NULL) \
                     AND ' ' || roles || ' ' LIKE '% admin %'";
        let admins = tx.number(sql!(whole)).await?;
        let was = old.roles.contains(&Role::Admin) && old.sites == Sites::All && !old.disabled;
        if admins == 0 && was && (old.password.is_some() || old.identity.is_some()) {
            return Err(StoreError::Conflict("nobody would be left who can administer".into()));
        }
        if new.disabled || new.password != old.password || new.totp != old.totp {
            tx.run(sql!("DELETE FROM session WHERE person = $1", &id)).await?;
        }
        let mut detail = shown(new);
        if let Some(map) = detail.as_object_mut() {
            map.insert("before".into(), shown(&old));
            map.insert("new_password".into(), (new.password != old.password).into());
        }
        let head = append(&mut tx, by, "person.change", &id, &detail).await?;
        self.commit(tx, &head).await
    }

    /// A person by its id.
    pub async fn person(&self, id: &str) -> Result<Person, StoreError> {
        self.one_person(sql!(&format!("SELECT {PERSON} FROM person p WHERE p.id = $1"), id), id).await
    }

    /// A person by its login.
    pub async fn person_by_login(&self, login: &str) -> Result<Person, StoreError> {
        self.one_person(sql!(&format!("SELECT {PERSON} FROM person p WHERE p.login = $1"), login.trim().to_lowercase()), login).await
    }

    /// A person by issuer and subject of an OpenID provider.
    pub async fn person_by_identity(&self, issuer: &str, subject: &str) -> Result<Person, StoreError> {
        self.one_person(sql!(&format!("SELECT {PERSON} FROM person p WHERE p.issuer = $1 AND p.subject = $2"), issuer, subject), subject)
            .await
    }

    async fn one_person(&self, ask: Sql, id: &str) -> Result<Person, StoreError> {
        let row = self.db().read().await?.first(ask).await?;
        person(&row.ok_or_else(|| not_found("person", id))?, 0)
    }

    /// Everybody, by login.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        let mut tx = self.db().read().await?;
        tx.fetch(Sql::new(&format!("SELECT {PERSON} FROM person p ORDER BY p.login"))).await?.iter().map(|row| person(row, 0)).collect()
    }

    /// Begins a session with a secret that only its holder knows.
    pub async fn begin_session(&self, by: By<'_>, person: &Person, secret: &str, expires: Time, data: &str) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        tx.run(sql!("DELETE FROM session WHERE expires <= $1", by.at)).await?;
        let insert = "INSERT INTO session (sha256, person, created, expires, seen, data) VALUES ($1, $2, $3, $4, $3, $5)";
        tx.run(sql!(insert, digest(secret), person.id(), by.at, expires, data)).await?;
        let head = append(&mut tx, by, "session.begin", &person.id(), &json!({})).await?;
        self.commit(tx, &head).await
    }

    /// The session of a secret, if it lasts and its person is not shut out. That it was `used` is kept to the minute; a page that
    /// asks by itself uses nothing.
    pub async fn session(&self, secret: &str, now: Time, used: bool) -> Result<Option<Session>, StoreError> {
        let digest = digest(secret);
        let mut tx = self.db().read().await?;
        let ask = format!(
            "SELECT {PERSON}, s.created, s.expires, s.seen, s.data FROM session s JOIN person p ON p.id = s.person \
             WHERE s.sha256 = $1 AND s.expires > $2 AND p.disabled = 0"
        );
        let Some(row) = tx.first(sql!(&ask, &digest, now)).await? else { return Ok(None) };
        drop(tx);
        let id = digest.get(..12).unwrap_or_default().to_owned();
        let session = Session {
            person: person(&row, 0)?,
            id,
            created: row.time(13)?,
            expires: row.time(14)?,
            seen: row.time(15)?,
            data: row.owned(16)?,
        };
        let unwritten = now.0.saturating_sub(session.seen.0);
        if used && unwritten >= MINUTE {
            // Nobody waits for an import to have it written that he is here, or not for long.
            let tx = if unwritten < 10 * MINUTE {
                self.db().spare().await?
            } else {
                tokio::time::timeout(Duration::from_secs(1), self.db().write()).await.ok().transpose()?
            };
            if let Some(mut tx) = tx {
                tx.run(sql!("UPDATE session SET seen = $2 WHERE sha256 = $1", &digest, now)).await?;
                tx.commit().await?;
            }
        }
        Ok(Some(session))
    }

    /// Keeps something else in a session.
    pub async fn set_session_data(&self, secret: &str, data: &str) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        tx.run(sql!("UPDATE session SET data = $2 WHERE sha256 = $1", digest(secret), data)).await?;
        tx.commit().await
    }

    /// Ends a session.
    pub async fn end_session(&self, by: By<'_>, secret: &str) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        if tx.run(sql!("DELETE FROM session WHERE sha256 = $1", digest(secret))).await? == 0 {
            return Ok(());
        }
        let head = append(&mut tx, by, "session.end", "", &json!({})).await?;
        self.commit(tx, &head).await
    }

    /// The sessions of a person that last, the newest first: id, beginning, end at the latest, last use to the minute.
    pub async fn sessions(&self, person: &str, now: Time) -> Result<Vec<(String, Time, Time, Time)>, StoreError> {
        let mut tx = self.db().read().await?;
        let ask = "SELECT sha256, created, expires, seen FROM session WHERE person = $1 AND expires > $2 ORDER BY created DESC, sha256";
        let rows = tx.fetch(sql!(ask, person, now)).await?;
        let id = |digest: &str| digest.get(..12).unwrap_or_default().to_owned();
        rows.iter().map(|row| Ok((id(row.text(0)?), row.time(1)?, row.time(2)?, row.time(3)?))).collect()
    }

    /// Ends the session of a person that has this id.
    pub async fn end_session_by_id(&self, by: By<'_>, person: &str, id: &str) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        let delete = "DELETE FROM session WHERE person = $1 AND SUBSTR(sha256, 1, 12) = $2";
        if tx.run(sql!(delete, person, id)).await? == 0 {
            return Err(not_found("session", id));
        }
        let head = append(&mut tx, by, "session.end", person, &json!({"session": id})).await?;
        self.commit(tx, &head).await
    }

    /// Adds a token; its secret is shown by the caller once and not kept here.
    pub async fn add_token(&self, by: By<'_>, new: &Token, secret: &str) -> Result<String, StoreError> {
        let mut tx = self.db().write().await?;
        if tx.first(sql!("SELECT id FROM person WHERE id = $1", &new.person)).await?.is_none() {
            return Err(not_found("person", &new.person));
        }
        let sha256 = digest(secret);
        let id = format!("tok-{}", sha256.get(..12).unwrap_or_default());
        let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
        if scopes.iter().any(|s| s.is_empty() || s.contains(char::is_whitespace)) {
            return Err(StoreError::Invalid("a scope is a word".into()));
        }
        let insert = "INSERT INTO token (id, sha256, name, person, class, scopes, sites, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let sites = sites_text(&new.sites)?;
        tx.run(sql!(insert, &id, sha256, &new.name, &new.person, new.class.name(), scopes.join(" "), sites, by.at, new.expires)).await?;
        let detail = json!({"name": new.name, "person": new.person, "class": new.class.name(), "scopes": scopes, "expires": new.expires});
        let head = append(&mut tx, by, "token.add", &id, &detail).await?;
        self.commit(tx, &head).await?;
        Ok(id)
    }

    /// The token of a secret with its person, if it holds and the person is not shut out. That it was used is kept to the
    /// minute.
    pub async fn token(&self, secret: &str, now: Time) -> Result<Option<(Token, Person)>, StoreError> {
        let mut tx = self.db().read().await?;
        let ask = format!(
            "SELECT {TOKEN}, {PERSON} FROM token t JOIN person p ON p.id = t.person \
             WHERE t.sha256 = $1 AND t.revoked IS NULL AND (t.expires IS NULL OR t.expires > $2) AND p.disabled = 0"
        );
        let Some(row) = tx.first(sql!(&ask, digest(secret), now)).await? else { return Ok(None) };
        drop(tx);
        let mut found = token(&row)?;
        if found.used.is_none_or(|used| now.0.saturating_sub(used.0) >= MINUTE)
            && let Some(mut tx) = self.db().spare().await?
        {
            tx.run(sql!("UPDATE token SET used = $2 WHERE id = $1", &found.id, now)).await?;
            tx.commit().await?;
            found.used = Some(now);
        }
        Ok(Some((found, person(&row, 10)?)))
    }

    /// Tokens of a person, or all.
    pub async fn tokens(&self, person: Option<&str>) -> Result<Vec<Token>, StoreError> {
        let mut tx = self.db().read().await?;
        let mut ask = Sql::new(&format!("SELECT {TOKEN} FROM token t WHERE "));
        match person {
            Some(person) => ask.push("t.person = ").bind(person),
            None => ask.push("1 = 1"),
        };
        ask.push(" ORDER BY t.created, t.id");
        tx.fetch(ask).await?.iter().map(token).collect()
    }

    /// From now on a token is not taken any longer.
    pub async fn revoke_token(&self, by: By<'_>, id: &str) -> Result<(), StoreError> {
        let mut tx = self.db().write().await?;
        if tx.run(sql!("UPDATE token SET revoked = $2 WHERE id = $1 AND revoked IS NULL", id, by.at)).await? == 0 {
            return Err(not_found("token", id));
        }
        let head = append(&mut tx, by, "token.revoke", id, &json!({})).await?;
        self.commit(tx, &head).await
    }
}

const TOKEN: &str = "t.id, t.name, t.person, t.class, t.scopes, t.sites, t.created, t.expires, t.used, t.revoked";

fn token(row: &Row) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.owned(0)?,
        name: row.owned(1)?,
        person: row.owned(2)?,
        class: if row.text(3)? == TokenClass::Full.name() { TokenClass::Full } else { TokenClass::ExportOnly },
        scopes: row.text(4)?.split_ascii_whitespace().map(str::to_owned).collect(),
        sites: sites(row.opt_text(5)?)?,
        created: row.time(6)?,
        expires: row.opt_time(7)?,
        used: row.opt_time(8)?,
        revoked: row.opt_time(9)?,
    })
}

fn roles_text(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|r| r.name()).collect::<Vec<_>>().join(" ")
}

/// A person as the audit log has it: without what proves who it is.
fn shown(person: &Person) -> serde_json::Value {
    let sites = match &person.sites {
        Sites::All => serde_json::Value::Null,
        Sites::Only(list) => json!(list),
    };
    json!({"login": person.login, "name": person.name, "roles": person.roles, "sites": sites, "subscribers": person.subscribers, "disabled": person.disabled})
}

async fn free_identity(tx: &mut Tx, id: &str, new: &Person) -> Result<(), StoreError> {
    let Some((issuer, subject)) = &new.identity else { return Ok(()) };
    let ask = "SELECT id FROM person WHERE issuer = $1 AND subject = $2 AND id <> $3";
    match tx.first(sql!(ask, issuer, subject, id)).await? {
        Some(_) => Err(StoreError::Conflict("another person has this identity".into())),
        None => Ok(()),
    }
}
