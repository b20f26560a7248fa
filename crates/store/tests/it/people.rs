//! Who may come in.

use serde_json::json;
use umbilical_store::{By, Person, Role, Scope, Sites, Store, StoreError, Time, Token, TokenClass, View};

use crate::support::{ME, NOW};

crate::suite!(people_are_kept_and_guarded, sessions_end, tokens_are_kept_as_digests, views_settings_and_jobs, the_log_of_deeds_is_whole);

fn person(login: &str, roles: &[Role]) -> Person {
    Person {
        login: login.into(),
        name: login.to_uppercase(),
        email: None,
        password: Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA".into()),
        totp: None,
        identity: None,
        roles: roles.iter().copied().collect(),
        sites: Sites::All,
        subscribers: false,
        disabled: false,
        created: NOW,
    }
}

fn at(ms: i64) -> By<'static> {
    By { who: "ana", at: Time(NOW.0 + ms) }
}

async fn people_are_kept_and_guarded(store: Store) {
    let mut ana = person("ana", &[Role::Admin, Role::Analyst]);
    let id = store.add_person(ME, &ana).await.unwrap();
    assert_eq!(store.person(&id).await.unwrap(), ana);
    let mut ben = person("Ben", &[Role::Viewer]);
    ben.sites = Sites::Only(["Site 07".to_owned()].into());
    ben.identity = Some(("https://idp.example".into(), "42".into()));
    store.add_person(ME, &ben).await.unwrap();
    ben.login = "ben".into();
    assert_eq!(store.person_by_login(" BEN").await.unwrap(), ben);
    assert_eq!(store.person_by_identity("https://idp.example", "42").await.unwrap().scope(), Scope::sites(["Site 07"]));
    assert!(matches!(store.add_person(ME, &ben).await, Err(StoreError::Conflict(_))));
    let mut other = person("cy", &[]);
    other.identity.clone_from(&ben.identity);
    assert!(matches!(store.add_person(ME, &other).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.add_person(ME, &person("a b", &[])).await, Err(StoreError::Field { field: "login", .. })));
    // The last who can administer stays.
    ana.disabled = true;
    assert!(matches!(store.update_person(ME, &ana).await, Err(StoreError::Conflict(_))));
    ana.disabled = false;
    ana.roles.remove(&Role::Admin);
    assert!(matches!(store.update_person(ME, &ana).await, Err(StoreError::Conflict(_))));
    // Who sees some sites administers nobody: neither does the last become one, nor is one enough.
    ben.roles.insert(Role::Admin);
    store.update_person(ME, &ben).await.unwrap();
    assert!(matches!(store.update_person(ME, &ana).await, Err(StoreError::Conflict(_))));
    let mut narrow = ana.clone();
    (narrow.sites, narrow.roles) = (Sites::Only(["Site 07".to_owned()].into()), [Role::Admin].into());
    assert!(matches!(store.update_person(ME, &narrow).await, Err(StoreError::Conflict(_))));
    ben.sites = Sites::All;
    store.update_person(ME, &ben).await.unwrap();
    store.update_person(ME, &ana).await.unwrap();
    assert_eq!(store.people().await.unwrap(), [ana, ben]);
    assert!(!format!("{:?}", person("x", &[])).contains("argon2id"));
}

async fn sessions_end(store: Store) {
    let ana = person("ana", &[Role::Admin]);
    store.add_person(ME, &ana).await.unwrap();
    for secret in ["s1", "s2", "s3"] {
        store.begin_session(ME, &ana, secret, Time(NOW.0 + 3_600_000), "{}").await.unwrap();
    }
    let session = store.session("s1", NOW, true).await.unwrap().unwrap();
    assert_eq!((session.person.login.as_str(), session.seen), ("ana", NOW));
    assert!(store.session("s4", NOW, true).await.unwrap().is_none());
    let later = Time(NOW.0 + 61_000);
    store.session("s1", later, false).await.unwrap();
    assert_eq!(
        store.session("s1", later, true).await.unwrap().unwrap().seen,
        NOW,
        "a page that asks by itself uses nothing; how long it was idle"
    );
    assert_eq!(store.session("s1", later, true).await.unwrap().unwrap().seen, later);
    assert!(store.session("s1", Time(NOW.0 + 3_600_000), true).await.unwrap().is_none());
    // Who works is not kept waiting by an import.
    let mut import = store.import(ME).await.unwrap();
    let new = umbilical_store::NewEvidence { name: "x", format: "x", collected_at: None, collected_by: None, reader: "x" };
    import.add(&new, umbilical_store::Content::Bytes(b"x"), &umbilical_core::Observations::new()).await.unwrap();
    let much_later = Time(NOW.0 + 200_000);
    assert!(store.session("s1", much_later, true).await.unwrap().is_some());
    import.commit().await.unwrap();
    assert_eq!(store.session("s1", much_later, true).await.unwrap().unwrap().seen, later, "not written while the import went on");
    // The writer is free a moment after the import has ended.
    for tries in 0.. {
        if store.session("s1", much_later, true).await.unwrap().unwrap().seen == much_later {
            break;
        }
        assert!(tries < 500, "it is never written");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let sessions = store.sessions(&ana.id(), later).await.unwrap();
    assert_eq!(sessions.len(), 3);
    let other = store.session("s2", later, true).await.unwrap().unwrap().id;
    assert!(store.end_session_by_id(ME, "usr-nobody", &other).await.is_err(), "nobody ends another's");
    store.end_session_by_id(ME, &ana.id(), &other).await.unwrap();
    assert!(store.end_session_by_id(ME, &ana.id(), &other).await.is_err());
    assert!(store.session("s2", later, true).await.unwrap().is_none());
    store.end_session(ME, "s2").await.unwrap();
    assert!(store.session("s2", NOW, true).await.unwrap().is_none());
    store.set_session_data("s3", "kept").await.unwrap();
    assert_eq!(store.session("s3", NOW, true).await.unwrap().unwrap().data, "kept");
    // Another password signs out everywhere.
    store.update_person(ME, &Person { password: Some("other".into()), ..ana }).await.unwrap();
    assert!(store.session("s3", NOW, true).await.unwrap().is_none());
}

async fn tokens_are_kept_as_digests(store: Store) {
    let ana = person("ana", &[Role::Admin]);
    let id = store.add_person(ME, &ana).await.unwrap();
    let new = Token {
        id: String::new(),
        name: "SIEM".into(),
        person: id.clone(),
        class: TokenClass::ExportOnly,
        scopes: ["devices.read".to_owned(), "findings.read".to_owned()].into(),
        sites: Sites::Only(["Site 01".to_owned()].into()),
        created: NOW,
        expires: Some(Time(NOW.0 + 1000)),
        used: None,
        revoked: None,
    };
    let token = store.add_token(ME, &new, "umb_secret").await.unwrap();
    // That it was used is noted when nobody else writes, and a connection may be on its way back.
    let (mut found, mut whose) = store.token("umb_secret", NOW).await.unwrap().unwrap();
    for _ in 0..100 {
        if found.used.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        (found, whose) = store.token("umb_secret", NOW).await.unwrap().unwrap();
    }
    assert_eq!((whose.login.as_str(), found.used), ("ana", Some(NOW)));
    assert_eq!(found, Token { id: token.clone(), used: Some(NOW), ..new.clone() });
    assert!(store.token("umb_secre", NOW).await.unwrap().is_none());
    assert!(store.token("umb_secret", Time(NOW.0 + 1000)).await.unwrap().is_none());
    store.revoke_token(ME, &token).await.unwrap();
    assert!(store.token("umb_secret", NOW).await.unwrap().is_none());
    assert!(matches!(store.revoke_token(ME, &token).await, Err(StoreError::NotFound { .. })));
    assert_eq!(store.tokens(Some(&id)).await.unwrap().len(), 1);
    let log = store.audit_rows(None, 100).await.unwrap();
    assert!(log.iter().all(|row| !format!("{row:?}").contains("umb_secret")));
    assert_eq!(log[0].what, "token.revoke");
}

async fn views_settings_and_jobs(store: Store) {
    let view = View {
        id: String::new(),
        name: "to replace".into(),
        person: "usr-1".into(),
        shared: vec![Role::Viewer],
        list: "devices".into(),
        query: "maker:acme".into(),
        sort: Some("-severity".into()),
        columns: vec!["name".into()],
        changed: NOW,
    };
    let id = store.save_view(ME, &view).await.unwrap();
    assert!(matches!(store.save_view(ME, &View { query: "maker:(".into(), ..view.clone() }).await, Err(StoreError::Query(_))));
    assert_eq!(store.views("usr-2", &[Role::Viewer]).await.unwrap(), [View { id: id.clone(), ..view.clone() }]);
    assert_eq!(store.views("usr-2", &[Role::Auditor]).await.unwrap(), []);
    assert!(matches!(store.remove_view(ME, "usr-2", &id).await, Err(StoreError::NotFound { .. })));
    store.remove_view(ME, "usr-1", &id).await.unwrap();

    assert_eq!(store.setting("retention").await.unwrap(), None);
    store.set_setting(ME, "retention", &json!({"days": 30}), false).await.unwrap();
    store.set_setting(ME, "key", &json!("hidden word"), true).await.unwrap();
    assert_eq!(store.setting("retention").await.unwrap(), Some(json!({"days": 30})));
    assert!(store.audit_rows(None, 10).await.unwrap().iter().all(|row| !row.detail.to_string().contains("hidden")));

    let job = store.begin_job(ME, "import", &json!({"files": 3})).await.unwrap();
    store.set_job(job, "running", &json!({"files": 3, "done": 1}), NOW).await.unwrap();
    assert_eq!(store.fail_jobs(Time(NOW.0 + 5)).await.unwrap(), 1);
    let jobs = store.jobs(10).await.unwrap();
    assert_eq!((jobs[0].state.as_str(), jobs[0].changed, &jobs[0].detail["done"]), ("failed", Time(NOW.0 + 5), &json!(1)));
    assert_eq!(store.job(job).await.unwrap(), jobs[0]);
    assert!(store.set_job(job, "lost", &json!({}), NOW).await.is_err());
}

async fn the_log_of_deeds_is_whole(store: Store) {
    for n in 0..30 {
        store.audit(at(n), "export", &format!("list {n}"), &json!({"rows": n})).await.unwrap();
    }
    let head = store.audit_head().await.unwrap().unwrap();
    assert_eq!(head.n, 30);
    assert_eq!(store.verify_audit(Some(&head)).await.unwrap(), Vec::<String>::new());
    let page = store.audit_rows(Some(11), 5).await.unwrap();
    assert_eq!(page.iter().map(|r| r.n).collect::<Vec<_>>(), [10, 9, 8, 7, 6]);
    let mut other = head;
    other.chain.replace_range(..1, if other.chain.starts_with('0') { "1" } else { "0" });
    assert_eq!(store.verify_audit(Some(&other)).await.unwrap().len(), 1);
}
