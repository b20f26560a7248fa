//! The cases are dated on purpose: each stands on one side of the day on which an owner or a list changed.

use std::sync::LazyLock;

use super::*;

static KB: LazyLock<Knowledge> = LazyLock::new(Knowledge::embedded);

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn at(org: &str, text: &str) -> Trace {
    trace(&KB, org, day(text))
}

fn countries(trace: &Trace) -> Vec<&str> {
    trace.jurisdictions.iter().filter(|j| !j.unclear).map(|j| &*j.country).collect()
}

fn parents(steps: &[Step]) -> Vec<(&str, bool, bool)> {
    steps.iter().map(|s| (&*s.parent, s.control, s.unclear)).collect()
}

fn sources_to() -> String {
    KB.sources_to().unwrap().to_string()
}

#[test]
fn rolling_wireless_leaves_fibocom_on_the_day_of_the_sale() {
    let before = at("rolling", "2024-07-25");
    assert_eq!(countries(&before), ["LU", "HK", "CN", "CN"]);
    assert_eq!(before.owner, ["Fibocom Wireless Inc."]);
    assert_eq!(before.jurisdictions[3].via.last().unwrap(), "Fibocom Wireless Inc.");
    assert!(before.jurisdictions[3].laws.iter().any(|l| l.starts_with("National Intelligence Law, art. 7, 14")));
    assert_eq!(before.statement, format!("jurisdiction LU and HK and CN, not listed as of 2024-07-25 (sources to {})", sources_to()));

    let after = at("rolling", "2024-07-26");
    assert_eq!(countries(&after), ["LU", "LU", "SG"]);
    assert_eq!(after.owner, ["Aegis GP Pte. Ltd."]);
    assert_eq!(parents(&after.former), [("rolling-hk", false, false)]);
    assert_eq!(after.statement, format!("jurisdiction LU and SG, not listed as of 2024-07-26 (sources to {})", sources_to()));
}

#[test]
fn no_day_between_the_two_sales_of_rolling_wireless_is_without_its_owner() {
    let mut seconds = 1_605_657_600; // 2020-11-18
    loop {
        let today = Day::from_unix(seconds).unwrap();
        if today == day("2024-07-26") {
            break;
        }
        let trace = trace(&KB, "rolling", today);
        let fibocom = trace.jurisdictions.iter().any(|j| j.org == "fibocom");
        assert!(countries(&trace).contains(&"CN"), "{today}");
        assert_eq!(fibocom, today >= day("2022-11-01"), "{today}");
        seconds += 86_400;
    }
}

#[test]
fn a_minority_is_shown_and_carries_no_jurisdiction() {
    let shared = at("rolling-hk", "2021-06-01");
    assert!(parents(&shared.chain).contains(&("fibocom", false, false)));
    assert!(!shared.jurisdictions.iter().any(|j| j.org == "fibocom"));
}

#[test]
fn simcom_moves_to_sunsea() {
    assert_eq!(at("simcom", "2017-12-31").owner, ["SIM Technology Group Ltd."]);
    assert_eq!(countries(&at("simcom", "2017-12-31")), ["CN", "HK"]);
    assert_eq!(at("simcom", "2018-01-01").owner, ["Sunsea AIoT Technology Co., Ltd."]);
    assert_eq!(parents(&at("simcom", "2018-01-01").former), [("simtech", false, false)]);
}

#[test]
fn gosuncn_welink_leaves_the_control_of_zte_in_2017_and_its_last_stake_in_2021() {
    let zte = |t: &Trace| t.jurisdictions.iter().filter(|j| j.org == "zte").map(|j| j.unclear).collect::<Vec<_>>();
    assert_eq!(zte(&at("gosuncn-iot", "2016-06-01")), [false]);

    let changing = at("gosuncn-iot", "2017-06-01");
    assert_eq!(zte(&changing), [true]);
    assert_eq!(changing.owner, ["ZTE Corporation (unclear)", "Gosuncn Technology Group (unclear)"]);
    assert!(
        changing
            .open_points
            .iter()
            .any(|p| p.contains("ZTE Corporation owns Gosuncn WeLink from an unknown day to 2017: 2017-06-01 lies inside"))
    );

    for late in ["2018-09-01", "2021-10-08"] {
        let stake = at("gosuncn-iot", late);
        assert!(zte(&stake).is_empty());
        assert_eq!(stake.owner, ["Gosuncn Technology Group"]);
        assert!(stake.chain.iter().any(|s| s.parent == "zte" && s.share.as_deref() == Some("4.5") && !s.control));
        assert!(
            stake
                .open_points
                .iter()
                .any(|p| p.starts_with("ZTE Corporation holds 4.5 % of Gosuncn WeLink and is listed (") && p.contains("US-NDAA-889"))
        );
        assert!(stake.listings.is_empty(), "a stake is no listing");
    }
    let gone = at("gosuncn-iot", "2021-10-09");
    assert!(!gone.chain.iter().any(|s| s.parent == "zte"));
    assert_eq!(gone.former.iter().filter(|s| s.parent == "zte").count(), 2);
    assert!(gone.open_points.is_empty());
}

#[test]
fn a_sale_known_by_its_month_is_for_review_inside_it() {
    assert_eq!(countries(&at("ublox-cellular", "2025-05-31")), ["CH"]);
    let inside = at("ublox-cellular", "2025-06-15");
    assert!(countries(&inside).is_empty());
    assert!(inside.chain.iter().all(|s| s.unclear && !s.control));
    assert_eq!(inside.statement, format!("jurisdiction for review (CH or IE), not listed as of 2025-06-15 (sources to {})", sources_to()));
    assert_eq!(countries(&at("ublox-cellular", "2025-07-01")), ["IE"]);
}

#[test]
fn an_alleged_affiliate_is_printed_and_never_counted() {
    let netprisma = at("netprisma", "2026-11-25");
    assert_eq!(netprisma.alleged.len(), 1);
    assert_eq!(netprisma.alleged[0].basis, Basis::Alleged);
    assert!(!netprisma.alleged[0].verified);
    assert_eq!(countries(&netprisma), ["US"]);
    assert!(netprisma.owner.is_empty() && netprisma.chain.is_empty() && netprisma.listings.is_empty());
    assert_eq!(netprisma.statement, format!("jurisdiction US, not listed as of 2026-11-25 (sources to {})", sources_to()));
    // A brand is another matter: its house is in the chain.
    assert!(at("ikotek", "2026-11-25").listings.iter().any(|l| l.org == "quectel"));
}

#[test]
fn quectel_is_listed_from_the_day_of_the_list() {
    let before = at("quectel", "2025-01-06");
    let asked = "; pending: US-NSCMIC (requested since 2024-01-04)";
    assert_eq!(before.statement, format!("jurisdiction CN, not listed as of 2025-01-06 (sources to {}){asked}", sources_to()));
    assert!(!at("quectel", "2024-01-03").statement.contains("pending"), "nobody had asked for it yet");
    let listed = at("quectel", "2025-01-07");
    assert!(
        listed
            .statement
            .starts_with("jurisdiction CN; listed: US-DOD-1260H since 2025-01-07 (names Quectel Wireless Solutions Co., Ltd.; ")
    );
    assert!(listed.statement.contains("by itself no ban"));
    let today = at("quectel", "2026-11-25");
    assert_eq!(today.listings.iter().map(|l| &*l.regime).collect::<Vec<_>>(), ["US-DOD-1260H", "US-DOD-1260H"]);
    // Under consideration and requested are their own states.
    let pending: Vec<_> = today.pending.iter().map(|l| (&*l.regime, &*l.list_status)).collect();
    assert_eq!(pending, [("US-FCC-COVERED", "reported-under-consideration"), ("US-NSCMIC", "requested")]);
}

#[test]
fn who_is_not_named_is_said_not_to_be_listed_in_those_words() {
    for org in ["fibocom", "simcom", "meig", "neoway", "lierda"] {
        let trace = at(org, "2026-11-25");
        // What is only proposed, and what nobody has seen, stands behind the words and never inside them.
        let proposed = if org == "fibocom" { "; pending: US-FCC-COVERED (reported under consideration since 2026)" } else { "" };
        let expected = format!("jurisdiction CN, not listed as of 2026-11-25 (sources to {}){proposed}", sources_to());
        assert_eq!(trace.statement, expected, "{org}");
    }
    // Nothing later than this was read; a listing's own dates may lie ahead of it.
    assert_eq!(sources_to(), "2026-08-22");
}

#[test]
fn a_listing_of_services_says_so() {
    let module_maker = at("cmiot", "2026-11-25");
    assert_eq!(module_maker.owner, ["State-owned Assets Supervision and Administration Commission of the State Council"]);
    let fcc = module_maker.listings.iter().find(|l| l.regime == "US-FCC-COVERED").unwrap();
    assert_eq!(fcc.org, "cmcc");
    assert!(fcc.scope.contains("SERVICES only"));
    assert!(module_maker.statement.contains(
        "US-FCC-COVERED since 2022-03-25 (names China Mobile International USA Inc., which stands behind it; section 214 SERVICES only"
    ));
}

#[test]
fn a_list_counts_from_its_first_day() {
    let regimes = |text: &str| {
        let mut regimes: Vec<_> = at("huawei", text).listings.into_iter().map(|l| l.regime).collect();
        regimes.dedup();
        regimes
    };
    assert_eq!(regimes("2018-08-12"), [""; 0]);
    assert_eq!(regimes("2018-08-13"), ["US-NDAA-889"]);
    assert_eq!(regimes("2021-03-11"), ["US-BIS-EL", "US-NDAA-889"]);
    assert!(at("huawei", "2020-01-01").statement.contains("buying from it is no matter of this list; unverified)"));
    assert_eq!(regimes("2021-03-12"), ["US-BIS-EL", "US-FCC-COVERED", "US-NDAA-889"]);
}

#[test]
fn a_western_maker_gets_the_same_sections() {
    let keys = |trace: &Trace| {
        let value = serde_json::to_value(trace).unwrap();
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let quectel = at("quectel", "2026-11-25");
    for (org, expected) in [("telit", vec!["US", "IM"]), ("sierra", vec!["CA", "US"]), ("sequans", vec!["FR"]), ("nordic", vec!["NO"])] {
        let trace = at(org, "2026-11-25");
        assert_eq!(keys(&trace), keys(&quectel));
        assert_eq!(countries(&trace), expected);
        assert!(trace.jurisdictions.iter().all(|j| !j.laws.is_empty() && j.laws[0] != NO_ROW), "{org}");
        assert!(trace.statement.ends_with(&format!(", not listed as of 2026-11-25 (sources to {})", sources_to())), "{org}");
    }
    let sequans = at("sequans", "2026-11-25");
    assert!(sequans.other.iter().any(|s| s.edge == "state-support" && s.parent == "fr-state"));
    assert!(sequans.jurisdictions[0].laws.iter().any(|l| l.starts_with("e-Evidence Regulation")), "a member state has the union's law too");
}

#[test]
fn a_law_reaches_nobody_before_its_date_and_keeps_its_mark() {
    let laws = |text: &str| at("quectel", text).jurisdictions[0].laws.clone();
    assert!(!laws("2017-06-26").iter().any(|l| l.starts_with("National Intelligence Law")));
    assert!(laws("2017-06-27").iter().any(|l| l == "National Intelligence Law, art. 7, 14 (amended 2018-04-27)"));
    assert!(laws("2026-11-25").iter().filter(|l| l.starts_with("Counter-Espionage")).all(|l| l.ends_with("(unverified)")));
}

#[test]
fn a_law_known_by_its_year_is_in_doubt_inside_it() {
    let fisa = |text: &str| at("netprisma", text).jurisdictions[0].laws.iter().find(|l| l.starts_with("FISA")).cloned();
    assert_eq!(fisa("2007-12-31"), None);
    let inside = fisa("2008-03-01").unwrap();
    assert!(inside.contains(" (in force in 2008, day not on file)"), "{inside}");
    assert!(!fisa("2009-01-01").unwrap().contains("day not on file"));
}

#[test]
fn an_organisation_that_is_not_on_file_is_unknown_not_clean() {
    let nobody = at("no-such-org", "2026-11-25");
    assert!(nobody.jurisdictions.is_empty());
    assert_eq!(nobody.statement, "organisation not on file: jurisdiction and listings unknown as of 2026-11-25");
}

#[test]
fn every_organisation_traces_and_every_jurisdiction_has_a_law_or_says_that_it_has_no_row() {
    for org in KB.organisations() {
        let trace = trace(&KB, &org.id, day("2026-11-25"));
        assert_eq!(trace, super::trace(&KB, &org.id, day("2026-11-25")));
        assert!(trace.jurisdictions.iter().all(|j| !j.laws.is_empty()), "{}", org.id);
        assert!(trace.chain.iter().all(|s| !s.source.is_empty()));
    }
}

#[test]
fn the_basis_of_an_edge_follows_its_row() {
    let quectel = at("quectel", "2026-11-25");
    let ministry = quectel.other.iter().find(|s| s.edge == "influence").unwrap();
    assert_eq!((&*ministry.parent, ministry.basis), ("miit", Basis::Listed));
    assert!(ministry.source.contains("the company denies state ties"));
    assert!(!quectel.jurisdictions.iter().any(|j| j.org == "miit"), "influence is no control");
    assert!(quectel.other.iter().all(|s| s.basis != Basis::Alleged));
    // What it is said to sell, and what it is on record to make.
    assert!(quectel.alleged.iter().any(|s| s.edge == "customer-of" && s.child == "hikvision"));
    assert!(quectel.other.iter().any(|s| s.edge == "makes" && s.child == "arduino" && s.basis == Basis::Declared));
    // Its buyers' listings are not its own, nor the other way round.
    assert!(!at("hikvision", "2026-11-25").listings.iter().any(|l| l.org == "quectel"));
}

/// The tables of the product with rows added.
fn with_rows(name: &str, organisations: &str, ownership: &str) -> Knowledge {
    let dir = std::env::temp_dir().join(format!("umbilical-trace-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let add = |file: &str, table: &str, rows: &str| std::fs::write(dir.join(file), format!("{table}{rows}")).unwrap();
    add("organisations.csv", include_str!("../../../../knowledge/organisations.csv"), organisations);
    add("ownership.csv", include_str!("../../../../knowledge/ownership.csv"), ownership);
    let knowledge = Knowledge::with_dir(&dir).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    knowledge
}

#[test]
fn a_circle_of_owners_ends() {
    let kb = with_rows(
        "circle",
        "ring-a,Ring A,CN,holding,,,,,a register,verified,high\nring-b,Ring B,ZZ,holding,,,,,a register,verified,high\n",
        "ring-a,ring-b,owns,60,,,a register,verified,high,\nring-b,ring-a,owns,60,,,a register,verified,high,\n",
    );
    let trace = trace(&kb, "ring-a", day("2026-11-25"));
    assert_eq!(countries(&trace), ["CN", "ZZ"]);
    assert_eq!(parents(&trace.chain), [("ring-b", true, false), ("ring-a", true, false)]);
    assert_eq!(trace.jurisdictions[1].laws, [NO_ROW], "a country nobody looked at is never without law");
}

#[test]
fn half_and_unstated_shares_are_left_open() {
    let kb = with_rows(
        "half",
        "joint,Joint,LU,holding,,,,,a register,verified,high\nhalf-owner,Half Owner,SG,holding,,,,,a register,verified,high\nquiet-owner,Quiet Owner,JP,holding,,,,,a register,verified,high\n",
        "joint,half-owner,owns,50,,,a register,verified,high,\njoint,quiet-owner,owns,,,,a register,verified,high,\n",
    );
    let trace = trace(&kb, "joint", day("2026-11-25"));
    assert_eq!(countries(&trace), ["LU"]);
    assert_eq!(trace.owner, ["Half Owner (unclear)", "Quiet Owner (unclear)"]);
    assert_eq!(
        trace.open_points,
        [
            "Half Owner owns 50 % of Joint: whether that is control is not decided here",
            "Quiet Owner owns Joint with a share that is not stated: whether that is control is not decided here",
        ]
    );
    assert!(trace.statement.starts_with("jurisdiction LU (for review: SG, JP), not listed"));
}

#[test]
fn lists_that_nobody_has_read_are_said_apart_and_by_date() {
    assert_eq!(super::unread_lists(&KB, day("2026-11-25")), ["CA-C8", "UK-PA23", "US-BIS-EL Affiliates rule"]);
    assert!(!super::unread_lists(&KB, day("2020-01-01")).contains(&"UK-PA23".to_owned()));
}
