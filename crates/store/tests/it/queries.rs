//! What the query language finds: each query held against a filter over the devices themselves.

use std::collections::BTreeSet;

use umbilical_core::answer::Device;
use umbilical_store::query::Query;
use umbilical_store::{Page, Scope, Store, StoreError};

use crate::answers::{answer, fleet_of, import};
use crate::support::fleet;

crate::suite!(
    queries_find_what_a_filter_finds,
    every_sort_pages_through_everything,
    facets_add_up,
    subscribers_are_covered,
    names_and_ids_mean_devices,
    mistakes_are_named,
    hostile_texts_are_only_texts
);

async fn names_and_ids_mean_devices(store: Store) {
    fleet_of(&store, 6).await;
    let asked: Vec<String> = [fleet::id(1), "rtu-000002".into(), "rtu".into(), "dev-000000000000".into(), "' OR 1=1 --".into()].into();
    let all = store.named(&Scope::ALL, &asked).await.unwrap();
    let of = |key: &str| all.get(key).map(|n| (n.id.clone(), n.name.clone()));
    assert_eq!(of(&fleet::id(1)), Some((fleet::id(1), "rtu-000001".to_owned())));
    assert_eq!(of("rtu-000002"), Some((fleet::id(2), "rtu-000002".to_owned())));
    assert_eq!(all.len(), 2, "a part of a name, and what is not there, means nothing: {all:?}");
    // Outside the asker's sites nothing is named, and the kinds of evidence are asked for within them.
    let scope = Scope::sites([fleet::site(1)]);
    assert_eq!(store.named(&scope, &asked).await.unwrap().into_keys().collect::<Vec<_>>(), [fleet::id(1)]);
    assert_eq!(store.sources(&scope).await.unwrap().len(), store.sources(&Scope::ALL).await.unwrap().len(), "one kind is no secret");
    for text in ["waived:yes", "waived:no"] {
        let n = if text.ends_with("no") { 6 } else { 0 };
        assert_eq!(found(&store, &Scope::ALL, text).await.len(), n, "{text}");
        let findings = store.findings(&scope, &query(text), Page::default()).await.unwrap();
        assert_eq!(findings.rows.is_empty(), n == 0, "{text}");
    }
}

fn query(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

async fn found(store: &Store, scope: &Scope, text: &str) -> BTreeSet<String> {
    let page = store.devices(scope, &query(text), Page { limit: 1000, ..Page::default() }).await.unwrap();
    assert_eq!(page.count.n, page.rows.len() as u64, "{text}");
    assert_eq!(store.count_devices(scope, &query(text)).await.unwrap(), page.count.n, "{text}");
    page.rows.into_iter().map(|r| r.id).collect()
}

type Fits = fn(&Device) -> bool;

/// Queries and what they mean.
const QUERIES: &[(&str, Fits)] = &[
    ("", |_| true),
    ("maker:acme", |d| maker(d).starts_with("Acme")),
    ("vendor:WIRELESS", |d| maker(d).starts_with("Acme")),
    ("maker:\"Acme Wireless Solutions\"", |d| maker(d).starts_with("Acme")),
    ("maker:\"Acme\"", |_| false),
    ("maker:acm", |_| false),
    ("maker:acm*", |d| maker(d).starts_with("Acme")),
    ("model:AC25", |d| model(d).starts_with("AC25")),
    ("model:ac25-g", |d| model(d) == "AC25-G"),
    ("model:\"AC25\"", |_| false),
    ("owner:cumulus", |d| maker(d) == "Cumulus Radio"),
    ("country:aa OR country:cc", |d| ["AA", "CC"].contains(&country(d))),
    ("jurisdiction:AA -model:DM*", |d| country(d) == "AA" && model(d) != "DM-1"),
    ("site:\"site 07\"", |d| d.identifiers.site[0] == "Site 07"),
    ("NOT site:07", |d| d.identifiers.site[0] != "Site 07"),
    ("confidence>0.95", |d| d.modules[0].confidence > 0.95),
    ("confidence<=0.62", |d| d.modules[0].confidence <= 0.62),
    ("conf:probable", |_| true),
    ("verdict:fail", |d| fails(d, "HOUSE-1")),
    ("code:house-2", |d| d.findings.iter().any(|f| f.code == "HOUSE-2")),
    ("rule:house-1", |d| fails(d, "HOUSE-1")),
    ("severity:low", |d| d.findings.iter().any(|f| f.code == "HOUSE-2")),
    ("severity>=medium", |d| fails(d, "HOUSE-1")),
    ("severity<high", |d| !fails(d, "HOUSE-1") && d.findings.len() > 1),
    ("cellular:yes level:model", |_| true),
    ("cellular:unknown", |_| false),
    ("chipset:as92*", |d| model(d).starts_with("AC25")),
    ("name:rtu", |_| true),
    ("name:rtu-00001*", |d| d.names[0].starts_with("rtu-00001")),
    ("name:000017", |d| d.names[0] == "rtu-000017"),
    ("RTU-000017", |d| d.names[0] == "rtu-000017"),
    ("imei:35123402*", |d| d.identifiers.imei[0].starts_with("35123402")),
    ("iccid:8999901000000000003", |d| d.identifiers.iccid[0] == "8999901000000000003"),
    ("borealis", |d| maker(d) == "Borealis"),
    ("borealis 000007", |d| d.names[0] == "rtu-000007"),
    ("(borealis OR cumulus) NOT (site:07 OR site:14)", |d| {
        ["Borealis", "Cumulus Radio"].contains(&maker(d)) && !["Site 07", "Site 14"].contains(&d.identifiers.site[0].as_str())
    }),
    ("maker:acme AND NOT name:rtu-0000* confidence>0.9", |d| {
        maker(d).starts_with("Acme") && !d.names[0].starts_with("rtu-0000") && d.modules[0].confidence > 0.9
    }),
    ("- - maker:acme", |d| maker(d).starts_with("Acme")),
    ("state:new", |_| true),
    ("tag:nothing", |_| false),
    ("seen>2026-01-01", |_| true),
    ("seen:1999-12-31", |_| false),
    ("id:dev-*", |_| true),
];

fn maker(d: &Device) -> &str {
    d.modules[0].maker.as_deref().unwrap()
}
fn model(d: &Device) -> &str {
    d.modules[0].model.as_deref().unwrap()
}
fn country(d: &Device) -> &str {
    &d.modules[0].jurisdictions[0].country
}
fn fails(d: &Device, code: &str) -> bool {
    d.findings.iter().any(|f| f.code == code && f.verdict == Some("fail"))
}

async fn queries_find_what_a_filter_finds(store: Store) {
    fleet_of(&store, 300).await;
    let scope = Scope { subscribers: true, ..Scope::sites(["Site 07", "Site 14", "Site 21"]) };
    for (text, fits) in QUERIES {
        let all: Vec<Device> = fleet::devices(0..300).filter(*fits).collect();
        let expected: BTreeSet<String> = all.iter().map(|d| d.id.clone()).collect();
        assert_eq!(found(&store, &Scope::ALL, text).await, expected, "{text}");
        let inside = ["Site 07", "Site 14", "Site 21"];
        let expected: BTreeSet<String> =
            all.iter().filter(|d| inside.contains(&d.identifiers.site[0].as_str())).map(|d| d.id.clone()).collect();
        assert_eq!(found(&store, &scope, text).await, expected, "{text}, three sites");
    }
    let id = fleet::id(8);
    assert_eq!(found(&store, &Scope::ALL, &id).await.len(), 1);
    let findings = store.findings(&Scope::ALL, &query("code:house-1 verdict:fail maker:acme"), Page::default()).await.unwrap();
    assert_eq!((findings.count.n, findings.rows.len()), (120, 50));
    assert!(findings.rows.iter().all(|f| f.finding.code == "HOUSE-1" && f.finding.verdict == Some("fail")));
    let findings = store.findings(&Scope::ALL, &query("name:rtu-000000 severity>=low"), Page::default()).await.unwrap();
    assert_eq!(findings.rows.iter().map(|f| f.finding.code.as_ref()).collect::<Vec<_>>(), ["HOUSE-1", "HOUSE-2"]);
    let findings = store.findings(&Scope::ALL, &query("house-2"), Page::default()).await.unwrap();
    assert!(findings.count.n >= 100);
}

async fn every_sort_pages_through_everything(store: Store) {
    // More than are counted one by one, so that every way to make a page is gone.
    let n = 10_400;
    let inputs = import(&store, 0..3).await;
    answer(&store, &inputs, fleet::devices(0..n)).await;
    for text in ["", "rtu -name:rtu-0001*", "name:rtu-0000*", "NOT tag:x maker:borealis"] {
        let expected = store.count_devices(&Scope::ALL, &query(text)).await.unwrap();
        for sort in ["name", "-id", "-seen", "maker", "-maker", "confidence", "-severity"] {
            let (mut ids, mut after, mut keys) = (BTreeSet::new(), None::<String>, Vec::new());
            loop {
                let page = Page { after: after.as_deref(), limit: 997, sort: Some(sort) };
                let listed = store.devices(&Scope::ALL, &query(text), page).await.unwrap();
                for row in &listed.rows {
                    assert!(ids.insert(row.id.clone()), "{text} by {sort}: {} twice", row.id);
                    keys.push(match sort.trim_start_matches('-') {
                        "name" => row.name.clone(),
                        "id" => row.id.clone(),
                        "maker" => row.maker.clone().unwrap(),
                        "confidence" => format!("{:.4}", row.confidence),
                        _ => String::new(),
                    });
                }
                after = listed.next;
                if after.is_none() {
                    break;
                }
            }
            if sort.starts_with('-') {
                keys.reverse();
            }
            assert!(keys.is_sorted(), "{text} by {sort}");
            assert_eq!(ids.len() as u64, expected, "{text} by {sort}");
        }
        let (mut ids, mut after) = (BTreeSet::new(), None::<String>);
        loop {
            let listed =
                store.findings(&Scope::ALL, &query(text), Page { after: after.as_deref(), limit: 1000, sort: None }).await.unwrap();
            assert!(listed.rows.iter().all(|row| ids.insert(row.finding.id.clone())), "{text}");
            after = listed.next;
            if after.is_none() {
                assert!(!listed.count.exact || listed.count.n == ids.len() as u64, "{text}: {:?} {}", listed.count, ids.len());
                break;
            }
        }
        assert!(ids.len() as u64 >= expected, "{text}");
    }
    let first = store.devices(&Scope::ALL, &query("maker:acme"), Page::default()).await.unwrap().next.unwrap();
    for (text, cursor) in [("maker:borealis", first.as_str()), ("maker:acme", "rubbish"), ("maker:acme", "")] {
        let page = Page { after: Some(cursor), ..Page::default() };
        assert!(matches!(store.devices(&Scope::ALL, &query(text), page).await, Err(StoreError::Invalid(_))), "{cursor}");
    }
}

async fn facets_add_up(store: Store) {
    fleet_of(&store, 200).await;
    let facet = |text: &'static str, field: &'static str| {
        let store = store.clone();
        async move {
            let mut all = store.facets(&Scope::ALL, &query(text), &[field], 100).await.unwrap();
            all.remove(0).values.into_iter().map(|v| (v.value, v.devices)).collect::<Vec<_>>()
        }
    };
    assert_eq!(facet("", "country").await, [("AA".to_owned(), 120), ("BB".to_owned(), 40), ("CC".to_owned(), 40)]);
    assert_eq!(facet("name:rtu-00000*", "maker").await[0], ("Acme Wireless Solutions".to_owned(), 4));
    // Each value, asked for as the page would, gives its count.
    for field in ["site", "maker", "model", "severity", "verdict", "code", "chipset", "owner"] {
        for (value, devices) in facet("maker:acme OR maker:delta", field).await {
            let text = format!("(maker:acme OR maker:delta) {field}:\"{value}\"");
            assert_eq!(store.count_devices(&Scope::ALL, &query(&text)).await.unwrap(), devices, "{text}");
        }
    }
    // Few profiles are counted from the profile, many from the word.
    let sites = facet("", "site").await;
    for (site, _) in sites.iter().take(2) {
        for (value, devices) in facet(format!("site:\"{site}\"").leak(), "model").await {
            let text = format!("site:\"{site}\" model:\"{value}\"");
            assert_eq!(store.count_devices(&Scope::ALL, &query(&text)).await.unwrap(), devices, "{text}");
        }
    }
    for (of, with) in [("maker", "country"), ("country", "owner"), ("chipset", "list")] {
        for text in ["", "NOT maker:acme"] {
            let pairs = store.crossed(&Scope::ALL, &query(text), of, with).await.unwrap();
            assert!(!pairs.is_empty(), "{of} {with}");
            let values: BTreeSet<&str> = pairs.iter().filter_map(|p| p.with.as_deref()).collect();
            let any: Vec<String> = values.iter().map(|v| format!("{with}:\"{v}\"")).collect();
            for pair in &pairs {
                let second = match &pair.with {
                    Some(value) => format!("{with}:\"{value}\""),
                    None if any.is_empty() => String::new(),
                    None => format!("NOT ({})", any.join(" OR ")),
                };
                let text = format!("{text} {of}:\"{}\" {second}", pair.value);
                assert_eq!(store.count_devices(&Scope::ALL, &query(&text)).await.unwrap(), pair.devices, "{text}");
            }
        }
    }
    assert!(store.crossed(&Scope::ALL, &query("name:rtu*"), "maker", "country").await.is_err());
    assert!(store.facets(&Scope::ALL, &Query::all(), &["imei"], 5).await.is_err());
}

async fn subscribers_are_covered(store: Store) {
    let inputs = import(&store, 0..3).await;
    let mut device = fleet::devices(0..1).next().unwrap();
    let card = device.identifiers.iccid[0].clone();
    device.names = vec![card.clone()];
    device.findings[0].because.push(format!("the card {card} was seen twice"));
    answer(&store, &inputs, [device.clone()].into_iter()).await;
    let whole = store.device(&Scope::ALL, &device.id).await.unwrap();
    assert!(serde_json::to_string(&whole.device).unwrap().contains(&card));
    let masked = store.device(&Scope::MASKED, &device.id).await.unwrap();
    let text = serde_json::to_string(&masked.device).unwrap();
    for number in [&card, &device.identifiers.imsi[0]] {
        assert!(!text.contains(number.as_str()), "{number} in {text}");
    }
    assert_eq!(masked.device.identifiers.iccid, ["89999…00"]);
    let rows = store.devices(&Scope::MASKED, &Query::all(), Page::default()).await.unwrap().rows;
    assert!(!format!("{rows:?}").contains(&card));
    let findings = store.findings(&Scope::MASKED, &Query::all(), Page::default()).await.unwrap().rows;
    assert!(!format!("{findings:?}").contains(&card));
    // Nor can it be guessed by searching.
    assert_eq!(store.count_devices(&Scope::ALL, &query(&card)).await.unwrap(), 1);
    assert_eq!(store.count_devices(&Scope::MASKED, &query(&card)).await.unwrap(), 0);
    assert_eq!(store.count_devices(&Scope::MASKED, &query(&format!("name:{card}"))).await.unwrap(), 0);
    assert!(matches!(store.count_devices(&Scope::MASKED, &query("iccid:89*")).await, Err(StoreError::Query(_))));
}

async fn mistakes_are_named(store: Store) {
    for sort in umbilical_store::DeviceRow::sorts() {
        store.devices(&Scope::ALL, &Query::all(), Page { sort: Some(sort), ..Page::default() }).await.unwrap();
    }
    let page = Page { sort: Some("colour"), ..Page::default() };
    let error = store.devices(&Scope::ALL, &Query::all(), page).await.unwrap_err().to_string();
    assert!(error.contains("`colour`") && error.contains("severity"), "{error}");
}

async fn hostile_texts_are_only_texts(store: Store) {
    let inputs = import(&store, 0..3).await;
    let texts = [
        "'; DROP TABLE device; --",
        "%",
        "_",
        "\\",
        "a%b",
        "\" OR 1=1",
        "=cmd|'/c calc'!A1",
        "<img src=x onerror=1>",
        "nul\u{0}byte",
        "🦀 emoji",
        "ÅÄÖ straße",
        "$1 $2",
        "--",
    ];
    let devices = texts.iter().enumerate().map(|(n, text)| {
        let mut d = fleet::devices(n..n + 1).next().unwrap();
        d.names = vec![(*text).to_owned()];
        d.identifiers.site = vec![(*text).to_owned()];
        d.modules[0].maker = Some((*text).to_owned());
        d
    });
    answer(&store, &inputs, devices).await;
    for (n, text) in texts.iter().enumerate() {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        for field in ["name", "site", "maker"] {
            let found = found(&store, &Scope::ALL, &format!("{field}:\"{quoted}\"")).await;
            assert!(found.contains(&fleet::id(n)), "{field} {text}");
            assert!(found.len() <= 2, "{field} {text} finds {}", found.len());
        }
        assert_eq!(store.device(&Scope::sites([*text]), &fleet::id(n)).await.unwrap().device.names, [*text]);
        let n_found = store.count_devices(&Scope::ALL, &query(&format!("\"{quoted}\"*"))).await.unwrap();
        assert!((1..13).contains(&n_found), "{text}: {n_found}");
    }
}
