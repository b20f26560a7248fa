//! Flags, formats and exit codes as DESIGN's contract states them.

use std::process::Stdio;

use super::{Folder, LSUSB, at_session, command, imei, run, run_with_input, sims};

#[test]
fn global_flags_stand_before_and_after_every_command() {
    let folder = Folder::new();
    folder.write("a/lsusb.txt", LSUSB);
    folder.write("bom.csv", "Reference,Value,Manufacturer,MPN\nU1,EC25-E,Quectel,EC25EFA-512-STD\n");
    folder.write("tac.csv", "TAC,Brand Name,Model Name\n35000001,Acme,A1\n");
    assert_eq!(run(&folder, ["audit", "a", "--quiet"]).code, 0);
    let commands: &[&[&str]] = &[
        &["audit", "a"],
        &["explain", "a/lsusb.txt", "a"],
        &["lookup", "2c7c:0125"],
        &["bom", "verify", "--declared", "bom.csv", "--observed", "a"],
        &["policy", "check", "bom.csv", "--policy", "us-fcc-covered"],
        &["policy", "why", "US-FCC-COVERED-HOST", "bom.csv", "--policy", "us-fcc-covered"],
        &["policy", "markets", "bom.csv", "--policy", "us-fcc-covered"],
        &["policy", "list", "us-fcc-covered"],
        &["policy", "test", "us-fcc-covered"],
        &["policy", "timeline", "--policy", "us-fcc-covered"],
        &["export", "edges"],
        &["export", "tac"],
        &["knowledge", "import", "tac.csv"],
        &["completions", "bash"],
        &["man"],
    ];
    let flags = ["--as-of", "2026-11-25", "--quiet", "--color", "never", "--no-save", "--strict", "--show-subscribers"];
    for words in commands {
        let before = run(&folder, flags.iter().chain(words.iter()));
        let after = run(&folder, words.iter().chain(flags.iter()));
        assert_eq!((before.code, after.code), (0, 0), "{words:?}\n{}{}", before.err, after.err);
        assert_eq!(before.out, after.out, "{words:?}");
        assert!(!before.out.is_empty(), "{words:?}");
    }
}

#[test]
fn wrong_flags_missing_paths_and_unreadable_things_are_2() {
    let folder = Folder::new();
    folder.write("junk.bin", [0u8, 159, 146, 150, 255, 0, 1, 2].repeat(100));
    let cases: &[&[&str]] = &[
        &["audit"],
        &["audit", "--nonsense", "x"],
        &["audit", "missing.txt"],
        &["audit", "junk.bin"],
        &["audit", ".", "--as-of", "2026-13-01"],
        &["audit", ".", "--fail-on", "nonsense"],
        &["audit", ".", "--format", "sarif"],
        &["lookup", "2c7c:0125", "--format", "html"],
        &["explain", "dev-000000000000"],
        &["audit", ".", "--map", "missing.toml"],
        &["audit", ".", "--knowledge", "missing"],
        &["frobnicate"],
    ];
    for args in cases {
        let ran = run(&folder, *args);
        assert_eq!(ran.code, 2, "{args:?}\n{}", ran.err);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{args:?}");
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
    let named = run(&folder, ["lookup", "x", "--format", "html"]);
    assert!(named.err.contains("table") && named.err.contains("json"), "{}", named.err);
}

#[test]
fn what_is_understood_gives_its_document_and_0() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    folder.write("note.txt", "nothing to see here\n");
    folder.write("empty.csv", "");
    for path in ["empty", "note.txt", "empty.csv"] {
        let ran = run(&folder, ["audit", path, "--format", "json", "--no-save"]);
        assert_eq!(ran.code, 0, "{path}: {}", ran.err);
        assert_eq!(ran.json()["coverage"]["cellular"], 0);
        let table = run(&folder, ["audit", path, "--no-save"]);
        assert!(table.out.contains("looked at"), "{}", table.out);
    }
    // One unreadable among readable ones is listed; --strict makes it an error.
    folder.write("mixed/lsusb.txt", LSUSB);
    folder.write("mixed/junk.bin", [0u8, 159, 146, 150, 255, 0, 1, 2].repeat(100));
    let ran = run(&folder, ["audit", "mixed", "--format", "json", "--no-save"]);
    assert_eq!(ran.code, 0);
    assert!(ran.json()["problems"].as_array().unwrap().iter().any(|p| p["input"] == 0));
    assert_eq!(run(&folder, ["audit", "mixed", "--strict", "--no-save"]).code, 2);
}

#[test]
fn gates() {
    let folder = Folder::new();
    let (a, b) = (imei("86769804", 1), imei("99999902", 2));
    folder.write("f/sims.csv", sims(&[&a, &b]));
    folder.write("f/gw/at.txt", at_session(&a));
    folder.write("u/note.csv", "asset id,model,owner\nP-1,Pump controller,ops\n");
    assert_eq!(run(&folder, ["audit", "f", "--no-save"]).code, 0);
    assert_eq!(run(&folder, ["audit", "u", "--no-save", "--fail-on", "unknown"]).code, 3);
    assert_eq!(run(&folder, ["audit", "f", "--no-save", "--fail-on", "critical"]).code, 0);
    folder.write("c/cmdb.csv", format!("asset id,imei\nGW-1,{a}\nGW-2,{a}\n"));
    assert_eq!(run(&folder, ["audit", "c", "--no-save", "--fail-on", "cloned-imei"]).code, 1);
    assert_eq!(run(&folder, ["audit", "c", "--no-save", "--fail-on", "high,unknown"]).code, 1);
    assert_eq!(run(&folder, ["audit", "c", "--no-save", "--fail-on", "critical,sim-moved"]).code, 0);
    // What nothing judges yet cannot trip: that is said, not passed over.
    let words = "fail,review,incident,undisclosed";
    let idle = run(&folder, ["audit", "f", "--no-save", "--fail-on", words, "--format", "json"]);
    assert_eq!((idle.code, &idle.json()["coverage"]["undisclosed"]), (0, &serde_json::Value::Null));
    for word in words.split(',') {
        let why = |l: &str| l.contains("it cannot trip") || l.contains("name a pack with --policy");
        let said = idle.err.lines().any(|l| l.contains(&format!("judges `{word}`")) && why(l));
        assert!(said, "{word}\n{}", idle.err);
    }
    // A bill of materials among the evidence judges it.
    folder.write("b/bom.csv", "Reference,Value,Qty,Manufacturer\nA1,Boron BRN404X,1,Particle\nR1,10k,1,Yageo\n");
    let hidden = run(&folder, ["audit", "b", "--no-save", "--fail-on", "undisclosed", "--format", "json"]);
    assert_eq!((hidden.code, &hidden.json()["coverage"]["undisclosed"]), (3, &1.into()), "{}", hidden.err);
    assert_eq!(run(&folder, ["audit", "f", "--no-save", "--fail-on", words, "--quiet"]).err, "");
    assert_eq!(run(&folder, ["audit", "f", "--no-save", "--fail-on", "unknown,high"]).err, "");
    // The document is written whatever the code.
    assert!(run(&folder, ["audit", "c", "--no-save", "--fail-on", "high", "--format", "json"]).json()["devices"].is_array());
}

#[test]
fn standard_input_output_files_and_closed_pipes() {
    let folder = Folder::new();
    let ran = run_with_input(&folder, &["audit", "-", "--format", "json", "--no-save"], LSUSB.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.json()["devices"][0]["modules"][0]["maker"], "Quectel");
    folder.write("lsusb.txt", LSUSB);
    let ran = run(&folder, ["audit", "lsusb.txt", "--format", "html", "--output", "out.html", "--no-save"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(std::fs::read_to_string(folder.path().join("out.html")).unwrap().contains("Quectel"));
    assert!(!std::fs::read_dir(folder.path()).unwrap().any(|e| e.unwrap().file_name().to_string_lossy().contains(".part")));
    // A device is written to directly, never replaced.
    assert_eq!(run(&folder, ["audit", "lsusb.txt", "--output", "/dev/null", "--no-save"]).code, 0);
    assert_eq!(run(&folder, ["audit", "lsusb.txt", "--output", "missing/out.html", "--no-save"]).code, 2);
    let mut child = command(&folder)
        .args(["audit", "lsusb.txt", "--format", "json", "--no-save"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.stderr.is_empty());
}

#[test]
fn a_closed_pipe_changes_neither_the_gate_nor_what_is_kept() {
    let folder = Folder::new();
    let number = imei("86769804", 1);
    folder.write("cmdb.csv", format!("asset id,imei\nGW-1,{number}\nGW-2,{number}\n"));
    let mut child = command(&folder)
        .args(["audit", "cmdb.csv", "--fail-on", "cloned-imei"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(1), ""));
    assert!(run(&folder, ["explain", "GW-1"]).out.contains(&number));
}

#[test]
fn the_saved_answer_is_for_its_own_day_and_its_own_masks() {
    let folder = Folder::new();
    folder.write("sims.csv", sims(&[&imei("86769804", 1)]));
    assert_eq!(run(&folder, ["audit", "sims.csv", "--as-of", "2025-03-01"]).code, 0);
    let name = "meter 0";
    assert_eq!(run(&folder, ["explain", name]).code, 0);
    assert_eq!(run(&folder, ["explain", name, "--as-of", "2025-03-01"]).code, 0);
    let other = run(&folder, ["explain", name, "--as-of", "2020-01-01"]);
    assert_eq!((other.code, other.out.as_str()), (2, ""));
    assert!(other.err.contains("as of 2025-03-01") && other.err.contains("PATH"), "{}", other.err);
    let whole = run(&folder, ["explain", name, "--show-subscribers"]);
    assert_eq!((whole.code, whole.out.as_str()), (2, ""));
    // With the evidence both are answered.
    let evident = run(&folder, ["explain", name, "sims.csv", "--as-of", "2020-01-01", "--show-subscribers"]);
    assert!(evident.out.contains("8988228000000000000"), "{}{}", evident.out, evident.err);
}

#[cfg(unix)]
#[test]
fn what_the_home_holds_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = Folder::new();
    let number = imei("86769804", 1);
    folder.write("sims.csv", sims(&[&number]));
    folder.write("tac.csv", "TAC,Brand Name,Model Name\n35000001,Acme,A1\n");
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run(&folder, ["audit", "sims.csv"]).code, 0);
    assert_eq!(run(&folder, ["knowledge", "import", "tac.csv"]).code, 0);
    assert_eq!(mode(&home), 0o755, "a folder that was there keeps its mode");
    for file in ["audit.json", "knowledge/tac-licensed.csv"] {
        assert_eq!(mode(&home.join(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&home.join("knowledge")), 0o700);
}

#[test]
fn help_shows_examples_and_completions_and_the_manual_come_from_it() {
    let folder = Folder::new();
    for args in [&["--help"][..], &["audit", "--help"], &["explain", "--help"], &["lookup", "--help"], &["knowledge", "import", "--help"]] {
        let ran = run(&folder, args);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("Examples:"), "{args:?}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(run(&folder, ["completions", shell]).out.contains("umbilical"), "{shell}");
    }
    assert!(run(&folder, ["man"]).out.contains(".TH umbilical"));
}
