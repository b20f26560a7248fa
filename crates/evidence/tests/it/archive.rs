//! Folders and archives.

use std::fs;
use std::path::PathBuf;

use umbilical_core::Observations;
use umbilical_evidence::open::{OpenError, Options, read_paths};
use umbilical_knowledge::Knowledge;

use crate::fixtures::{Scratch, read, walk};

#[test]
fn cases() {
    walk("archive");
}

#[test]
fn a_missing_path_is_an_error_and_an_empty_folder_is_none() {
    let knowledge = Knowledge::embedded();
    let options =
        Options { knowledge: &knowledge, mapping: None, purpose: Default::default(), validate: false, threads: 1, progress: &|_| {} };
    let mut out = Observations::new();
    let missing = read_paths(&[PathBuf::from("no/such/path")], &options, &mut out).unwrap_err();
    assert!(matches!(&missing, OpenError::Missing(_)) && missing.to_string() == "no/such/path: no such file or folder", "{missing}");
    let empty = Scratch::new("empty");
    let looked = read_paths(std::slice::from_ref(&empty.0), &options, &mut out).unwrap();
    assert_eq!((looked.artefacts, out.inputs.len()), (0, 0));
}

#[test]
fn a_file_is_read_once_however_often_it_is_named() {
    let folder = Scratch::new("once");
    let file = folder.0.join("a.csv");
    fs::write(&file, "imei\n490154203237518\n").unwrap();
    let spelled = folder.0.join(".").join("a.csv");
    let out = read(&[folder.0.clone(), file.clone(), spelled], None, 2);
    assert_eq!(out.inputs.len(), 1);
    assert_eq!(out.inputs[0].bytes, 21);
    assert_eq!(out.inputs[0].sha256.len(), 64);
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_pipes_in_folders_harm_nobody() {
    let folder = Scratch::new("circle");
    fs::create_dir(folder.0.join("a")).unwrap();
    fs::write(folder.0.join("a/x.csv"), "imei\n490154203237518\n").unwrap();
    std::os::unix::fs::symlink("..", folder.0.join("a/up")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.0.join("a/dangling")).unwrap();
    // A socket blocks or fails whoever opens it.
    let _socket = std::os::unix::net::UnixListener::bind(folder.0.join("a/s")).unwrap();
    let out = read(std::slice::from_ref(&folder.0), None, 2);
    let formats: Vec<&str> = out.inputs.iter().map(|i| i.format.as_str()).collect();
    assert_eq!(formats, ["unreadable", "csv"], "{:?}", out.inputs);
}

#[test]
fn progress_counts_every_byte() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let folder = Scratch::new("progress");
    fs::write(folder.0.join("a.csv"), "imei\n490154203237518\n".repeat(200_000)).unwrap();
    let (last, calls) = (AtomicU64::new(0), AtomicU64::new(0));
    let report = |n| {
        last.store(n, Ordering::Relaxed);
        calls.fetch_add(1, Ordering::Relaxed);
    };
    let knowledge = Knowledge::embedded();
    let mut out = Observations::new();
    let looked = read_paths(
        std::slice::from_ref(&folder.0),
        &Options { knowledge: &knowledge, mapping: None, purpose: Default::default(), validate: false, threads: 1, progress: &report },
        &mut out,
    )
    .unwrap();
    assert_eq!((looked.bytes, last.load(Ordering::Relaxed)), (4_200_000, 4_200_000));
    assert!(calls.load(Ordering::Relaxed) >= 4);
    assert_eq!(umbilical_evidence::open::total_bytes(std::slice::from_ref(&folder.0)), 4_200_000);
}
