//! Power goes, or somebody kills the program: what was acknowledged is there, and nothing is half there.
//!
//! A child works on a store and prints `acked N` after each step that the store has acknowledged; the parent kills it after a
//! seeded number of these, or a moment later, in the middle of the next step. `UMBILICAL_KILLS` is the number of rounds.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use umbilical_store::query::Query;
use umbilical_store::{Answer, Content, Decision, NewEvidence, Scope, Store};

use crate::support::{Folder, ME, NOW, block_on, fleet};

const DEVICES: usize = 1000;
/// What the child is told its store by.
const PLACE: &str = "UMBILICAL_KILL_STORE";

/// Step `n` of the child: evidence, a decision, an answer that has one device more, a note.
async fn step(store: &Store, n: usize) {
    let device = fleet::id(n % DEVICES);
    match n % 4 {
        0 => {
            let name = format!("more-{n}.csv");
            let new = NewEvidence { name: &name, format: "csv", collected_at: None, collected_by: None, reader: "umbilical 0" };
            let mut import = store.import(ME).await.unwrap();
            import.add(&new, Content::Bytes(&n.to_le_bytes().repeat(25_000)), &fleet::export(n..n + 200)).await.unwrap();
            import.add(&new, Content::Bytes(name.as_bytes()), &fleet::export(n..n + 10)).await.unwrap();
            import.commit().await.unwrap();
        }
        1 => drop(store.decide(&Scope::ALL, ME, &device, Decision::Tag(&format!("step-{n}")), "", None).await.unwrap()),
        2 => {
            let inputs = store.observations().await.unwrap().inputs;
            let audit = fleet::audit();
            let answer = Answer { audit: &audit, inputs: &inputs, findings: &[] };
            // One device more, and every seventh has another name.
            let devices = fleet::devices(0..DEVICES + n).enumerate().map(|(i, mut d)| {
                if i % 7 == n % 7 {
                    d.names.push(format!("also {n}"));
                }
                d
            });
            store.replace_answer(ME, answer, devices).await.unwrap();
        }
        _ => drop(store.decide(&Scope::ALL, ME, &device, Decision::Note, &format!("step {n}"), None).await.unwrap()),
    }
}

/// What step `n` leaves behind: whether it is there, wholly.
async fn done(store: &Store, n: usize) -> bool {
    let device = fleet::id(n % DEVICES);
    match n % 4 {
        0 => {
            let all = store.evidence(&Scope::ALL, None, 1000).await.unwrap();
            let found = all.iter().filter(|e| e.name == format!("more-{n}.csv")).count();
            assert!(found == 0 || found == 2, "half of the import of step {n} is there");
            found == 2
        }
        1 => store.count_devices(&Scope::ALL, &Query::parse(&format!("tag:step-{n}")).unwrap()).await.unwrap() == 1,
        2 => {
            let devices = store.count_devices(&Scope::ALL, &Query::all()).await.unwrap() as usize;
            devices >= DEVICES + n
        }
        _ => store.decisions(&Scope::ALL, &device).await.unwrap().iter().any(|d| d.comment == format!("step {n}")),
    }
}

/// The child: this test binary once more.
#[test]
#[ignore = "the child of kills_lose_nothing_acknowledged"]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let from: usize = std::env::var("UMBILICAL_KILL_FROM").unwrap().parse().unwrap();
    block_on(async {
        let store = Store::open(&place, NOW).await.unwrap();
        for n in from.. {
            step(&store, n).await;
            println!("\nacked {n}");
        }
    });
}

fn rounds() -> usize {
    std::env::var("UMBILICAL_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

mod serial {
    use super::*;

    #[test]
    fn kills_lose_nothing_acknowledged() {
        let folder = Folder::new("kill");
        block_on(async {
            let store = Store::open(&folder.db(), NOW).await.unwrap();
            crate::answers::fleet_of(&store, DEVICES).await;
            store.close().await;
        });
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let (mut next, mut amid) = (0usize, 0usize);
        let said = folder.path().join("child.stderr");
        for round in 0..rounds() {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "--nocapture", "kill::child"])
                .env(PLACE, folder.db())
                .env("UMBILICAL_KILL_FROM", next.to_string())
                .stdout(Stdio::piped())
                .stderr(std::fs::File::create(&said).unwrap())
                .spawn()
                .unwrap();
            let (mut acked, wanted) = (None, 1 + random(6));
            let mut met = 0;
            for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
                if let Some(n) = line.strip_prefix("acked ") {
                    (acked, met) = (Some(n.parse::<usize>().unwrap()), met + 1);
                    if met == wanted {
                        break;
                    }
                }
            }
            // Somewhere in the next step, not only between two.
            std::thread::sleep(Duration::from_micros(random(60_000)));
            child.kill().unwrap();
            let ended = child.wait().unwrap();
            let why = || std::fs::read_to_string(&said).unwrap_or_default();
            let acked = acked.unwrap_or_else(|| panic!("round {round}, step {next}: the child acknowledged nothing: {ended}: {}", why()));
            block_on(async {
                let store = Store::open(&folder.db(), NOW).await.unwrap();
                for n in next..=acked {
                    assert!(done(&store, n).await, "round {round}: step {n} was acknowledged and is lost");
                }
                // Of what came after, each step is there or not, and none behind one that is not.
                let mut after = acked + 1;
                while done(&store, after).await {
                    after += 1;
                }
                amid += after - acked - 1;
                let last = Query::all();
                let answered = store.count_devices(&Scope::ALL, &last).await.unwrap();
                let facets = store.facets(&Scope::ALL, &last, &["cellular"], 9).await.unwrap();
                assert_eq!(facets[0].values[0].devices, answered, "round {round}: counts and devices differ");
                let wrong = store.check().await.unwrap();
                assert!(wrong.is_empty(), "round {round}: {wrong:?}");
                next = after;
                store.close().await;
            });
        }
        println!("{} rounds, {next} steps, {amid} of them unacknowledged and whole", rounds());
        assert!(next > rounds());
    }
}
