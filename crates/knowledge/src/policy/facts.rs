//! What rules may ask of an asset and a deal: a closed list, so that a slip of the pen is an error and no silent pass.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use umbilical_core::Day;

/// What a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A word, or several.
    Words,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A day.
    Day,
}

/// Every fact: its name, what it is, and what it says.
pub const FACTS: &[(&str, Form, &str)] = &[
    ("item", Form::Words, "what is judged: `host` (a device around a module, the default), `module`, `chip`, `memory`, `service`"),
    ("effect", Form::Words, "effects asked for (`buy`, `import`, `export`, …); where nothing is said, all but `export`"),
    ("market", Form::Words, "ISO 3166 code of the country, `EU`, or `US-TX` for a state"),
    ("buyer", Form::Words, "who buys or operates: `us-agency`, `us-dod`, `us-contractor`, `us-grantee`, `carrier`, …"),
    ("seller", Form::Words, "organisations (ids) that the contract is with"),
    ("funded_by", Form::Words, "whose money pays: `usf`, `federal-grant`, `dod-contract`, …"),
    ("use", Form::Words, "what for: `public-safety`, `government-facility`, `critical-infrastructure`, `national-security`, …"),
    (
        "asset",
        Form::Words,
        "what kind of device: `router`, `vehicle`, `drone`, `inverter`, `robot`, `pv`, `wind`, `bess`, `meter`, `toy`, …",
    ),
    ("sector", Form::Words, "sector of the operator: `energy`, `health`, `water`, `transport`, …"),
    ("role", Form::Words, "`monitor` or `control`"),
    ("criticality", Form::Words, "`low`, `medium`, `high`"),
    ("site", Form::Words, "name or number of the site"),
    ("zone", Form::Words, "exclusion zones that the place lies in; worked out from `lat` and `lon` where zones are drawn"),
    ("lat", Form::Number, "latitude in degrees, north positive (WGS 84)"),
    ("lon", Form::Number, "longitude in degrees, east positive (WGS 84)"),
    ("consumer", Form::Flag, "made for homes"),
    ("power_kw", Form::Number, "rated power of the plant, kW"),
    ("mhz", Form::Number, "highest frequency of the radio, MHz"),
    ("model_year", Form::Number, "model year of the vehicle"),
    ("vehicle_connectivity", Form::Flag, "the part enables the vehicle's connectivity directly (VCS hardware)"),
    ("repair", Form::Flag, "brought in to repair a vehicle, or under its warranty"),
    ("user_data", Form::Flag, "it routes user data or lets them be seen; `false` where it was shown that it cannot"),
    ("produced_in", Form::Words, "countries of any major stage: design, development, manufacture, assembly"),
    ("conditional_approval", Form::Day, "last day of a conditional approval"),
    ("approved", Form::Flag, "holds a conditional approval on the day; worked out from `conditional_approval`"),
    ("contract_date", Form::Day, "day on which the contract was made"),
    ("authorised_on", Form::Day, "day on which the equipment was authorised"),
    ("installed_on", Form::Day, "day on which it went into operation"),
    ("remote_access", Form::Flag, "somebody outside can reach into it; `false` where containment was proved"),
    ("path_country", Form::Words, "countries of whoever operates the remote path"),
    ("path_operator", Form::Words, "organisations (ids) that operate the remote path"),
    ("tender_eur", Form::Number, "value of the tender, EUR"),
    ("input_share", Form::Number, "share of the input from the country in question, percent"),
    ("bidder_country", Form::Words, "country of the bidder"),
    ("sim", Form::Words, "state of the SIM: `active`, `inactive`, `none`, `esim`"),
    ("microphone", Form::Flag, "has a microphone"),
    ("camera", Form::Flag, "has a camera"),
    ("location", Form::Flag, "knows where it is"),
    ("health_data", Form::Flag, "handles data about health"),
    ("support_end", Form::Day, "last day on which whoever sells it supports it"),
    ("price", Form::Number, "price of the bid, in `currency`"),
    ("currency", Form::Words, "ISO 4217 code of the price"),
    ("certified", Form::Words, "certificates: `ptcrb`, `gcf`, `fcc`, `red`, `firstnet`, …: compatibility, never a reason to pass"),
    ("evidence", Form::Words, "ids of evidence rows that are on file"),
];

/// The form of a fact.
pub fn form(name: &str) -> Option<Form> {
    FACTS.iter().find(|f| f.0 == name).map(|f| f.1)
}

/// The canonical name of a fact, and its form.
fn known(name: &str) -> Result<(&'static str, Form), String> {
    let found = FACTS.iter().find(|f| f.0 == name);
    found.map(|f| (f.0, f.1)).ok_or_else(|| {
        let names: Vec<&str> = FACTS.iter().map(|f| f.0).collect();
        format!("`{name}` is no fact; use one of {}", names.join(", "))
    })
}

/// A value of a fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words, lower case but for countries and ids as they stand.
    Words(Vec<String>),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A day.
    Day(Day),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(&words.join(", ")),
            Self::Number(n) => write!(f, "{n}"),
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Day(day) => write!(f, "{day}"),
        }
    }
}

/// What is known of an asset and a deal, by fact, each once, in the order of [`FACTS`].
#[derive(Clone, Debug, Default)]
pub struct Facts {
    known: Vec<(&'static str, Value)>,
    /// Where each stands in the text that it was read from.
    places: Vec<(&'static str, Range<usize>)>,
}

/// Facts are what they say, wherever they were read.
impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.known == other.known
    }
}

impl Facts {
    /// The value of a fact; `None` = nobody has said.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.known.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// Every fact that is known.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.known.iter().map(|(n, v)| (*n, v))
    }

    /// Where the value of a fact stands in its text.
    pub(super) fn span(&self, name: &str) -> Range<usize> {
        self.places.iter().find(|(n, _)| *n == name).map(|(_, at)| at.clone()).unwrap_or_default()
    }

    /// Those of some names only.
    pub fn only(&self, names: &[&str]) -> Self {
        Self { known: self.known.iter().filter(|(n, _)| names.contains(n)).cloned().collect(), places: Vec::new() }
    }

    /// Says a fact as people type it: `power_kw=101`, `buyer=us-dod,us-agency`.
    ///
    /// # Errors
    /// A name that is no fact, a value of another form, or a number that cannot be. Words are held against a
    /// [`Vocabulary`](super::Vocabulary) later: packs add to it.
    pub fn say(&mut self, name: &str, text: &str) -> Result<(), String> {
        let (name, form) = known(name.trim())?;
        let text = text.trim();
        let value = match form {
            Form::Words => Value::Words(some(name, words(text))?),
            Form::Number => Value::Number(number(name, text)?),
            Form::Flag => Value::Flag(flag(text).ok_or_else(|| format!("`{name}`: say yes or no, not `{text}`"))?),
            Form::Day => Value::Day(text.parse().map_err(|e| format!("`{name}`: {e}"))?),
        };
        self.set(name, value);
        Ok(())
    }

    /// Puts a value in place of what was known.
    pub(super) fn set(&mut self, name: &'static str, value: Value) {
        self.known.retain(|(n, _)| *n != name);
        self.known.push((name, value));
        self.known.sort_by_key(|(n, _)| FACTS.iter().position(|f| f.0 == *n));
    }

    /// Adds what `other` knows; where both know a fact, `other` counts.
    pub fn overlay(&mut self, other: &Self) {
        for (name, value) in &other.known {
            self.set(name, value.clone());
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ';']).map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect()
}

fn some(name: &str, words: Vec<String>) -> Result<Vec<String>, String> {
    if words.is_empty() { Err(format!("`{name}` is empty: say at least one word, or leave it out")) } else { Ok(words) }
}

/// A number that its fact can have: finite, and within what is possible.
fn number(name: &str, text: &str) -> Result<f64, String> {
    let n: f64 = text.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| format!("`{name}`: `{text}` is no number"))?;
    let (good, range) = match name {
        "lat" => (n.abs() <= 90.0, "from -90 to 90"),
        "lon" => (n.abs() <= 180.0, "from -180 to 180"),
        "input_share" => ((0.0..=100.0).contains(&n), "from 0 to 100"),
        "model_year" => ((1900.0..=2200.0).contains(&n) && n.fract() == 0.0, "a whole year from 1900 to 2200"),
        "mhz" => (n > 0.0, "more than 0"),
        _ => (n >= 0.0, "at least 0"),
    };
    if good { Ok(n) } else { Err(format!("`{name}`: {text} cannot be: it is {range}")) }
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Facts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of facts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
                let mut facts = Facts::default();
                while let Some(name) = map.next_key::<String>()? {
                    let value: toml::Spanned<Text> = map.next_value()?;
                    facts.say(&name, &value.get_ref().0).map_err(de::Error::custom)?;
                    let (name, _) = known(&name).map_err(de::Error::custom)?;
                    facts.places.push((name, value.span()));
                }
                Ok(facts)
            }
        }
        from.deserialize_map(Table)
    }
}

/// Any plain value as text: facts are typed by their names.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Plain;
        impl<'de> Visitor<'de> for Plain {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, yes or no, or a list of texts")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Text, E> {
                Ok(Text(v.to_owned()))
            }
            fn visit_bool<E: de::Error>(self, v: bool) -> Result<Text, E> {
                Ok(Text(v.to_string()))
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Text, E> {
                Ok(Text(v.to_string()))
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Text, E> {
                Ok(Text(v.to_string()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
                let mut all = Vec::new();
                while let Some(Text(one)) = seq.next_element()? {
                    all.push(one);
                }
                Ok(Text(all.join(",")))
            }
        }
        from.deserialize_any(Plain)
    }
}

/// What a rule demands of one fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Demand {
    /// One of these words.
    OneOf(Vec<String>),
    /// None of these words.
    NoneOf(Vec<String>),
    /// Yes or no.
    Is(bool),
    /// A number so.
    Number(Than, f64),
    /// A day so.
    Day(Than, Day),
}

/// How a number or day compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Than {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Than {
    fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    fn of<T: PartialOrd>(self, value: T, bound: T) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::More => value > bound,
            Self::AtLeast => value >= bound,
        }
    }
}

impl Demand {
    fn read(name: &str, form: Form, text: &str) -> Result<Self, String> {
        let text = text.trim();
        match form {
            Form::Words if text.starts_with('!') => some(name, words(&text.replace('!', ""))).map(Self::NoneOf),
            Form::Words => some(name, words(text)).map(Self::OneOf),
            Form::Flag => flag(text).map(Self::Is).ok_or_else(|| format!("`{name}`: demand true or false, not `{text}`")),
            Form::Number | Form::Day => {
                let signs = [("<=", Than::AtMost), (">=", Than::AtLeast), ("<", Than::Less), (">", Than::More)];
                let (than, bound) = signs
                    .into_iter()
                    .find_map(|(sign, than)| text.strip_prefix(sign).map(|rest| (than, rest.trim())))
                    .ok_or_else(|| format!("`{name}`: compare with <, <=, > or >=, as in `> 100`, not `{text}`"))?;
                if form == Form::Number {
                    number(name, bound).map(|n| Self::Number(than, n))
                } else {
                    bound.parse().map(|d| Self::Day(than, d)).map_err(|e| format!("`{name}`: {e}"))
                }
            }
        }
    }

    /// Whether a value is as demanded. A value of several words fits when one of them does, and fits `not` when none does.
    pub fn fits(&self, value: &Value) -> bool {
        let among = |all: &[String], words: &[String]| words.iter().any(|w| all.iter().any(|a| a.eq_ignore_ascii_case(w)));
        match (self, value) {
            (Self::OneOf(all), Value::Words(words)) => among(all, words),
            (Self::NoneOf(all), Value::Words(words)) => !among(all, words),
            (Self::Is(wanted), Value::Flag(flag)) => wanted == flag,
            (Self::Number(than, bound), Value::Number(n)) => than.of(*n, *bound),
            (Self::Day(than, bound), Value::Day(day)) => than.of(*day, *bound),
            _ => false,
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(all) => f.write_str(&all.join(" or ")),
            Self::NoneOf(all) => write!(f, "not {}", all.join(" or ")),
            Self::Is(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Number(than, n) => write!(f, "{} {n}", than.sign()),
            Self::Day(than, day) => write!(f, "{} {day}", than.sign()),
        }
    }
}

/// Conditions on facts, all of which must hold: `{ asset = ["pv", "wind"], power_kw = "> 100", consumer = false }`.
/// `!` before a word demands that it is none of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions(pub Vec<(&'static str, Demand)>, Vec<Range<usize>>);

impl Conditions {
    /// Where the demand of a number stands in the text.
    pub(super) fn span(&self, number: usize) -> Range<usize> {
        self.1.get(number).cloned().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Conditions;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of conditions on facts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Conditions, A::Error> {
                let (mut out, mut places) = (Vec::new(), Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    let (name, form) = known(&name).map_err(de::Error::custom)?;
                    let text: toml::Spanned<Text> = map.next_value()?;
                    out.push((name, Demand::read(name, form, &text.get_ref().0).map_err(de::Error::custom)?));
                    places.push(text.span());
                }
                Ok(Conditions(out, places))
            }
        }
        from.deserialize_map(Table)
    }
}
