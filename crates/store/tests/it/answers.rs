//! Answers replace each other whole, and ids stay.

use umbilical_core::answer::Device;
use umbilical_store::query::Query;
use umbilical_store::{Answer, Changes, Content, NewEvidence, Page, Scope, Store, StoreError};

use crate::support::{ME, fleet};

crate::suite!(
    an_answer_is_listed_and_read_back,
    only_what_differs_is_written,
    ids_stay_when_stronger_evidence_comes,
    ids_of_a_whole_fleet_stay,
    findings_about_no_device_are_listed,
    what_is_outside_a_scope_is_not_there
);

/// Imports the evidence of so many devices.
pub async fn import(store: &Store, range: std::ops::Range<usize>) -> Vec<i64> {
    let mut import = store.import(ME).await.unwrap();
    let name = format!("sims-{}.csv", range.start);
    let new = NewEvidence { name: &name, format: "csv", collected_at: None, collected_by: None, reader: "umbilical 0" };
    import.add(&new, Content::Bytes(name.as_bytes()), &fleet::export(range)).await.unwrap();
    import.commit().await.unwrap();
    store.observations().await.unwrap().inputs
}

pub async fn answer(store: &Store, inputs: &[i64], devices: impl Iterator<Item = Device>) -> Changes {
    let audit = fleet::audit();
    store.replace_answer(ME, Answer { audit: &audit, inputs, findings: &[] }, devices).await.unwrap()
}

pub async fn fleet_of(store: &Store, n: usize) -> Changes {
    let inputs = import(store, 0..n).await;
    answer(store, &inputs, fleet::devices(0..n)).await
}

fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

async fn an_answer_is_listed_and_read_back(store: Store) {
    let changes = fleet_of(&store, 1000).await;
    assert_eq!((changes.first, changes.devices, changes.new, changes.new_findings), (true, 1000, 1000, 1334));
    let page = store.devices(&Scope::ALL, &Query::all(), Page::default()).await.unwrap();
    assert_eq!((page.rows.len(), page.count.n, page.count.exact), (50, 1000, true));
    let first = &page.rows[0];
    assert_eq!(
        (first.name.as_str(), first.maker.as_deref(), first.owner.as_deref()),
        ("rtu-000000", Some("Acme Wireless Solutions"), Some("Acme Holding"))
    );
    assert_eq!((first.severity, first.verdict.as_deref(), first.findings), (Some("high"), Some("fail"), 2));
    let kept = store.device(&Scope::ALL, &fleet::id(7)).await.unwrap();
    let mut expected = fleet::devices(7..8).next().unwrap();
    expected.findings.sort_by(umbilical_core::finding::Finding::worst_first);
    assert_eq!(serde_json::to_value(&kept.device).unwrap(), serde_json::to_value(&expected).unwrap());
    assert_eq!(
        kept.device.modules[0].ownership[0].name,
        "Cumulus State Fund".replace("Cumulus State Fund", &expected.modules[0].ownership[0].name)
    );
    assert_eq!((kept.inputs.len(), kept.inputs[0].path.as_str()), (1, "sims.csv"));
    let ids: Vec<String> = page.rows.iter().map(|r| r.id.clone()).collect();
    let whole = store.devices_whole(&Scope::ALL, &ids).await.unwrap();
    assert!(whole.len() == 50 && whole.is_sorted_by_key(|k| k.device.id.clone()));
    for kept in whole {
        let one = store.device(&Scope::ALL, &kept.device.id).await.unwrap();
        assert_eq!(serde_json::to_value(&kept.device).unwrap(), serde_json::to_value(&one.device).unwrap());
    }
    assert_eq!(store.devices_whole(&Scope::sites(["Site 00"]), &ids).await.unwrap().len(), 2);
}

async fn only_what_differs_is_written(store: Store) {
    let inputs = import(&store, 0..1000).await;
    answer(&store, &inputs, fleet::devices(0..1000)).await;
    let again = answer(&store, &inputs, fleet::devices(0..1000)).await;
    assert_eq!((again.first, again.new, again.changed, again.gone, again.new_findings), (false, 0, 0, 0, 0));
    // More evidence, sorted before the first: its inputs are numbered anew, and nothing else changes.
    let inputs = import(&store, 1000..1010).await;
    assert_eq!(inputs.len(), 2);
    let devices = fleet::devices(5..1000).map(|mut d| {
        if d.id == fleet::id(9) {
            d.names.push("another name".into());
        }
        d
    });
    let changed = answer(&store, &inputs, devices).await;
    assert_eq!((changed.new, changed.changed, changed.gone), (0, 1, 5));
    let count = |text: &'static str| {
        let store = store.clone();
        async move { store.count_devices(&Scope::ALL, &query(text)).await.unwrap() }
    };
    assert_eq!((count("").await, count("name:another").await, count("maker:acme").await), (995, 1, 398));
    assert!(matches!(store.device(&Scope::ALL, &fleet::id(3)).await, Err(StoreError::NotFound { .. })));
    let back = answer(&store, &inputs, fleet::devices(0..1000)).await;
    assert_eq!((back.new, back.changed, back.gone), (5, 1, 0));
    assert_eq!(count("verdict:fail").await, 400);
    let changed = |since| {
        let store = store.clone();
        async move { store.changes(&Scope::ALL, since, "", 1000).await.unwrap().into_iter().map(|c| c.what).collect::<Vec<_>>() }
    };
    assert_eq!(changed(0).await.iter().filter(|w| *w == "new").count(), 5);
    assert_eq!((changed(3).await.len(), changed(4).await.len()), (6, 0));
    let (row, document) = store.answer(&Scope::MASKED).await.unwrap().unwrap();
    assert_eq!((row.n, row.devices, row.new, document.as_of.as_str()), (4, 1000, 5, "2026-11-22"));
    assert_eq!(store.answers(&Scope::ALL, 10).await.unwrap().len(), 4);
    let scoped = Scope::sites(["Site 00"]);
    assert!(store.answer(&scoped).await.unwrap().is_none());
    assert!(store.changes(&scoped, 0, "", 1000).await.unwrap().len() <= 1);
    let before = store.revision().await.unwrap();
    store.decide(&Scope::ALL, ME, &fleet::id(1), umbilical_store::Decision::Note, "seen", None).await.unwrap();
    assert_ne!(store.revision().await.unwrap(), before);
}

async fn ids_stay_when_stronger_evidence_comes(store: Store) {
    let inputs = import(&store, 0..3).await;
    let mac = |n: usize| {
        let mut d = fleet::devices(n..n + 1).next().unwrap();
        d.identifiers.mac = vec![format!("02:00:00:00:00:0{n}")];
        let id = umbilical_core::id::content_id("dev-", "mac", &d.identifiers.mac[0]);
        (d.id, d.identifiers.imei) = (id.clone(), Vec::new());
        (d, id)
    };
    let (weak, kept) = mac(1);
    answer(&store, &inputs, [weak.clone()].into_iter()).await;
    // The same device, now with its IMEI: another id would derive from it.
    let mut strong = fleet::devices(1..2).next().unwrap();
    strong.identifiers.mac.clone_from(&weak.identifiers.mac);
    let changes = answer(&store, &inputs, [strong.clone(), mac(2).0].into_iter()).await;
    assert_eq!((changes.new, changes.changed, changes.gone), (1, 1, 0));
    let found = store.device(&Scope::ALL, &fleet::id(1)).await.unwrap();
    assert_eq!((found.device.id.as_str(), found.aliases), (kept.as_str(), vec![fleet::id(1)]));
    assert!(found.device.findings.iter().all(|f| f.subject.id == kept));
    // It goes, and comes back under the same id.
    answer(&store, &inputs, std::iter::empty()).await;
    answer(&store, &inputs, [strong].into_iter()).await;
    assert_eq!(store.device(&Scope::ALL, &fleet::id(1)).await.unwrap().device.id, kept);
}

async fn findings_about_no_device_are_listed(store: Store) {
    let inputs = import(&store, 0..3).await;
    let of_a_file: umbilical_core::finding::Finding =
        serde_json::from_value(fleet::finding("doc-000000000001", "HOUSE-9", "fail", "critical", 0)).unwrap();
    let audit = fleet::audit();
    for (n, findings) in [(1, &[of_a_file.clone()][..]), (0, &[of_a_file][..]), (0, &[])] {
        let answer = Answer { audit: &audit, inputs: &inputs, findings };
        let changes = store.replace_answer(ME, answer, fleet::devices(0..0)).await.unwrap();
        assert_eq!(changes.new_findings, n);
        let found = |scope: Scope, text: &'static str| {
            let store = store.clone();
            async move { store.findings(&scope, &query(text), Page::default()).await.unwrap().rows.len() }
        };
        for text in ["", "NOT name:rtu", "NOT maker:acme", "code:house-9", "house-9", "-rtu severity:critical"] {
            assert_eq!(found(Scope::ALL, text).await, findings.len(), "{text}");
            assert_eq!(found(Scope::sites(["Site 01"]), text).await, 0, "{text}");
        }
    }
}

async fn ids_of_a_whole_fleet_stay(store: Store) {
    // More than are held in memory until their ids are told.
    let n = 4500;
    let inputs = import(&store, 0..3).await;
    let with_mac = |n: usize, known: bool| {
        let mut d = fleet::device(n, 0);
        let mac = format!("02:00:00:00:{:02x}:{:02x}", n / 256, n % 256);
        if known {
            d.id = umbilical_core::id::content_id("dev-", "mac", &mac);
            d.identifiers.imei.clear();
        }
        d.identifiers.mac = vec![mac];
        d
    };
    answer(&store, &inputs, (0..n).map(|n| with_mac(n, true))).await;
    let changes = answer(&store, &inputs, (0..n).map(|n| with_mac(n, false))).await;
    assert_eq!((changes.devices, changes.new, changes.changed, changes.gone, changes.new_findings), (4500, 0, 4500, 0, 0));
    assert_eq!(answer(&store, &inputs, (0..n).map(|n| with_mac(n, false))).await.changed, 0);
    for n in [0, 4100, 4499] {
        let kept = store.device(&Scope::ALL, &fleet::id(n)).await.unwrap();
        assert_eq!((kept.device.id, kept.device.identifiers.imei), (with_mac(n, true).id, vec![fleet::imei(n)]));
    }
}

async fn what_is_outside_a_scope_is_not_there(store: Store) {
    fleet_of(&store, 400).await;
    let scope = Scope::sites(["site 07"]);
    let page = store.devices(&scope, &Query::all(), Page { limit: 1000, ..Page::default() }).await.unwrap();
    assert_eq!((page.rows.len(), page.count.n), (10, 10));
    assert!(page.rows.iter().all(|d| d.site.as_deref() == Some("Site 07")));
    assert!(matches!(store.device(&scope, &fleet::id(0)).await, Err(StoreError::NotFound { .. })));
    assert_eq!(store.count_devices(&scope, &query("name:rtu*")).await.unwrap(), 10);
    assert_eq!(store.count_devices(&Scope::sites(Vec::<String>::new()), &Query::all()).await.unwrap(), 0);
    let facets = store.facets(&scope, &Query::all(), &["maker", "site"], 10).await.unwrap();
    assert_eq!(facets[0].values.iter().map(|v| v.devices).sum::<u64>(), 10);
    assert_eq!(facets[1].values.len(), 1);
    let findings = store.findings(&scope, &Query::all(), Page { limit: 1000, ..Page::default() }).await.unwrap();
    assert!(findings.rows.iter().all(|f| page.rows.iter().any(|d| Some(&d.id) == f.device.as_ref().map(|d| &d.0))));
}
