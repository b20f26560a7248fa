//! What may be asked for.

/// What a field is looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A word of devices; the closed list of its words, where it has one.
    Word(&'static [&'static str]),
    /// One of these words, that can be compared: the first is the least.
    Ranked(&'static [&'static str]),
    /// A number from 0 to 1, or a word of [`CERTAINTIES`].
    Confidence,
    /// Names and numbers of devices, by kind of key.
    Key(&'static [&'static str]),
    /// The same, of subscribers: only for those who may see them.
    Subscriber(&'static [&'static str]),
    /// What people decided.
    Decision(&'static [&'static str]),
    /// An id or an alias.
    Id,
    /// The id of an artefact that speaks of the device.
    Evidence,
    /// When it was last seen.
    Seen,
    /// When it was first known here.
    Since,
}

const NONE: &[&str] = &[];
/// From the least certain.
pub(crate) const CERTAINTIES: &[&str] = &["hint", "possible", "probable", "confirmed"];
/// From the least severe.
pub(crate) const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];
/// Where a finding or device stands in triage; what nobody has looked at is `new`.
pub const STATES: &[&str] = &["new", "triage", "true-positive", "false-positive", "contained", "replaced", "accepted", "closed"];

/// Every field: its name, other names of it, what it is looked up in, and a line for people.
pub(crate) const FIELDS: &[(&str, &[&str], What, &str)] = &[
    ("maker", &["vendor", "manufacturer"], What::Word(NONE), "who made the module"),
    ("brand", &[], What::Word(NONE), "under whose name it is sold"),
    ("model", &["product"], What::Word(NONE), "the maker's or the brand's model"),
    ("variant", &[], What::Word(NONE), "build for a region or carrier"),
    ("family", &[], What::Word(NONE), "family of models"),
    ("chipset", &["chip"], What::Word(NONE), "the module's chip"),
    ("owner", &[], What::Word(NONE), "ultimate owner of the maker or brand"),
    ("country", &["jurisdiction"], What::Word(NONE), "jurisdiction of control, two letters"),
    ("list", &["regime"], What::Word(NONE), "list that names somebody behind it"),
    ("site", &[], What::Word(NONE), "where the device stands"),
    ("role", &[], What::Word(&["monitor", "control"]), "what the device does, by the file of assets"),
    ("criticality", &[], What::Word(&["low", "medium", "high"]), "what hangs on the device, by the file of assets"),
    ("host", &[], What::Word(NONE), "brand or model of the device around the module"),
    ("kind", &[], What::Word(&["dongle", "handset", "router", "other"]), "of a product that is itself cellular"),
    ("cellular", &[], What::Word(&["yes", "no", "unknown"]), "whether it has a modem"),
    ("level", &[], What::Word(&["variant", "model", "family", "maker", "brand", "silicon", "cellular"]), "how far the module is known"),
    ("certainty", &[], What::Word(CERTAINTIES), "confidence in a word"),
    ("basis", &[], What::Word(&["observed", "inferred", "declared", "listed", "alleged"]), "how it is known"),
    ("collect", &["next"], What::Word(NONE), "what to collect next"),
    ("verdict", &[], What::Word(&["fail", "review", "unknown", "pass"]), "of a rule"),
    ("waived", &[], What::Word(&["yes", "no"]), "whether a waiver holds for it, or for something found about the device"),
    ("code", &["rule", "finding"], What::Word(NONE), "code or rule that did not pass"),
    ("source", &[], What::Word(&["identity", "rule", "detector", "image", "host", "bom", "containment"]), "where a finding comes from"),
    ("severity", &[], What::Ranked(SEVERITIES), "of a finding; of a device, the worst where compared"),
    ("confidence", &["conf"], What::Confidence, "0 to 1"),
    ("name", &["names"], What::Key(&["name"]), "what people call it"),
    ("asset", &["asset_id"], What::Key(&["asset"]), "the owner's number"),
    ("serial", &[], What::Key(&["serial"]), "maker and serial number"),
    ("imei", &[], What::Key(&["imei"]), "equipment identity"),
    ("eid", &[], What::Key(&["eid"]), "eUICC"),
    ("meid", &[], What::Key(&["meid"]), "CDMA equipment identity"),
    ("mac", &[], What::Key(&["mac"]), "MAC address"),
    ("ip", &[], What::Key(&["ip"]), "IP address"),
    ("vin", &[], What::Key(&["vin"]), "vehicle"),
    ("udi", &[], What::Key(&["udi"]), "medical device"),
    ("iccid", &[], What::Subscriber(&["iccid"]), "SIM card"),
    ("imsi", &[], What::Subscriber(&["imsi"]), "subscription"),
    ("msisdn", &["phone"], What::Subscriber(&["msisdn"]), "telephone number"),
    ("tag", &["tags"], What::Decision(NONE), "what people marked it with"),
    ("state", &["triage"], What::Decision(STATES), "where it stands in triage"),
    ("assigned", &[], What::Decision(NONE), "who looks after it"),
    ("id", &[], What::Id, "dev-… or fnd-…; among findings a device's id is for those about it"),
    ("evidence", &[], What::Evidence, "evd-… that speaks of it"),
    ("seen", &[], What::Seen, "day of the newest evidence, YYYY-MM-DD"),
    ("since", &[], What::Since, "day on which it was first known here"),
];

/// The names of every field.
pub(crate) fn names() -> Vec<&'static str> {
    FIELDS.iter().map(|f| f.0).collect()
}

/// The number of a field by one of its names.
pub(crate) fn find(name: &str) -> Option<usize> {
    FIELDS.iter().position(|(own, others, ..)| own.eq_ignore_ascii_case(name) || others.iter().any(|o| o.eq_ignore_ascii_case(name)))
}

/// The field of a word as it is kept.
pub(crate) fn field_of_word(name: &str) -> Option<&'static str> {
    FIELDS.iter().find(|f| f.0 == name).map(|f| f.0)
}
