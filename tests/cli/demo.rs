//! `demo` through the real binary: one command, a filled overview, nothing left behind.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use super::{Folder, command, run};

fn get(address: &str, path: &str, cookie: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n").unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    heard
}

#[test]
fn a_link_leads_to_a_filled_overview_and_nothing_stays() {
    let folder = Folder::new();
    let mine = folder.write("tmp/mine.txt", "here before");
    let mut demo = command(&folder);
    demo.env("TMPDIR", mine.parent().unwrap()).args(["demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = demo.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(out.next().expect("it starts").unwrap().contains("four invented fleets"));
    let link = out.next().unwrap().unwrap().trim().to_owned();
    let (address, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();

    // Nobody is let in without the word.
    assert!(get(address, "/", "").contains("303"));
    assert!(get(address, "/demo/0000", "").starts_with("HTTP/1.1 404"));
    let answer = get(address, &format!("/{path}"), "");
    let cookie = answer.lines().find_map(|l| l.strip_prefix("set-cookie: ")).unwrap().split(';').next().unwrap().to_owned();
    assert!(answer.contains("location: /\r\n"), "{answer}");
    let page = get(address, "/", &cookie);
    assert!(page.contains("Demonstration.") && page.contains("Coverage: ") && page.contains("Quectel"), "{page}");
    let fleet = get(address, "/fleet?q=name:RTU-0417", &cookie);
    assert!(fleet.contains("<strong data-total>1</strong> device") && fleet.contains("EG25-G"), "{fleet}");
    assert!(get(address, "/findings?q=verdict:fail", &cookie).contains("US-FCC-COVERED"));

    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(status.success(), "{said}");
    let left: Vec<_> = std::fs::read_dir(mine.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["mine.txt"], "{said}");
}

#[test]
fn a_server_that_is_no_demonstration_lets_nobody_in_by_a_word() {
    let folder = Folder::new();
    let serving = super::serve::Serving::start(&folder, &[]);
    assert!(serving.get("/demo/").starts_with("HTTP/1.1 404"));
    assert!(serving.get("/demo/x").starts_with("HTTP/1.1 404"));
    assert_eq!(run(&folder, ["demo", "--format", "json"]).code, 2);
}
