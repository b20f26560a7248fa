//! What the store costs at size: `cargo run --release -p umbilical-store --example measure -- [DEVICES] [sqlite|postgres|ADDRESS]`.
//!
//! Makes a fleet from nothing (ten observations for each device, 2,000 sites), imports it, answers, and asks for pages; prints
//! seconds and the memory of this process.

#[path = "../tests/it/support/fleet.rs"]
#[allow(dead_code)]
mod fleet;
#[path = "../tests/it/support/postgres.rs"]
#[allow(dead_code)]
mod postgres;

use std::time::Instant;

use umbilical_core::answer::Device;
use umbilical_store::query::Query;
use umbilical_store::{Answer, By, Content, NewEvidence, Page, Scope, Store, StoreError, Time};

const ME: By<'static> = By { who: "measure", at: Time(1_790_000_000_000) };

const QUERIES: [&str; 16] = [
    "",
    "maker:acme",
    "maker:borealis AND NOT site:\"Site 0007\"",
    "site:\"Site 0011\" confidence>0.8",
    "country:AA OR country:CC",
    "verdict:fail severity>=high",
    "wireless",
    "rtu",
    "000777",
    "name:rtu-0001*",
    "imei:3512340*",
    "name:rtu-000123",
    "NOT tag:spare",
    "state:new maker:cumulus",
    "NOT name:rtu-00* maker:delta",
    "nothing-like-it",
];
const SORTS: [&str; 6] = ["name", "-seen", "-severity", "maker", "-confidence", "site"];

fn site(n: usize) -> String {
    format!("Site {:04}", n.wrapping_mul(2_654_435_761) % 2000)
}

fn devices(count: usize) -> impl Iterator<Item = Device> {
    fleet::devices(0..count).enumerate().map(|(n, mut device)| {
        device.identifiers.site = vec![site(n)];
        device
    })
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |key: &str| {
        status.lines().find(|l| l.starts_with(key)).and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
    };
    format!("{} MB now, {} MB at most", line("VmRSS"), line("VmHWM"))
}

fn main() -> Result<(), StoreError> {
    let mut args = std::env::args().skip(1);
    let count: usize = args.next().and_then(|a| a.parse().ok()).unwrap_or(100_000);
    let place = args.next().unwrap_or_else(|| "sqlite".into());
    let folder = std::env::temp_dir().join(format!("umbilical-measure-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|source| StoreError::File { path: folder.clone(), source })?;
    let server = (place == "postgres").then(postgres::Server::start).flatten();
    let place = match (&server, place.as_str()) {
        (Some(server), _) => server.database("measure"),
        (None, "sqlite") => folder.join("umbilical.db").display().to_string(),
        (None, other) => other.to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = runtime.map_err(|source| StoreError::File { path: folder.clone(), source })?.block_on(measure(&place, count));
    drop(server);
    let _ = std::fs::remove_dir_all(&folder);
    done
}

async fn measure(place: &str, count: usize) -> Result<(), StoreError> {
    let store = Store::open(place, ME.at).await?;
    let read = fleet::export(0..count);
    println!("{count} devices, {} observations", read.inputs.iter().map(|i| i.observations).sum::<u64>());
    let step = |what: &str, begun: Instant| println!("{what:<44} {:>9.2} s   {}", begun.elapsed().as_secs_f64(), memory());

    let begun = Instant::now();
    let mut import = store.import(ME).await?;
    let new = NewEvidence { name: "sims.csv", format: "csv", collected_at: None, collected_by: None, reader: "measure" };
    import.add(&new, Content::Bytes(&vec![7; count * 100]), &read).await?;
    import.commit().await?;
    step("import observations", begun);
    drop(read);

    let begun = Instant::now();
    let rebuilt = store.observations().await?;
    step("rebuild observations", begun);
    let inputs = rebuilt.inputs;
    drop(rebuilt.observations);

    let audit = fleet::audit();
    let answer = || Answer { audit: &audit, inputs: &inputs, findings: &[] };
    let begun = Instant::now();
    let made = devices(count).map(|d| d.findings.len()).sum::<usize>();
    step(&format!("(making the devices alone, {made} findings)"), begun);
    let begun = Instant::now();
    store.replace_answer(ME, answer(), devices(count)).await?;
    step("first answer", begun);
    let begun = Instant::now();
    store.replace_answer(ME, answer(), devices(count)).await?;
    step("the same answer again", begun);

    let mut worst = (0.0f64, String::new());
    let mut note = |what: String, begun: Instant, found: String| {
        let ms = begun.elapsed().as_secs_f64() * 1000.0;
        println!("{what:<64} {ms:>8.1} ms  {found}");
        if ms > worst.0 {
            worst = (ms, what);
        }
    };
    let sites = Scope::sites((0..20).map(|n| format!("Site {n:04}")));
    for (who, scope) in [("all", &Scope::ALL), ("20 sites", &sites)] {
        for text in QUERIES {
            let query = Query::parse(text)?;
            for sort in SORTS {
                let page = Page { sort: Some(sort), ..Page::default() };
                let begun = Instant::now();
                let listed = store.devices(scope, &query, page).await?;
                note(format!("devices {who} `{text}` by {sort}"), begun, format!("{:?}", listed.count));
                if let Some(after) = &listed.next {
                    let begun = Instant::now();
                    let listed = store.devices(scope, &query, Page { after: Some(after), ..page }).await?;
                    note(format!("devices {who} `{text}` by {sort}, page 2"), begun, format!("{} rows", listed.rows.len()));
                }
            }
            let begun = Instant::now();
            let listed = store.findings(scope, &query, Page::default()).await?;
            note(format!("findings {who} `{text}`"), begun, format!("{:?}", listed.count));
            let begun = Instant::now();
            store.facets(scope, &query, &["maker", "model", "country", "site", "severity", "verdict", "level"], 20).await?;
            note(format!("facets {who} `{text}`"), begun, String::new());
        }
    }
    let begun = Instant::now();
    let page = store.devices(&Scope::ALL, &Query::all(), Page { limit: 1000, sort: Some("id"), after: None }).await?;
    let ids: Vec<String> = page.rows.into_iter().map(|r| r.id).collect();
    store.devices_whole(&Scope::MASKED, &ids).await?;
    note("a thousand devices whole".into(), begun, String::new());
    let begun = Instant::now();
    store.device(&Scope::MASKED, &fleet::id(count / 2)).await?;
    note("one device".into(), begun, String::new());
    println!("slowest: {} ms, {}", worst.0.round(), worst.1);
    println!("{}", memory());
    let file = std::env::temp_dir().join(format!("umbilical-measure-{}.backup", std::process::id()));
    let begun = Instant::now();
    store.backup_to(&file, ME.at).await?;
    let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |m| m.len()) >> 20;
    step(&format!("backup, {} MB of {} MB", size(&file), store.path().map_or(0, size)), begun);
    let _ = std::fs::remove_file(&file);
    store.close().await;
    let begun = Instant::now();
    let store = Store::open(place, ME.at).await?;
    step("open again", begun);
    store.close().await;
    Ok(())
}
