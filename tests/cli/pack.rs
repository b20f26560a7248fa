//! `export --pack` and `verify`: a store in one file, and what a changed byte of it does.

use std::fs;

use umbilical_assess::{Fleet, Options};
use umbilical_core::{Day, Observations};
use umbilical_evidence::{Purpose, open};
use umbilical_knowledge::Knowledge;
use umbilical_store::{Answer, By, Content, Decision, NewEvidence, Scope, Store, Time};

use super::docs::Schema;
use super::{Folder, Ran, imei, run, sims};

/// A home with two artefacts, what they come to, and a decision about a device.
fn home(folder: &Folder) {
    let number = imei("86769804", 9);
    folder.write("e/register.csv", format!("asset id,name,manufacturer,imei,site\nGW-1,North gate,Teltonika,{number},Plant 7\n"));
    folder.write("e/sims.csv", sims(&[&number]));
    let kb = Knowledge::embedded();
    let read = |name: &str| {
        let options =
            open::Options { knowledge: &kb, mapping: None, purpose: Purpose::Fleet, validate: false, threads: 1, progress: &|_| {} };
        let mut all = Observations::new();
        open::read_paths(&[folder.path().join(name)], &options, &mut all).unwrap();
        all
    };
    fs::create_dir_all(folder.path().join("home")).unwrap();
    #[cfg(unix)]
    fs::set_permissions(folder.path().join("home"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let place = folder.path().join("home/umbilical.db").display().to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let by = By { who: "ana", at: Time(1_790_000_000_000) };
        let store = Store::open(&place, by.at).await.unwrap();
        let mut import = store.import(by).await.unwrap();
        for name in ["e/register.csv", "e/sims.csv"] {
            let new = NewEvidence { name, format: "csv", collected_at: None, collected_by: None, reader: "test" };
            import.add(&new, Content::File(&folder.path().join(name)), &read(name)).await.unwrap();
        }
        import.commit().await.unwrap();
        let all = store.observations().await.unwrap();
        let fleet = Fleet::new(&all.observations, &kb, Options { as_of: Day::new(2026, 11, 25).unwrap(), show_subscribers: true });
        let audit = fleet.audit();
        let answer = Answer { audit: &audit, inputs: &all.inputs, findings: &[] };
        store.replace_answer(by, answer, fleet.devices()).await.unwrap();
        let device = fleet.devices().next().unwrap().id;
        store.decide(&Scope::ALL, by, &device, Decision::Note, "=cmd() <script>", None).await.unwrap();
        store.close().await;
    });
}

fn export(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["export", "--pack"].iter().chain(words).copied())
}

fn verify(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["verify"].iter().chain(words).copied())
}

#[test]
fn a_pack_is_verified_offline_and_a_changed_byte_shows() {
    let folder = Folder::new();
    home(&folder);
    for key in ["cert", "other"] {
        assert_eq!(run(&folder, ["bom", "attest", "--generate-key", key]).code, 0);
    }
    let made = export(&folder, &["--key", "cert.pem", "--show-subscribers", "-o", "fleet.pack"]);
    assert!(made.code == 0 && made.out.contains("1 devices, 2 artefacts"), "{}{}", made.out, made.err);
    let ran = verify(&folder, &["fleet.pack", "--public-key", "cert.pub.pem", "--format", "json"]);
    let document = ran.json();
    assert_eq!((ran.code, document["verified"].as_bool()), (0, Some(true)), "{document:#}");
    let wrong = Schema::load("verify").wrong(&document);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let members: Vec<&str> = document["members"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert!(members.contains(&"decisions.jsonl") && members.iter().filter(|m| m.starts_with("evidence/")).count() == 2, "{members:?}");
    // Nobody's key proves nothing; another's is wrong.
    assert_eq!(verify(&folder, &["fleet.pack"]).code, 0);
    assert_eq!(verify(&folder, &["fleet.pack", "--fail-on", "unknown"]).code, 3);
    assert_eq!(verify(&folder, &["fleet.pack", "--public-key", "other.pub.pem"]).code, 4);
    // The same store is the same pack.
    export(&folder, &["--key", "cert.pem", "--show-subscribers", "-o", "again.pack"]);
    let whole = fs::read(folder.path().join("fleet.pack")).unwrap();
    assert_eq!(whole, fs::read(folder.path().join("again.pack")).unwrap());
    for needle in [&b"North gate"[..], b"=cmd() <script>", b"ICCID", b"received_by"] {
        let Some(at) = whole.windows(needle.len()).position(|w| w.eq_ignore_ascii_case(needle)) else {
            panic!("{} is not in the pack", String::from_utf8_lossy(needle));
        };
        let mut changed = whole.clone();
        changed[at] ^= 1;
        folder.write("changed.pack", changed);
        let ran = verify(&folder, &["changed.pack", "--public-key", "cert.pub.pem"]);
        assert_eq!(ran.code, 4, "{}: {}{}", String::from_utf8_lossy(needle), ran.out, ran.err);
    }
    folder.write("cut.pack", &whole[..whole.len() / 2]);
    assert!([2, 4].contains(&verify(&folder, &["cut.pack", "--public-key", "cert.pub.pem"]).code));
    // Nothing is left aside in the home.
    let left: Vec<_> = fs::read_dir(folder.path().join("home")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|n| n.to_string_lossy().contains(".part")), "{left:?}");
}

#[test]
fn without_the_right_to_subscriber_numbers_a_pack_holds_none() {
    let folder = Folder::new();
    home(&folder);
    let made = export(&folder, &["-o", "masked.pack"]);
    assert!(made.code == 0 && made.out.contains("2 artefacts are there by their digests alone"), "{}{}", made.out, made.err);
    let text = fs::read(folder.path().join("masked.pack")).unwrap();
    assert!(!text.windows(12).any(|w| w == b"898822800000"), "an ICCID stands whole in it");
    let ran = verify(&folder, &["masked.pack"]);
    assert!(ran.code == 0 && ran.out.contains("nobody signed the manifest"), "{}", ran.out);
    // A query chooses devices, and what they stand on.
    let none = export(&folder, &["--query", "site:elsewhere", "-o", "none.pack"]);
    assert!(none.out.contains("0 devices, 0 artefacts"), "{}", none.out);
}

#[test]
fn what_cannot_be_packed_or_verified_is_said() {
    let folder = Folder::new();
    for (words, said) in
        [(&["-o", "x.pack"][..], "there is no store"), (&[], "a pack is a file"), (&["--query", "maker:", "-o", "x.pack"], "--query")]
    {
        let ran = export(&folder, words);
        assert!(ran.code == 2 && ran.err.contains(said), "{words:?}: {}", ran.err);
    }
    folder.write("junk", "no tar at all\n".repeat(100));
    assert!([2, 4].contains(&verify(&folder, &["junk"]).code));
    assert_eq!(verify(&folder, &["absent"]).code, 2);
    let bare = run(&folder, ["export"]);
    assert!(bare.code == 2 && bare.err.contains("edges, tac, or --pack"), "{}", bare.err);
}

#[test]
fn a_store_is_backed_up_and_restored_and_a_changed_byte_is_refused() {
    let folder = Folder::new();
    home(&folder);
    let made = run(&folder, ["backup"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let path = made.out.trim().to_owned();
    assert!(path.contains("backups") && fs::metadata(&path).is_ok(), "{path}");
    assert_eq!(run(&folder, ["doctor"]).code, 0);
    // Never over a store that is there.
    let over = run(&folder, ["restore", &path]);
    assert!(over.code == 2 && over.err.contains("is there already"), "{}", over.err);
    assert_eq!(run(&folder, ["restore", &path, "--home", "new"]).code, 0);
    export(&folder, &["-o", "old.pack"]);
    export(&folder, &["--home", "new", "-o", "new.pack"]);
    let pack = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(pack("old.pack") == pack("new.pack"), "the same store is the same pack");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    folder.write("changed", bytes);
    assert_eq!(run(&folder, ["restore", "changed", "--home", "third"]).code, 2);
    assert!(!folder.path().join("third/umbilical.db").exists());
    // A store whose rows were touched is found by the doctor.
    let db = folder.path().join("home/umbilical.db");
    let text = fs::read(&db).unwrap();
    let at = text.windows(8).position(|w| w == b"sims.csv").unwrap();
    let mut touched = text.clone();
    touched[at] = b'x';
    fs::write(&db, touched).unwrap();
    let sick = run(&folder, ["doctor"]);
    assert!(sick.code == 1 && sick.out.contains("store"), "{}", sick.out);
}
