use std::net::IpAddr;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use umbilical_core::Micros;

use super::*;

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("umbilical-lake-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const NOON: i64 = 1_795_953_600_000_000;

fn row(session: Option<&str>, start: i64) -> FlowRow<'_> {
    let addr = |n: u8| IpAddr::from([10, 0, 0, n]);
    FlowRow {
        session,
        start: Micros(start),
        end: Micros(start + 5),
        src: addr(7),
        dst: "2001:db8::9".parse().unwrap(),
        src_port: 40_000,
        dst_port: 443,
        proto: "tcp".into(),
        packets: 4,
        bytes: 300,
        bytes_up: 200,
        bytes_down: 100,
        dns: Some("meter.example".into()),
        sni: None,
        alpn: None,
        ja3: None,
        ja4: None,
        host: None,
        uri: None,
        agent: None,
        mime: None,
        body: None,
        certificate: None,
        app: Some("tls"),
        role: None,
        endpoint: None,
        topic: None,
        level: None,
        country: Some("DE"),
        asn: Some(64_500),
        as_org: None,
        operator: None,
        operator_country: None,
        answered: None,
        seen: Vec::new(),
        first_frame: 1,
        ended: "idle",
    }
}

/// Every row of the lake: file, session, start, name asked for.
fn rows(home: &Home) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for day in days(&folder(&home.0)).unwrap() {
        for path in files(&day).unwrap() {
            let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
            for row in reader.get_row_iter(None).unwrap() {
                out.push((name(&day).to_owned(), row.unwrap().to_string()));
            }
        }
    }
    out
}

fn write(home: &Home, trace: &str, of: &[(Option<&str>, i64)]) -> Written {
    let mut lake = Lake::create(&home.0, "here").unwrap();
    of.iter().for_each(|(session, start)| lake.push(&row(*session, *start)).unwrap());
    lake.finish(trace).unwrap().unwrap()
}

#[test]
fn a_trace_lies_by_day_sorted_by_session_and_time() {
    let home = Home::new("days");
    let tomorrow = NOON + 86_400_000_000;
    let of = [(Some("ses-b"), NOON + 9), (None, NOON + 3), (Some("ses-a"), NOON + 7), (Some("ses-a"), NOON + 1), (None, tomorrow)];
    let written = write(&home, "aa11", &of);
    assert_eq!((written.rows, written.files), (5, 2));
    let rows = rows(&home);
    let days: Vec<&str> = rows.iter().map(|r| r.0.as_str()).collect();
    assert_eq!(days, ["day=2026-11-29", "day=2026-11-29", "day=2026-11-29", "day=2026-11-29", "day=2026-11-30"]);
    assert!(rows[0].1.contains("session: null") && rows[1].1.contains("\"ses-a\"") && rows[3].1.contains("\"ses-b\""), "{rows:?}");
    assert!(rows[1].1.contains("dst: \"2001:db8::9\"") && rows[1].1.contains("dns: \"meter.example\""), "{}", rows[1].1);
    assert!(rows[1].1.contains("sni: null") && rows[1].1.contains("answered: null") && rows[1].1.contains("start: 2026-11-29 12:00:00"));
    // The same again is the same, and less is less.
    let again = write(&home, "aa11", &of);
    assert_eq!((again, super::tests::rows(&home)), (written, rows));
    write(&home, "aa11", &of[..1]);
    assert_eq!(super::tests::rows(&home).len(), 1);
    write(&home, "aa1", &of[..1]);
    assert_eq!(super::tests::rows(&home).len(), 2);
}

#[test]
fn what_breaks_off_leaves_nothing() {
    let home = Home::new("broken");
    let mut lake = Lake::create(&home.0, "aa11").unwrap();
    lake.push(&row(None, NOON)).unwrap();
    lake.write().unwrap();
    drop(lake);
    let left: Vec<PathBuf> = days(&folder(&home.0)).unwrap().iter().flat_map(|d| listed(d).unwrap()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn many_days_need_few_open_files_and_many_writers_lose_nothing() {
    let home = Home::new("crowd");
    let of: Vec<_> = (0..200).map(|d| (None, NOON + d * 86_400_000_000)).collect();
    let written = write(&home, "aa11", &of);
    assert_eq!((written.files, rows(&home).len()), (200, 200));
    std::thread::scope(|scope| {
        for n in 0..8_i64 {
            let home = &home.0;
            scope.spawn(move || {
                for k in 0..6_i64 {
                    let mut lake = Lake::create(home, &format!("writer{n}")).unwrap();
                    lake.push(&row(None, NOON - 86_400_000_000 + n * 10 + k)).unwrap();
                    lake.finish(&format!("{n:02x}{k:02x}")).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(rows(&home).len(), 248);
}

#[test]
fn many_small_files_become_one_and_old_days_go() {
    let home = Home::new("many");
    for n in 0..40_i64 {
        write(&home, &format!("{n:04x}"), &[(Some("ses-a"), NOON + n), (None, NOON + n)]);
    }
    let day = folder(&home.0).join("day=2026-11-29");
    assert!(files(&day).unwrap().len() < MANY, "{:?}", files(&day));
    let all = rows(&home);
    assert_eq!(all.len(), 80);
    // What was merged is not written once more.
    let mut lake = Lake::create(&home.0, "here").unwrap();
    lake.push(&row(None, NOON)).unwrap();
    assert_eq!(lake.finish("0000").unwrap(), None);
    assert_eq!(listed(&day).unwrap(), files(&day).unwrap());
    // What a merge that was ended in the middle left behind goes.
    let left = day.join("0003-0000.parquet");
    fs::copy(files(&day).unwrap().last().unwrap(), &left).unwrap();
    write(&home, "beef", &[(None, NOON)]);
    assert!(!left.exists());
    fs::remove_file(day.join("beef-0000.parquet")).unwrap();
    assert_eq!(retain(&home.0, "2026-11-29".parse().unwrap()).unwrap(), 0);
    assert_eq!(retain(&home.0, "2026-11-30".parse().unwrap()).unwrap(), 1);
    assert_eq!(rows(&home), []);
}
