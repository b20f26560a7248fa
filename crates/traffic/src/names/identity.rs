//! Who and where a device is, as it says it in clear: numbers of equipment, subscriptions and cards, and positions.
//!
//! A number counts by its shape (length, check digit) and by what stands before it (`imei=`, `"iccid": "`), or because of whose it
//! is, which only who knows the sessions can tell: those are kept as candidates. Positions are sentences of NMEA 0183 that have a fix,
//! and pairs that are called latitude and longitude. Of two protocols of trackers the first message is an IMEI and nothing else.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use umbilical_core::number::{self, Check, Imei};

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// The number of the equipment.
    Imei,
    /// Of the subscription.
    Imsi,
    /// Of the card.
    Iccid,
    /// The telephone number.
    Msisdn,
    /// Where it is.
    Position,
}

/// Something that was said in clear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said {
    /// What.
    pub what: What,
    /// Its digits; of a position latitude and longitude in degrees to about a kilometre.
    pub value: Box<str>,
    /// It is called that. Else it counts only where it is known whose number it is.
    pub labelled: bool,
    /// Whether the client said it.
    pub from_client: bool,
}

/// Payloads of a conversation that are looked at.
pub const PAYLOADS: u8 = 6;
/// Bytes of each.
const LOOKED_AT: usize = 2048;
/// Things of one conversation that are kept.
pub const KEPT: usize = 8;
/// The shortest number that is looked for without its name before it.
const SHORTEST: usize = 14;
/// Bytes before a number in which its name stands.
const BEFORE: usize = 28;
/// Bytes that may stand between a name and its number.
const BETWEEN: usize = 12;

/// Looks at a payload. Most say nothing, and that is found out by one byte of fourteen and three searches for a few letters.
pub fn scan(bytes: &[u8], from_client: bool) -> Vec<Said> {
    let bytes = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let mut out = Vec::new();
    let mut say = |what: What, value: String, labelled: bool| {
        let said = Said { what, value: value.into(), labelled, from_client };
        if out.len() < KEPT && !out.contains(&said) {
            out.push(said);
        }
    };
    tracker(bytes, &mut say);
    numbers(bytes, &mut say);
    called(bytes, &mut say);
    sentences(bytes, &mut say);
    pairs(bytes, &mut say);
    out
}

type Say<'a> = &'a mut dyn FnMut(What, String, bool);

/// The first message of a tracker: of Teltonika's an IMEI behind its length ("Codec 8 protocol"), of Concox's in nibbles (GT06, 5.1).
fn tracker(bytes: &[u8], say: Say<'_>) {
    let digits = match bytes {
        [0, 15, digits @ ..] if digits.len() == 15 => std::str::from_utf8(digits).ok().map(str::to_owned),
        [0x78, 0x78, 13 | 17, 1, rest @ ..] => {
            rest.first_chunk::<8>().and_then(|b| umbilical_core::id::hex(b).strip_prefix('0').map(str::to_owned))
        }
        _ => None,
    };
    if let Some(digits) = digits.filter(|d| is_imei(d)) {
        say(What::Imei, digits, true);
    }
}

/// Fifteen digits with a right check digit that are no placeholder.
fn is_imei(digits: &str) -> bool {
    digits.len() == 15
        && digits.bytes().all(|b| b.is_ascii_digit())
        && matches!(number::imei(digits), Imei::Whole { check: Check::Right, .. })
}

/// Long runs of digits.
fn numbers(bytes: &[u8], say: Say<'_>) {
    let digit = |n: usize| bytes.get(n).is_some_and(u8::is_ascii_digit);
    let mut at = SHORTEST.saturating_sub(1);
    // Each run of so many digits has one at a multiple of their number.
    while at < bytes.len() {
        if !digit(at) {
            at = at.saturating_add(SHORTEST);
            continue;
        }
        let (mut from, mut to) = (at, at.saturating_add(1));
        while from.checked_sub(1).is_some_and(digit) {
            from = from.saturating_sub(1);
        }
        while digit(to) {
            to = to.saturating_add(1);
        }
        at = to.saturating_add(SHORTEST.saturating_sub(1));
        let run = bytes.get(from..to).and_then(|run| std::str::from_utf8(run).ok()).unwrap_or_default();
        if (SHORTEST..=20).contains(&run.len()) {
            weigh(run, bytes.get(from.saturating_sub(BEFORE)..from).unwrap_or_default(), say);
        }
    }
}

/// What a number is, by its shape and by what stands before it.
fn weigh(run: &str, before: &[u8], say: Say<'_>) {
    let label = label(before);
    match (label, run.len()) {
        // Fourteen are without the check digit, sixteen with the version of the software behind them.
        (Some(What::Imei), 14 | 16) if matches!(number::imei(run), Imei::Whole { .. }) => say(What::Imei, run.to_owned(), true),
        (_, 15) if label == Some(What::Imei) && is_imei(run) => say(What::Imei, run.to_owned(), true),
        (Some(What::Imsi), 14 | 15) if number::imsi(run).is_some() => say(What::Imsi, run.to_owned(), true),
        (Some(What::Iccid), 18..=20) if is_iccid(run) => say(What::Iccid, run.to_owned(), true),
        (Some(What::Msisdn), 14 | 15) => say(What::Msisdn, run.to_owned(), true),
        (None, 14 | 15) => {
            if is_imei(run) {
                say(What::Imei, run.to_owned(), false);
            }
            if number::imsi(run).is_some() {
                say(What::Imsi, run.to_owned(), false);
            }
        }
        (None, 18..=20) if is_iccid(run) => say(What::Iccid, run.to_owned(), false),
        _ => {}
    }
}

/// The number of a card whose check digit is right, where it has one (ITU-T E.118).
fn is_iccid(run: &str) -> bool {
    let right = || run.get(..run.len().saturating_sub(1)).and_then(number::luhn_digit).zip(run.chars().last().and_then(|c| c.to_digit(10)));
    run.starts_with("89") && number::iccid(run).is_some() && (run.len() == 18 || right().is_some_and(|(is, has)| is == has))
}

/// Names of numbers, small.
const LABELS: [(&[u8], What); 8] = [
    (b"imei", What::Imei),
    (b"imsi", What::Imsi),
    (b"iccid", What::Iccid),
    (b"ccid", What::Iccid),
    (b"simid", What::Iccid),
    (b"sim_id", What::Iccid),
    (b"sim", What::Iccid),
    (b"msisdn", What::Msisdn),
];

/// What the name right before a number calls it: the last one, with nothing between them that ends a field.
fn label(before: &[u8]) -> Option<What> {
    let small = before.to_ascii_lowercase();
    let ends = LABELS.iter().filter_map(|(name, what)| Some((memmem::rfind(&small, name)?.saturating_add(name.len()), *what)));
    let (end, what) = ends.max_by_key(|(end, _)| *end)?;
    let between = small.get(end..)?;
    let ends_field = |b: &u8| matches!(b, b'&' | b';' | b'\r' | b'\n' | b'{' | b'}' | b'|');
    let lists = between.contains(&b',') && !matches!(between, b"," | b", ");
    (between.len() <= BETWEEN && !between.iter().any(ends_field) && !lists).then_some(what)
}

/// Telephone numbers, which are shorter than what is looked for without its name.
fn called(bytes: &[u8], say: Say<'_>) {
    static NAMES: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| ["msisdn", "MSISDN", "Msisdn"].map(Finder::new));
    for name in NAMES.iter() {
        for at in name.find_iter(bytes).take(KEPT) {
            let behind = bytes.get(at.saturating_add(name.needle().len())..).unwrap_or_default();
            // A digit alone is one of `%3D`.
            let long = |from: &usize| behind.get(*from..from.saturating_add(8)).is_some_and(|d| d.iter().all(u8::is_ascii_digit));
            let Some(from) = (0..BETWEEN).find(long) else { continue };
            let ends = behind.iter().take(from).any(|b| matches!(b, b'&' | b',' | b';' | b'\r' | b'\n' | b'}'));
            let digits = behind.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).take(16);
            let digits: String = digits.map(|b| char::from(*b)).collect();
            if !ends && (8..=15).contains(&digits.len()) && number::msisdn(&digits).is_some() {
                say(What::Msisdn, digits, true);
            }
        }
    }
}

/// Sentences of NMEA 0183 with a position: RMC, GGA, GLL of any system of satellites.
fn sentences(bytes: &[u8], say: Say<'_>) {
    for at in memchr::memchr_iter(b'$', bytes).take(64) {
        let rest = bytes.get(at.saturating_add(1)..).unwrap_or_default();
        let [b'G' | b'B', b'P' | b'N' | b'L' | b'A' | b'B' | b'D' | b'Q', kind @ ..] = rest else { continue };
        let end = rest.iter().take(100).position(|b| matches!(b, b'\r' | b'\n' | b'*')).unwrap_or(rest.len().min(100));
        let sentence = rest.get(..end).unwrap_or_default();
        // A sum is there or not; a wrong one says that this is something else.
        if let Some([b'*', high, low]) = rest.get(end..end.saturating_add(3)) {
            let sum = std::str::from_utf8(&[*high, *low]).ok().and_then(|h| u8::from_str_radix(h, 16).ok());
            if sum != Some(sentence.iter().fold(0, |sum, b| sum ^ b)) {
                continue;
            }
        }
        let Ok(text) = std::str::from_utf8(sentence) else { continue };
        let field = |n: usize| text.split(',').nth(n).unwrap_or_default();
        let place = match kind {
            [b'R', b'M', b'C', ..] if field(2) == "A" => 3,
            [b'G', b'G', b'A', ..] if matches!(field(6), "1" | "2" | "3" | "4" | "5") => 2,
            [b'G', b'L', b'L', ..] if matches!(field(6), "" | "A") => 1,
            _ => continue,
        };
        let latitude = degrees(field(place), 2, field(place.saturating_add(1)), ("N", "S"));
        let longitude = degrees(field(place.saturating_add(2)), 3, field(place.saturating_add(3)), ("E", "W"));
        if let (Some(latitude), Some(longitude)) = (latitude, longitude) {
            place_at(latitude, longitude, say);
        }
    }
}

/// `5213.7,N`: degrees, minutes, which half.
fn degrees(text: &str, whole: usize, half: &str, (plus, minus): (&str, &str)) -> Option<f64> {
    let (degrees, minutes) = text.split_at_checked(whole)?;
    let (degrees, minutes): (u16, f64) = (degrees.parse().ok()?, minutes.parse().ok()?);
    let sign = if half == plus {
        1.0
    } else if half == minus {
        -1.0
    } else {
        return None;
    };
    (text.contains('.') && (0.0..60.0).contains(&minutes)).then(|| sign * (f64::from(degrees) + minutes / 60.0))
}

/// A position that can be: on the globe, and not where nobody has set one.
fn place_at(latitude: f64, longitude: f64, say: Say<'_>) {
    let is = latitude.abs() <= 90.0 && longitude.abs() <= 180.0 && (latitude.abs() > 0.001 || longitude.abs() > 0.001);
    if is {
        say(What::Position, format!("{latitude:.2},{longitude:.2}"), true);
    }
}

/// Bytes around a latitude in which its longitude stands.
const AROUND: usize = 80;

/// Pairs that are called latitude and longitude, in JSON, forms and the like.
fn pairs(bytes: &[u8], say: Say<'_>) {
    static NAMES: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| ["lat", "Lat", "LAT"].map(Finder::new));
    for name in NAMES.iter() {
        for at in name.find_iter(bytes).take(KEPT) {
            let Some(latitude) = value(bytes, at, &[b"latitude", b"lat"]) else { continue };
            let from = at.saturating_sub(AROUND);
            let around = bytes.get(from..at.saturating_add(AROUND).min(bytes.len())).unwrap_or_default();
            let begins = |n: &usize| around.get(*n).is_some_and(|b| matches!(b, b'l' | b'L'));
            let longitude = (0..around.len()).filter(begins).find_map(|n| value(around, n, &[b"longitude", b"long", b"lon", b"lng"]));
            if let Some(longitude) = longitude {
                place_at(latitude, longitude, say);
            }
        }
    }
}

/// The number behind a name that begins here, with three decimals at least: those with fewer name a town.
fn value(bytes: &[u8], at: usize, names: &[&[u8]]) -> Option<f64> {
    let here = bytes.get(at..)?;
    // In the middle of a word it is another word, unless a capital begins it.
    let before = at.checked_sub(1).and_then(|n| bytes.get(n));
    if before.is_some_and(u8::is_ascii_alphabetic) && !(before.is_some_and(u8::is_ascii_lowercase) && here.first() == Some(&b'L')) {
        return None;
    }
    let name = names.iter().find(|name| here.get(..name.len()).is_some_and(|h| h.eq_ignore_ascii_case(name)))?;
    let behind = here.get(name.len()..)?;
    let skip = behind.iter().take(8).position(|b| b.is_ascii_digit() || *b == b'-')?;
    if !behind.iter().take(skip).all(|b| matches!(b, b'"' | b'\'' | b':' | b'=' | b' ' | b'\t' | b'>' | b'+')) || skip == 0 {
        return None;
    }
    let number: String = behind
        .get(skip..)?
        .iter()
        .take(20)
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'))
        .map(|b| char::from(*b))
        .collect();
    let decimals = number.split_once('.').map_or(0, |(_, d)| d.len());
    number.parse().ok().filter(|_| decimals >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some with their kind, `?` behind those that are only candidates.
    fn said(text: &[u8]) -> Vec<String> {
        scan(text, true).into_iter().map(|s| format!("{:?} {}{}", s.what, s.value, if s.labelled { "" } else { "?" })).collect()
    }

    #[test]
    fn numbers_count_by_their_shape_and_their_name() {
        for (text, is) in [
            (&b"GET /up?imei=867698040000179&v=1"[..], &["Imei 867698040000179"][..]),
            (br#"{"deviceImei" : "867698040000179"}"#, &["Imei 867698040000179"]),
            (b"##,imei:867698040000179,A;", &["Imei 867698040000179"]),
            (b"ep=urn:imei:867698040000179&lt=60", &["Imei 867698040000179"]),
            (b"<IMEI>867698040000179</IMEI>", &["Imei 867698040000179"]),
            (b"imei%3D867698040000179", &["Imei 867698040000179"]),
            (b"imei 86769804000017 ", &["Imei 86769804000017"]),
            (b"imsi=001010123456789;iccid=89882390001234567890", &["Imsi 001010123456789", "Iccid 89882390001234567890"]),
            (b"MSISDN: +49 x msisdn\":\"4915112345678\"", &["Msisdn 4915112345678"]),
            (b"\x00\x0f867698040000179", &["Imei 867698040000179", "Imei 867698040000179?"]),
            (b"\x78\x78\x0d\x01\x08\x67\x69\x80\x40\x00\x01\x79\x00\x01\x8c\xdd\x0d\x0a", &["Imei 867698040000179"]),
            // A wrong check digit, another name, a field that is empty, a placeholder, an order, a time, a card without its digit.
            (b"imei=867698040000178", &[]),
            (b"imei=&session=867698040000179", &["Imei 867698040000179?"]),
            (b"{\"imei\":null,\"t\":20261101022640}", &[]),
            (b"imei=123456789012345", &[]),
            (b"order=20261101022640", &[]),
            (b"iccid=89882390001234567891", &[]),
            (b"id=550e8400-e29b-41d4-a716-446655440000", &[]),
        ] {
            let got: Vec<String> = said(text).into_iter().filter(|s| !(s.starts_with("Imsi") && s.ends_with('?'))).collect();
            assert_eq!(got, is, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn positions_are_sentences_with_a_fix_and_pairs_with_names() {
        for (text, is) in [
            (&b"$GPRMC,081836,A,3751.65,S,14507.36,E,000.0,360.0,130998,011.3,E*62\r\n"[..], &["Position -37.86,145.12"][..]),
            (b"x$GNGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*45", &["Position 47.29,8.57"]),
            (b"$GNGLL,4717.11364,N,00833.91565,E,092321.00,A,A*7E\n", &["Position 47.29,8.57"]),
            (br#"{"lat": 52.51630, "lon": 13.37770}"#, &["Position 52.52,13.38"]),
            (b"id=7&lon=-0.1276&lat=51.50722", &["Position 51.51,-0.13"]),
            (br#"{"gpsLatitude":"-33.8688","gpsLongitude":"151.2093"}"#, &["Position -33.87,151.21"]),
            // No fix, a wrong sum, a town, no pair, other words, nowhere.
            (b"$GPRMC,081836,V,3751.65,S,14507.36,E,000.0,360.0,130998,011.3,E*75\r\n", &[]),
            (b"$GPRMC,081836,A,3751.65,S,14507.36,E,000.0,360.0,130998,011.3,E*63\r\n", &[]),
            (br#"{"lat": 52.5, "lon": 13.4}"#, &[]),
            (br#"{"lat": 52.51630}"#, &[]),
            (br#"{"flat": 52.51630, "along": 13.37770}"#, &[]),
            (b"latency: 12.34567 longest: 99.12345", &[]),
            (br#"{"lat":0.000000,"lon":0.000000}"#, &[]),
            (br#"{"lat":152.51630,"lon":13.37770}"#, &[]),
        ] {
            assert_eq!(said(text), is, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let many: String = (0..40).map(|n| format!("msisdn=49151123456{n:02};")).collect();
        assert_eq!(said(many.as_bytes()).len(), KEPT);
        let behind = [vec![b'.'; LOOKED_AT], b"imei=867698040000179".to_vec()].concat();
        assert_eq!(said(&behind), [""; 0]);
        // A run is found wherever it begins.
        for lead in 0..40 {
            let text = format!("{}imei=867698040000179", ".".repeat(lead));
            assert_eq!(said(text.as_bytes()), ["Imei 867698040000179"], "{lead}");
        }
    }
}
