//! JSON as logs have it (RFC 8259), field by field: what nobody asks for is passed over.
//!
//! A line has some thirty fields of which ten are asked for, and what can read anything spends most of its time on being able to. This
//! knows what text, a number and a time are, and looks at the rest as far as it must to find where it ends.
//!
//! `null` is what is not said, whatever is asked for; of a field that stands twice the last counts. What is asked for must be of its kind,
//! and its strings be text; of what is passed over, names included, only the grammar counts. However deep that goes, nothing calls itself.
//!
//! Where it stands is kept in registers, which is half of its speed: what looks at bytes is inlined always, and what is rare takes and gives
//! slices, so that it needs no address.

use std::borrow::Cow;

use super::lines::{Stamp, Text};
use super::text;

/// Why it is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It ends in the middle.
    Ends,
    /// It is no JSON, or something else than what is asked for.
    Other,
}

/// What is filled from an object.
pub(super) trait Object<'a>: Default {
    /// A field of it: takes the value, or passes over it.
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong>;
}

/// What is not read yet of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json<'a> {
    rest: &'a [u8],
    /// The line where all of it is text, which is found out faster of a whole line.
    line: &'a str,
}

/// Fills from a line, which is one object. What reads lines of other shapes is not to pay for it.
#[inline(never)]
pub(super) fn fill<'a>(object: &mut impl Object<'a>, line: &'a [u8]) -> Result<(), Wrong> {
    let mut json = Json { rest: line, line: std::str::from_utf8(line).unwrap_or_default() };
    if !json.fill(object)? {
        return Err(Wrong::Other);
    }
    json.peek().map_or(Ok(()), |_| Err(Wrong::Other))
}

impl<'a> Json<'a> {
    /// An object.
    pub fn object<T: Object<'a>>(&mut self) -> Result<Option<T>, Wrong> {
        // In its place from the beginning: it is large.
        let mut object = None;
        if !self.fill(object.get_or_insert_default())? {
            object = None;
        }
        Ok(object)
    }

    #[inline(always)]
    fn fill(&mut self, object: &mut impl Object<'a>) -> Result<bool, Wrong> {
        if !self.opens(b'{')? {
            return Ok(false);
        }
        let mut more = !self.closes(b'}')?;
        while more {
            let (key, escaped) = self.key()?;
            if escaped {
                // What is no text is the name of nothing that is asked for.
                object.field(unescaped(key).unwrap_or_default().as_bytes(), self)?;
            } else {
                object.field(key, self)?;
            }
            more = self.more(b'}')?;
        }
        Ok(true)
    }

    /// The values of an array, except those that are not said.
    pub fn items<T>(&mut self, mut each: impl FnMut(&mut Self) -> Result<Option<T>, Wrong>) -> Result<Vec<T>, Wrong> {
        let mut items = Vec::new();
        let mut more = self.opens(b'[')? && !self.closes(b']')?;
        while more {
            items.extend(each(self)?);
            more = self.more(b']')?;
        }
        Ok(items)
    }

    /// Text.
    pub fn text(&mut self) -> Result<Option<Text<'a>>, Wrong> {
        if self.peek()? != b'"' {
            return self.null();
        }
        let from = self.line.len().saturating_sub(self.rest.len()).saturating_add(1);
        let (inside, escaped) = self.string()?;
        if escaped {
            return unescaped(inside).map(|text| Some(Text(Cow::Owned(text))));
        }
        match self.line.get(from..from.saturating_add(inside.len())) {
            Some(text) => Ok(Some(Text(Cow::Borrowed(text)))),
            None => part(inside),
        }
    }

    /// Text, or nothing where it is something else.
    pub fn text_if_any(&mut self) -> Result<Option<Text<'a>>, Wrong> {
        if self.peek()? == b'"' { self.text() } else { self.skip().map(|()| None) }
    }

    /// A whole number that is not negative, and not too large for what it is put into.
    pub fn number<T: TryFrom<u64>>(&mut self) -> Result<Option<T>, Wrong> {
        if !self.peek()?.is_ascii_digit() {
            return self.null();
        }
        T::try_from(self.whole()?).map(Some).map_err(|_| Wrong::Other)
    }

    /// Its digits, of which nineteen always have room.
    #[inline(always)]
    fn whole(&mut self) -> Result<u64, Wrong> {
        let (sum, rest) = text::leading(self.rest);
        let (all, count) = (self.rest, self.rest.len().saturating_sub(rest.len()));
        self.rest = rest;
        match rest {
            [b'.' | b'e' | b'E', ..] => Err(Wrong::Other),
            _ if count > 1 && all.starts_with(b"0") => Err(Wrong::Other),
            _ if count > 19 => all.get(..count).and_then(text::number).ok_or(Wrong::Other),
            _ => Ok(sum),
        }
    }

    /// A time or a span, as a number or as text.
    pub fn time(&mut self) -> Result<Option<Stamp>, Wrong> {
        let stamp = match self.peek()? {
            b'n' => return self.null(),
            b'"' => self.text()?.and_then(|text| Stamp::of_text(text.bytes())),
            _ => Stamp::of_number(self.numeral()?),
        };
        stamp.map(Some).ok_or(Wrong::Other)
    }

    /// Whether anything is said, whatever it is.
    pub fn said(&mut self) -> Result<bool, Wrong> {
        let null = self.peek()? == b'n';
        self.skip().map(|()| !null)
    }

    /// Passes over a value.
    pub fn skip(&mut self) -> Result<(), Wrong> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' => self.nested(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.numeral().map(|_| ()),
        }
    }

    /// Passes over an object or an array with everything in it.
    fn nested(&mut self) -> Result<(), Wrong> {
        let mut open = Open { last: 1, others: Vec::new() };
        loop {
            // A value.
            let next = self.peek()?;
            if matches!(next, b'{' | b'[') {
                self.take();
                let object = next == b'{';
                if !self.closes(end(object))? {
                    open.put(object);
                    if object {
                        self.key()?;
                    }
                    continue;
                }
            } else {
                self.skip()?;
            }
            // What follows on it: the next, or the ends of what it is in.
            while let Some(object) = open.object() {
                if self.more(end(object))? {
                    if object {
                        self.key()?;
                    }
                    break;
                }
                open.close();
            }
            if open.object().is_none() {
                return Ok(());
            }
        }
    }

    /// The first byte behind white space.
    #[inline(always)]
    pub fn peek(&mut self) -> Result<u8, Wrong> {
        match self.rest {
            [first @ b'!'..=0xff, ..] => Ok(*first),
            _ => {
                self.rest = space(self.rest);
                self.rest.first().copied().ok_or(Wrong::Ends)
            }
        }
    }

    #[inline(always)]
    fn take(&mut self) {
        self.rest = self.rest.split_first().map_or(&[], |(_, behind)| behind);
    }

    /// Whether this begins; it is nothing else than `null` otherwise.
    #[inline(always)]
    fn opens(&mut self, begin: u8) -> Result<bool, Wrong> {
        if self.closes(begin)? { Ok(true) } else { self.null::<()>().map(|_| false) }
    }

    /// Takes this if it is next.
    #[inline(always)]
    fn closes(&mut self, end: u8) -> Result<bool, Wrong> {
        let next = self.peek()? == end;
        if next {
            self.take();
        }
        Ok(next)
    }

    /// Whether there is another behind a comma, or this ends it.
    #[inline(always)]
    fn more(&mut self, end: u8) -> Result<bool, Wrong> {
        let next = self.peek()?;
        self.take();
        if next == b',' {
            Ok(true)
        } else if next == end {
            Ok(false)
        } else {
            Err(Wrong::Other)
        }
    }

    /// The name of a field and the colon behind it, and whether something in it is escaped.
    #[inline(always)]
    fn key(&mut self) -> Result<(&'a [u8], bool), Wrong> {
        self.peek()?;
        let key = self.string()?;
        if self.peek()? != b':' {
            return Err(Wrong::Other);
        }
        self.take();
        Ok(key)
    }

    /// What is between quotes, and whether something in it is escaped.
    #[inline(always)]
    fn string(&mut self) -> Result<(&'a [u8], bool), Wrong> {
        let [b'"', inside @ ..] = self.rest else { return Err(Wrong::Other) };
        match plain(inside) {
            rest @ [b'"', behind @ ..] => {
                self.rest = behind;
                Ok((before(inside, rest), false))
            }
            rest => {
                let (inside, behind) = escaped(inside, rest)?;
                self.rest = behind;
                Ok((inside, true))
            }
        }
    }

    #[inline(always)]
    fn null<T>(&mut self) -> Result<Option<T>, Wrong> {
        self.word(b"null").map(|()| None)
    }

    #[inline(always)]
    fn word(&mut self, word: &[u8]) -> Result<(), Wrong> {
        self.rest = behind(self.rest, word)?;
        Ok(())
    }

    /// A number as it is written.
    fn numeral(&mut self) -> Result<&'a [u8], Wrong> {
        let whole = self.rest;
        let positive = whole.strip_prefix(b"-").unwrap_or(whole);
        let mut rest = digits(positive)?;
        if matches!(positive, [b'0', b'0'..=b'9', ..]) {
            return Err(Wrong::Other);
        }
        if let [b'.', behind @ ..] = rest {
            rest = digits(behind)?;
        }
        if let [b'e' | b'E', b'+' | b'-', behind @ ..] | [b'e' | b'E', behind @ ..] = rest {
            rest = digits(behind)?;
        }
        self.rest = rest;
        Ok(before(whole, rest))
    }
}

/// What is behind white space.
#[cold]
fn space(mut rest: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', behind @ ..] = rest {
        rest = behind;
    }
    rest
}

/// What is between quotes, and what is behind them, where something in it is escaped.
#[cold]
fn escaped<'a>(inside: &'a [u8], mut rest: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Wrong> {
    loop {
        rest = match rest {
            [b'"', behind @ ..] => return Ok((before(inside, rest), behind)),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', behind @ ..] => behind,
            [b'\\', b'u', behind @ ..] => match behind.split_first_chunk::<4>() {
                Some((digits, behind)) if digits.iter().all(u8::is_ascii_hexdigit) => behind,
                Some(_) => return Err(Wrong::Other),
                None => return Err(Wrong::Ends),
            },
            [] | [b'\\'] => return Err(Wrong::Ends),
            _ => return Err(Wrong::Other),
        };
        rest = plain(rest);
    }
}

/// What is behind a word.
fn behind<'a>(rest: &'a [u8], word: &[u8]) -> Result<&'a [u8], Wrong> {
    match rest.strip_prefix(word) {
        Some(behind) => Ok(behind),
        None if word.starts_with(rest) => Err(Wrong::Ends),
        None => Err(Wrong::Other),
    }
}

/// What is behind one digit or more.
#[inline]
fn digits(number: &[u8]) -> Result<&[u8], Wrong> {
    let (_, rest) = text::leading(number);
    match rest {
        [] if number.is_empty() => Err(Wrong::Ends),
        _ if rest.len() == number.len() => Err(Wrong::Other),
        _ => Ok(rest),
    }
}

/// What stands before the rest of it.
#[inline]
fn before<'a>(whole: &'a [u8], rest: &[u8]) -> &'a [u8] {
    whole.get(..whole.len().saturating_sub(rest.len())).unwrap_or_default()
}

fn end(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

/// What is open around a value, one bit each: 1 is an object. The first bit that is set is none of them.
struct Open {
    last: u64,
    others: Vec<u64>,
}

impl Open {
    fn put(&mut self, object: bool) {
        if self.last.leading_zeros() == 0 {
            self.others.push(self.last);
            self.last = 1;
        }
        self.last = self.last << 1 | u64::from(object);
    }

    fn object(&self) -> Option<bool> {
        (self.last > 1).then_some(self.last & 1 == 1)
    }

    fn close(&mut self) {
        self.last >>= 1;
        if self.last == 1 {
            self.last = self.others.pop().unwrap_or(1);
        }
    }
}

/// From the first quote, backslash, or byte on that must not be in a string.
#[inline(always)]
fn plain(text: &[u8]) -> &[u8] {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let mut rest = text;
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        let eight = u64::from_le_bytes(*eight);
        // Taking away more than a byte is sets its highest bit, and may set those above it, so the lowest that is set is right. With a bit
        // turned, control characters and the quote are what is less than 0x21.
        let low = (eight ^ (EACH * 0x02)).wrapping_sub(EACH * 0x21) | (eight ^ (EACH * 0x5c)).wrapping_sub(EACH);
        let found = low & !eight & (EACH * 0x80);
        if found != 0 {
            return rest.get(found.trailing_zeros() as usize / 8..).unwrap_or_default();
        }
        rest = behind;
    }
    while let [0x20..=0x21 | 0x23..=0x5b | 0x5d..=0xff, behind @ ..] = rest {
        rest = behind;
    }
    rest
}

/// What is asked for of a line that is not text as a whole.
#[cold]
fn part(inside: &[u8]) -> Result<Option<Text<'_>>, Wrong> {
    std::str::from_utf8(inside).map(|text| Some(Text(Cow::Borrowed(text)))).map_err(|_| Wrong::Other)
}

/// What this says between quotes.
#[cold]
fn unescaped(inside: &[u8]) -> Result<String, Wrong> {
    serde_json::from_slice(&[b"\"", inside, b"\""].concat()).map_err(|_| Wrong::Other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::time::Micros;

    fn json(text: &[u8]) -> Json<'_> {
        Json { rest: text, line: std::str::from_utf8(text).unwrap_or_default() }
    }

    /// Reads all of it with this.
    fn whole<'a, T>(text: &'a [u8], read: impl FnOnce(&mut Json<'a>) -> Result<T, Wrong>) -> Result<T, Wrong> {
        let mut json = json(text);
        let value = read(&mut json)?;
        if json.peek().is_ok() { Err(Wrong::Other) } else { Ok(value) }
    }

    fn text(quoted: &[u8]) -> Result<Option<String>, Wrong> {
        whole(quoted, Json::text).map(|text| text.map(|text| text.0.into_owned()))
    }

    /// One of everything.
    #[derive(Debug, Default, PartialEq)]
    struct Said<'a> {
        word: Option<Text<'a>>,
        port: Option<u16>,
        count: Option<u64>,
        at: Option<Stamp>,
        words: Vec<Text<'a>>,
        inner: Option<Box<Said<'a>>>,
        any: bool,
    }

    impl<'a> Object<'a> for Said<'a> {
        fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
            match key {
                b"word" => self.word = json.text()?,
                b"port" => self.port = json.number()?,
                b"count" => self.count = json.number()?,
                b"at" => self.at = json.time()?,
                b"words" => self.words = json.items(Json::text)?,
                b"inner" => self.inner = json.object()?.map(Box::new),
                b"any" => self.any = json.said()?,
                _ => json.skip()?,
            }
            Ok(())
        }
    }

    fn said(line: &[u8]) -> Result<Said<'_>, Wrong> {
        let mut said = Said::default();
        fill(&mut said, line).map(|()| said)
    }

    const LINE: &str = r#" { "word" : "a\u00e9\ud83d\ude00\n" ,"x":[{"y":[1,-2.5e+3,true,{}],"z":"\"\\"},[],null,"é"],"port":443,
        "count":18446744073709551615,"at":1601998366.785668,"words":["b",null,"ü"],"w\u006frds2":false,"inner":{"w\u006frd":"c","at":"2017-02-02T05:17:03Z"},"any":{}}
        "#;

    #[test]
    fn a_line_is_read_and_what_is_cut_off_it_breaks_off() {
        let inner = Said { word: Some(Text("c".into())), at: Some(Stamp(Micros(1_486_012_623_000_000))), ..Said::default() };
        let line = Said {
            word: Some(Text("aé😀\n".into())),
            port: Some(443),
            count: Some(u64::MAX),
            at: Some(Stamp(Micros(1_601_998_366_785_668))),
            words: vec![Text("b".into()), Text("ü".into())],
            inner: Some(Box::new(inner)),
            any: true,
        };
        assert_eq!(said(LINE.as_bytes()), Ok(line));
        assert!(matches!(said(br#"{"word":"plain"}"#), Ok(Said { word: Some(Text(Cow::Borrowed("plain"))), .. })));
        let ends = LINE.trim_end().len();
        for cut in 0..ends {
            assert_eq!(said(&LINE.as_bytes()[..cut]), Err(Wrong::Ends), "{:?}", LINE.get(..cut));
        }
        for behind in ["}", ",", "1", "{}", "\0", "null"] {
            assert_eq!(said(format!("{LINE}{behind}").as_bytes()), Err(Wrong::Other), "{behind}");
        }
    }

    #[test]
    fn what_is_not_said_and_what_is_said_twice() {
        let line = br#"{"word":null,"port":null,"count":null,"at":null,"words":null,"inner":null,"any":null}"#;
        assert_eq!(said(line), Ok(Said::default()));
        let twice = said(br#"{"port":1,"word":"a","port":2,"words":["b"],"word":null,"words":[]}"#);
        assert_eq!(twice, Ok(Said { port: Some(2), ..Said::default() }));
        assert_eq!(said(b"null"), Err(Wrong::Other));
        assert_eq!(said(b"{}"), Ok(Said::default()));
    }

    #[test]
    fn what_is_of_another_kind_or_no_json_is_wrong() {
        for wrong in [
            r#"{"word":1}"#,
            r#"{"word":["a"]}"#,
            r#"{"word":nil}"#,
            r#"{"port":"1"}"#,
            r#"{"port":65536}"#,
            r#"{"port":-1}"#,
            r#"{"port":1.0}"#,
            r#"{"port":1e2}"#,
            r#"{"port":01}"#,
            r#"{"count":18446744073709551616}"#,
            r#"{"count":100000000000000000000000000}"#,
            r#"{"at":true}"#,
            r#"{"at":"noon"}"#,
            r#"{"at":1e999}"#,
            r#"{"words":"a"}"#,
            r#"{"words":["a",1]}"#,
            r#"{"words":["a",]}"#,
            r#"{"inner":[]}"#,
            r#"{"inner":1}"#,
            r#"{"any":nul!}"#,
            r#"{"x":1,}"#,
            r#"{"x" 1}"#,
            r#"{"x"::1}"#,
            r#"{x:1}"#,
            r#"{1:1}"#,
            r#"{"x":[1}}"#,
            r#"{"x":{"y":1]}"#,
            r#"{"x":{"y"}}"#,
            r#"{"x":[1 2]}"#,
            r#"{"x":+1}"#,
            r#"{"x":.5}"#,
            r#"{"x":5.}"#,
            r#"{"x":00}"#,
            r#"{"x":True}"#,
            r#"{"x":"\a"}"#,
            r#"{"x":"\u12g4"}"#,
            "{\"x\":\"\t\"}",
            "{\"\n\":1}",
            "[]",
            "1",
        ] {
            assert_eq!(said(wrong.as_bytes()), Err(Wrong::Other), "{wrong}");
        }
    }

    #[test]
    fn strings() {
        for (quoted, is) in [
            (r#""""#, ""),
            (r#""a""#, "a"),
            (r#""sixteen letters!""#, "sixteen letters!"),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\u0041\u00fc\u20ac""#, "Aü€"),
            (r#""seven b\"efore""#, "seven b\"efore"),
            (r#""\uD83D\ude00""#, "😀"),
            ("\"ü!#[]^~\u{7f}\"", "ü!#[]^~\u{7f}"),
        ] {
            assert_eq!(text(quoted.as_bytes()), Ok(Some(is.to_owned())), "{quoted}");
        }
        for wrong in [&br#""\ud83d""#[..], br#""\ud83dx""#, br#""\ude00""#, br#""\ud83d\u0041""#, b"\"\xff\"", b"\"\xc3\"", b"\"\x1f\""] {
            assert_eq!(text(wrong), Err(Wrong::Other), "{}", wrong.escape_ascii());
        }
        // Whatever stands around it, and passed over it is none of anybody's business.
        for before in 0..20 {
            let line = format!("{{\"x\":\"{}\",\"word\":\"é\"}}", "#".repeat(before));
            assert_eq!(said(line.as_bytes()).map(|said| said.word), Ok(Some(Text("é".into()))));
            let bytes = [&b"{\"\xff\":\""[..], &vec![b'#'; before], b"\xfe\\ud83d\",\"word\":\"ok\"}"].concat();
            assert_eq!(said(&bytes).map(|said| said.word), Ok(Some(Text("ok".into()))));
        }
    }

    #[test]
    fn times_are_numbers_of_any_dress_or_text() {
        for (written, micros) in [
            ("0", 0),
            ("-0", 0),
            ("7", 7_000_000),
            ("1793500000.000001", 1_793_500_000_000_001),
            ("4294967295.999999", 4_294_967_295_999_999),
            ("4294967296.5", 4_294_967_296_500_000),
            ("0.5273809432983398", 527_381),
            ("-1.5", -1_500_000),
            ("1.5e3", 1_500_000_000),
            ("25E-1", 2_500_000),
            ("1601998366785.668", 1_601_998_366_785_668),
            ("1e300", i64::MAX),
            ("\"1.5\"", 1_500_000),
            ("\"1970-01-01T00:00:01Z\"", 1_000_000),
            (r#""1\u002e5""#, 1_500_000),
        ] {
            assert_eq!(whole(written.as_bytes(), Json::time), Ok(Some(Stamp(Micros(micros)))), "{written}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = |open: &str, close: &str| format!("{{\"x\":{}1{},\"port\":7}}", open.repeat(100_000), close.repeat(100_000));
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")] {
            assert_eq!(said(deep(open, close).as_bytes()).map(|said| said.port), Ok(Some(7)));
        }
        assert_eq!(said(deep("[{\"a\":", "]}").as_bytes()), Err(Wrong::Other));
        assert_eq!(said(deep("[", "").as_bytes()), Err(Wrong::Other));
        assert_eq!(said("{\"x\":[".repeat(100_000).as_bytes()), Err(Wrong::Ends));
    }

    /// Any value, and white space around its parts.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e12..1e12).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
            "[ -~]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,9}", inner, 0..6).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_others_read_is_read_the_same(value in values(), pretty in any::<bool>()) {
            let line = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let line = line.as_bytes();
            prop_assert_eq!(whole(line, Json::skip), Ok(()));
            prop_assert_eq!(text(line).ok().flatten(), value.as_str().map(str::to_owned));
            prop_assert_eq!(whole(line, Json::number).ok().flatten(), value.as_u64());
            if let Some(seconds) = value.as_f64() {
                let micros = if seconds.abs() > 1e11 { seconds * 1e3 } else { seconds * 1e6 };
                prop_assert_eq!(whole(line, Json::time), Ok(Some(Stamp(Micros(micros.round() as i64)))));
            }
            let object = format!("{{\"port\":1,\"x\":{value},\"word\":{},\"any\":{value}}}", Value::from(value.to_string()));
            let said = said(object.as_bytes()).unwrap();
            prop_assert_eq!(said.word.unwrap().0.into_owned(), value.to_string());
            prop_assert_eq!((said.port, said.any), (Some(1), !value.is_null()));
        }

        #[test]
        fn nothing_is_read_that_others_refuse(
            value in values(), at in any::<prop::sample::Index>(), with in prop::sample::select(b"{}[]\",:\\u0-.eE1tn \x1f\xff".to_vec()), cut in any::<bool>()
        ) {
            let mut line = value.to_string().into_bytes();
            let at = at.index(line.len());
            if cut { line.truncate(at) } else { line[at] = with }
            let others = serde_json::from_slice::<serde::de::IgnoredAny>(&line).map(|_| ());
            prop_assert_eq!(whole(&line, Json::skip).is_ok(), others.is_ok(), "{}", line.escape_ascii());
            if cut && value.as_f64().is_none() {
                prop_assert_eq!(whole(&line, Json::skip), Err(Wrong::Ends));
            }
        }
    }
}
