//! Documents made to harm: each gives a problem that says where, in bounded time and memory.

use super::*;

const HEAD: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"device","name":"EC25-E"},"#;

/// A document that is on no disk.
fn stream(head: &str, fill: &'static str, times: u64, tail: &'static str) -> impl Read + use<> {
    let head = format!("{HEAD}{head}");
    let filling = Repeat { text: fill.as_bytes(), at: 0, left: times * fill.len() as u64 };
    io::Cursor::new(head.into_bytes()).chain(filling).chain(tail.as_bytes())
}

struct Repeat {
    text: &'static [u8],
    at: usize,
    left: u64,
}

impl Read for Repeat {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(self.text.len() - self.at).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buf[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at = (self.at + n) % self.text.len();
        self.left -= n as u64;
        Ok(n)
    }
}

#[test]
fn brackets_a_hundred_thousand_deep() {
    const DEEP: u64 = 100_000;
    for (head, fill, tail) in
        [(r#"{"type":"device","name":"a","hyper":"#, "[", "]"), (r#"{"type":"device","name":"a","hyper":"#, "{\"a\":", "}"), ("", "[", "]")]
    {
        let out = read_from(stream(head, fill, DEEP, "1"), true);
        assert!(says(&out, "breaks off"), "{fill}: {:?}", out.problems);
        assert_eq!(parts(&out)[0].value.as_deref(), Some("EC25-E"));
        let closing = tail.repeat(DEEP as usize);
        let end = if head.is_empty() { "]}" } else { "},{\"type\":\"device\",\"name\":\"after\"}]}" };
        let whole = format!("{HEAD}{head}{}1{closing}{end}", fill.repeat(DEEP as usize));
        let out = read(&whole, true);
        assert!(says(&out, "nested deeper than 100 levels"), "{fill}: {:?}", out.problems);
        assert!(out.schema_errors > 0);
        let last = parts(&out).last().and_then(|p| p.value.as_deref());
        assert_eq!(last, Some(if head.is_empty() { "EC25-E" } else { "after" }));
    }
}

#[test]
fn components_a_hundred_thousand_deep() {
    let open = r#"{"type":"device","name":"a","components":["#;
    let whole = format!("{HEAD}{}{}]}}", open.repeat(100_000), "]}".repeat(100_000));
    for validate in [false, true] {
        let out = read(&whole, validate);
        assert!(says(&out, "more than 256 components inside one another"), "{:?}", out.problems);
        assert_eq!(parts(&out).len(), 257);
        assert!(out.problems.iter().all(|p| p.what.chars().count() < 1200));
        assert_eq!(out.schema_errors > 0, validate);
    }
}

#[test]
fn strings_beyond_all_bounds() {
    for (head, tail, at) in [
        (
            r#"{"type":"device","version":"A","name":""#,
            "\"},{\"type\":\"device\",\"name\":\"after\"}]}",
            "components[1].name: longer than 4 MiB",
        ),
        ("\"", "\",{\"type\":\"device\",\"name\":\"after\"}]}", "components[1]: longer than 4 MiB"),
        (r#"{"type":"device","name":"a",""#, "\":1},{\"type\":\"device\",\"name\":\"after\"}]}", "components[1].a member"),
    ] {
        let out = read_from(stream(head, "0123456789", 2_000_000, tail), true);
        assert!(says(&out, at), "{:?}", out.problems);
        assert_eq!(parts(&out).last().and_then(|p| p.value.as_deref()), Some("after"));
        assert!(out.schema_errors > 0);
    }
}

#[test]
fn a_million_nulls_are_counted_not_told() {
    let out = read_from(stream("", "null,", 1_000_000, "{\"type\":\"device\",\"name\":\"after\"}]}"), false);
    assert_eq!(parts(&out).len(), 2);
    assert_eq!(out.problems.len(), 4);
    assert!(says(&out, "components: 999997 more elements that are no objects"), "{:?}", out.problems);
}

#[test]
fn many_long_members_share_one_bound() {
    let mut text = HEAD.to_owned();
    for n in 0..6 {
        text.push_str(&format!(r#"{{"type":"device","name":"{n}","copyright":"{}","components":["#, "c".repeat(3 << 20)));
    }
    text.push_str(&"]}".repeat(6));
    text.push_str("]}");
    let out = read(&text, false);
    assert!(says(&out, "with what is open around it longer than 8 MiB"), "{:?}", out.problems);
    assert_eq!(parts(&out).len(), 7);
}

#[test]
fn members_that_stand_twice() {
    let mut text = format!("{HEAD}{{\"type\":\"device\",\"name\":\"a\"");
    for n in 0..50_000 {
        text.push_str(&format!(",\"name\":\"n{n}\""));
    }
    text.push_str("}],\"components\":[{\"type\":\"device\",\"name\":\"more\"}]}");
    let out = read(&text, false);
    let names: Vec<_> = parts(&out).iter().map(|p| p.value.as_deref()).collect();
    assert_eq!(names, [Some("EC25-E"), Some("n49999"), Some("more")]);
    assert!(says(&out, "components[1]: 50000 names stand twice") && says(&out, "1 names stand twice"), "{:?}", out.problems);
}

#[test]
fn a_part_with_endless_properties_is_cut() {
    let property = r#"{"name":"x","value":"y"},"#.repeat(10_000);
    let text = format!("{HEAD}{{\"type\":\"device\",\"name\":\"a\",\"properties\":[{}]}}]}}", property.trim_end_matches(','));
    let out = read(&text, false);
    assert_eq!(parts(&out)[1].properties.len(), 256);
    assert!(says(&out, "components[1]: 9744 more properties"), "{:?}", out.problems);
}
