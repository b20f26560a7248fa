//! The tables as they are shipped: whole, consistent, and able to answer.

mod parts;

use std::path::Path;

use umbilical_knowledge::{Knowledge, Offer, PatternHit, ProductBasis, Scope, Strength, TacClass, TacOrigin, UsbClass};

fn kb() -> Knowledge {
    Knowledge::embedded()
}

#[test]
fn every_table_holds() {
    let errors: Vec<String> = kb().check().iter().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{} mistakes:\n{}", errors.len(), errors.join("\n"));
}

#[test]
fn marks_of_unverified_sources_are_kept() {
    let kb = kb();
    let mut sources = Vec::new();
    sources.extend(kb.brands().iter().map(|r| &r.source));
    sources.extend(kb.modules().iter().map(|r| &r.source));
    sources.extend(kb.rebrands().iter().map(|r| &r.source));
    sources.extend(kb.products().iter().map(|r| &r.source));
    sources.extend(kb.tac_learned().iter().map(|r| &r.source));
    sources.extend(kb.fcc_grantees().iter().map(|r| &r.source));
    sources.extend(kb.patterns().iter().map(|r| &r.source));
    sources.extend(kb.endpoints().iter().map(|r| &r.source));
    sources.extend(kb.organisations().iter().map(|r| &r.source));
    sources.extend(kb.edges().iter().map(|r| &r.source));
    sources.extend(kb.listings().iter().map(|r| &r.source));
    sources.extend(kb.replacements().iter().map(|r| &r.source));
    let nobody_checked = |text: &str| {
        ["unverified", "public source text", "vendor product naming", "general knowledge", "seed"].iter().any(|s| text.starts_with(s))
    };
    let lost: Vec<_> = sources.iter().filter(|s| s.verified && nobody_checked(&s.text)).collect();
    assert!(lost.is_empty(), "{lost:#?}");
    assert!(sources.iter().any(|s| !s.verified));
}

#[test]
fn a_usb_id_names_a_family_when_models_share_it() {
    let kb = kb();
    let rows = kb.usb(0x2c7c, 0x0125);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].brand.as_deref(), Some("Quectel"));
    assert_eq!(rows[0].class, UsbClass::Module);
    assert!(["EC25", "EG25-G", "EC20"].iter().all(|m| rows[0].models.iter().any(|x| &**x == *m)));
    assert!(kb.usb(0x2c7c, 0xfffe).is_empty());
}

#[test]
fn chip_default_ids_name_nobody_or_ask_for_a_second_clue() {
    let kb = kb();
    for vid in [0x05c6, 0x8087, 0x1782, 0x0e8d] {
        let vendor = kb.usb_vendor(vid).unwrap();
        assert!(vendor.brand.is_none() && vendor.shared, "{vid:04x}");
    }
    assert!(kb.usb(0x05c6, 0x9003).iter().all(|r| r.needs_second));
    assert!(kb.usb(0x05c6, 0x9008).iter().all(|r| r.brand.is_none() && r.is_loader()));
}

#[test]
fn interface_descriptors_part_models_behind_one_id() {
    let kb = kb();
    let model = |interface, class, bcd: Option<u16>| {
        let fits =
            |r: &&umbilical_knowledge::UsbInterface| r.interface == interface && r.class == class && r.bcd.is_none_or(|b| Some(b) == bcd);
        kb.usb_interfaces(0x2dee, 0x4d22).find(fits).map(|r| r.model.to_string())
    };
    assert_eq!(model(1, (0xff, 0, 0), None).as_deref(), Some("SRM815"));
    assert_eq!(model(1, (0xff, 0xff, 0x40), None).as_deref(), Some("SRM825L"));
    assert_eq!(model(1, (0xff, 0x10, 2), Some(0x0504)).as_deref(), Some("SLM828"));
    assert_eq!(model(1, (0xff, 0x10, 2), Some(0x0318)), None);
}

#[test]
fn a_pci_subsystem_beats_the_chip() {
    let kb = kb();
    let found = |subsystem| kb.pci(0x17cb, 0x0308, subsystem).map(|r| (r.brand.clone(), r.models.first().cloned()));
    assert_eq!(found(Some((0x17cb, 0x5201))), Some((Some("Quectel".into()), Some("RM520N-GL".into()))));
    assert_eq!(found(Some((0x1c5d, 0x2010))), Some((Some("Telit".into()), Some("FN990".into()))));
    assert_eq!(found(None), Some((None, None)));
    assert_eq!(found(Some((0x1234, 0x5678))), Some((None, None)));
    assert!(kb.pci(0x8086, 0x1234, None).is_none());
}

#[test]
fn a_tac_answers_with_its_origin() {
    let mut kb = kb();
    let hits = kb.tac(86_882_204);
    assert!(
        !hits.is_empty()
            && hits.iter().all(|h| h.brand == Some("SIMCom") && h.model.starts_with("SIM7600G") && h.origin == TacOrigin::Learned)
    );
    assert!(kb.tac(86_256_702).iter().all(|h| h.class == TacClass::Stick));
    assert!(kb.tac(12_345_678).is_empty());

    let osmocom = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge/tac-osmocom/tac.csv");
    let text = std::fs::read_to_string(osmocom).unwrap();
    assert!(!kb.has_tac(TacOrigin::Osmocom));
    assert_eq!(kb.attach_tac(&text, TacOrigin::Osmocom, "Osmocom tacdb, CC-BY-SA-3.0").unwrap(), 224);
    let hits = kb.tac(35_006_000);
    assert_eq!(hits.iter().map(|h| (h.brand, h.model, h.origin)).collect::<Vec<_>>(), [(Some("Telit"), "GM812", TacOrigin::Osmocom)]);
    assert!(kb.attach_tac("tac,brand,model\n123,Acme,One\n", TacOrigin::Licensed, "x").is_err());
}

#[test]
fn test_values_are_no_identity() {
    let kb = kb();
    assert!(kb.imei_trap("004999010640000").is_some());
    assert!(kb.imei_trap("351602001234567").is_some());
    assert!(kb.imei_trap("868822041234567").is_none());
}

#[test]
fn an_fcc_id_spells_its_model() {
    let kb = kb();
    let cases = [
        ("XMR201909EC25AFX", "Quectel", &["EC25-AFX"][..]),
        ("FCC ID: XMR201707BG96", "Quectel", &["BG96"]),
        ("XMR2020EM160RGL2", "Quectel", &["EM160R-GL"]),
        ("2AJYU-8PYA009", "SIMCom", &["SIM7600E-H"]),
        ("Contains FCC ID: N7NEM7455", "Sierra Wireless", &["EM7455"]),
        ("XPYTOBYL210", "u-blox", &["TOBY-L210"]),
        // a Wi-Fi part under the same grantee
        ("XMR2023FCU760K", "Quectel", &[]),
    ];
    for (id, brand, models) in cases {
        let hit = kb.fcc(id).unwrap_or_else(|| panic!("{id}"));
        assert_eq!(&*hit.grantee.brand, brand, "{id}");
        assert_eq!(hit.models.iter().map(|m| &*m.model).collect::<Vec<_>>(), models, "{id}");
    }
    assert!(kb.fcc("ZZZ123").is_none() && kb.fcc("").is_none() && kb.fcc("XMR").is_none());
}

/// The first match that decides or supports a model.
fn spelled<'k>(kb: &'k Knowledge, scope: Scope, text: &str) -> Option<(String, String)> {
    let rank = |h: &PatternHit<'k>| (h.pattern.strength, std::cmp::Reverse(h.model.is_some()));
    let mut hits = kb.matches(scope, text);
    hits.retain(|h| h.pattern.strength <= Strength::Support);
    hits.sort_by_key(rank);
    let hit = hits.into_iter().next()?;
    let maker = hit.pattern.maker.as_deref().unwrap_or_default().to_owned();
    Some((maker, hit.model.map(|m| m.name.to_string()).unwrap_or_default()))
}

#[test]
fn revision_grammars_reach_models_beyond_their_examples() {
    let kb = kb();
    let cases = [
        ("EG25GGBR07A08M2G", "Quectel", "EG25-G"),
        ("EC25EFAR02A09M4G", "Quectel", "EC25-E"),
        ("EC25AFAR05A06M4G", "Quectel", "EC25-A"),
        ("EC25AFFAR07A09M4G", "Quectel", "EC25-AF"),
        ("EC25EUXGAR08A07M1G_30.001.30.001", "Quectel", "EC25-EUX"),
        ("EC21EUXGAR08A04M1G", "Quectel", "EC21-EUX"),
        ("EC20CEFHLGR06A03M1G", "Quectel", "EC20-CE"),
        ("EM05GFAR07A04M1G", "Quectel", "EM05-G"),
        ("EP06ELAR04A22M4G", "Quectel", "EP06-E"),
        ("EM20GRAR01A02M4G", "Quectel", "EM20-G"),
        ("EM160RGLAPR02A07M4G", "Quectel", "EM160R-GL"),
        ("RM500QGLABR11A04M4G_01.001.01.001", "Quectel", "RM500Q-GL"),
        ("RM500UCNVAAR03A09M2G", "Quectel", "RM500U-CNV"),
        ("RM520NGLAAR03A03M4G", "Quectel", "RM520N-GL"),
        ("RM551EGL00AAR01A04M8G", "Quectel", "RM551E-GL"),
        ("RG500QEAAAR12A09M4G", "Quectel", "RG500Q-EA"),
        ("EC200AELLAR01A05M16", "Quectel", "EC200A-EL"),
        ("EC200UEUAAR03A13M08", "Quectel", "EC200U-EU"),
        ("EG06ELAR04A04M4G", "Quectel", "EG06-E"),
        ("BG95M3LAR02A04_A0.301.A0.301", "Quectel", "BG95-M3"),
        ("BG96MAR02A07M1G", "Quectel", "BG96"),
        ("BG77LAR02A04", "Quectel", "BG77"),
        ("BC66NBR01A11", "Quectel", "BC66"),
        ("BC660KGLAAR01A05", "Quectel", "BC660K-GL"),
        ("M95FAR02A08", "Quectel", "M95"),
        ("MC60CAR01A12", "Quectel", "MC60"),
        ("UC20GQBR03A14E1G", "Quectel", "UC20-G"),
        ("LE20B04SIM7600G22", "SIMCom", "SIM7600G"),
        ("LE11B12SIM7600M22", "SIMCom", "SIM7600"),
        ("1529B11SIM7000A", "SIMCom", "SIM7000A"),
        ("2110B01SIM7080", "SIMCom", "SIM7080"),
        ("1137B03SIM900M64_ST", "SIMCom", "SIM900"),
        ("1418B05SIM800L24", "SIMCom", "SIM800L"),
        ("SIM800 R14.18", "SIMCom", "SIM800"),
        ("A110B06A7670M7", "SIMCom", "A7670"),
        ("A7670M7_V1.11.1", "SIMCom", "A7670"),
        ("SIM7600M22_V2.0", "SIMCom", "SIM7600"),
        ("18500.5001.00.05.27.12", "Fibocom", "L850-GL"),
        ("18601.5001.00.01.18.12", "Fibocom", "L860-GL"),
        ("81600.0000.00.29.19.16_GC", "Fibocom", "FM350-GL"),
        ("19006.1000.00.02.78.08", "Fibocom", ""),
        ("SWI9X30C_02.33.03.00", "Sierra Wireless", ""),
        ("SWI9X07Y_02.37.03.00", "Sierra Wireless", ""),
        ("SWI9200X_03.05.21.01ap", "Sierra Wireless", ""),
        ("SWIX55C_02.08.01.00 58f60e jenkins", "Sierra Wireless", ""),
        ("HL7802.4.6.9.4", "Sierra Wireless", "HL7802"),
        ("T77W968.F1.0.0.5.2.GC.013", "Foxconn", "T77W968"),
        ("T99W373.F0.0.0.0.1.DF.015", "Foxconn", "T99W373"),
        ("M0R.010002", "Telit", ""),
        ("M0.10.00,A.02.21", "u-blox", "SARA-R410M"),
        ("L0.0.00.00.05.08 [Apr 17 2019 19:34:02]", "u-blox", "SARA-R4"),
        ("mfw_nrf9160_1.3.5", "Nordic", "nRF9160"),
        ("UE8.2.1.0", "Sequans", ""),
        ("REVISION 03.017", "Cinterion", ""),
        ("11.617.15.00.00", "Huawei", ""),
        ("SLM750_4.0.7_EQ101", "MeiG", "SLM750"),
        ("N58-EA-STD-BZ-V006", "Neoway", "N58-EA"),
        ("AirM2M_780EP_V1002_LTE_AT", "Luat", "Air780EP"),
        ("ML307A-DSLN-MBRH0S02", "China Mobile IoT", "ML307A"),
    ];
    for (text, maker, model) in cases {
        assert_eq!(spelled(&kb, Scope::Revision, text), Some((maker.into(), model.into())), "{text}");
    }
}

#[test]
fn identity_answers_name_their_maker() {
    let kb = kb();
    let cases = [
        ("Quectel", "Quectel", ""),
        ("+CGMI: \"Fibocom Wireless Inc.\"", "Fibocom", ""),
        ("Manufacturer: SIMCOM INCORPORATED", "SIMCom", ""),
        ("+CGMM: SIMCOM_SIM7600E-H", "SIMCom", "SIM7600E-H"),
        ("Model: EM7455B", "Sierra Wireless", "EM7455"),
        ("LE910C4-EU", "Telit", "LE910C4-EU"),
        ("PLS8-E", "Cinterion", "PLS8-E"),
        ("SARA-R510S-61B", "u-blox", "SARA-R510S"),
        ("nRF9151-LACA", "Nordic", "nRF9151"),
        ("C16QS", "Cavli", "C16QS"),
        ("ME3630-W", "Gosuncn", "ME3630-W"),
        ("Manufacturer: Huawei Technologies Co., Ltd.", "Huawei", ""),
        ("Manufacturer: MEIG INCORPORATED", "MeiG", ""),
        ("SIMCOM_Ltd", "SIMCom", ""),
        ("A7670E-FASE", "SIMCom", "A7670E-FASE"),
    ];
    for (text, maker, model) in cases {
        assert_eq!(spelled(&kb, Scope::AtIdentity, text), Some((maker.into(), model.into())), "{text}");
    }
}

#[test]
fn look_alikes_match_nothing() {
    let kb = kb();
    let innocent = [
        "EG0600FBVFP",
        "MediaTek MT7988",
        "MT7621",
        "XEC25EFAR06A01M4GX1R",
        "PL2303 USB-Serial",
        "u-blox 8 GNSS receiver",
        "RTL8812BU 802.11ac",
        "ST1000LM035-1RK172",
        "Samsung SSD 870 EVO 500GB",
        "Linux 5.15.0-91-generic",
        "2024-07-26T12:00:00Z",
        "192.168.1.254",
    ];
    for text in innocent {
        for scope in [Scope::Revision, Scope::AtIdentity, Scope::Model, Scope::Text, Scope::UsbProduct, Scope::FileName] {
            let hits: Vec<_> = kb.matches(scope, text).iter().map(|h| h.pattern.id.to_string()).collect();
            assert!(hits.is_empty(), "{text} as {scope}: {hits:?}");
        }
        let models: Vec<_> = kb.models_in(text).iter().map(|h| h.module.model.to_string()).collect();
        assert!(models.is_empty(), "{text}: {models:?}");
    }
    // silicon and platform strings may be seen, but never decide
    for text in ["QUALCOMM INCORPORATED", "Manufacturer: QUALCOMM INCORPORATED", "+CGMI: \"Marvell\"", "Intel"] {
        let hits = kb.matches(Scope::AtIdentity, text);
        assert!(!hits.is_empty() && hits.iter().all(|h| h.pattern.strength == Strength::Trap && h.pattern.maker.is_none()), "{text}");
    }
}

#[test]
fn names_of_models_resolve() {
    let kb = kb();
    let names = "EC25-E EC25-EUX EG25-G RM520N-GL RM520NGL EC200A EM05-G FM101-GL L716-EU T77W968 T77W676 SLM750 SIM7080G MC7304 FE910C04 \
                 Air780E ME909s-120 SARA-R410M LE910C4-EU PLS62-W mPLS62-W nRF9160 GM02S C16QS ME3630 BC95-G FM190W-GL SRM825WN LBAD0XX1SC";
    for name in names.split_whitespace() {
        assert!(!kb.modules_named(name).is_empty(), "{name}");
        assert!(!kb.models_in(&format!("board holds a {name}, rev. 2")).is_empty(), "{name}");
    }
    let model = |text| kb.models_in(text).first().map(|h| h.module.model.to_string());
    assert_eq!(model("\"L850 LTE Module\"").as_deref(), Some("L850-GL"));
    assert_eq!(model("SimTech SIM7080").as_deref(), Some("SIM7080"));
    assert_eq!(model("采用移远EC20模块").as_deref(), Some("EC20"));
    assert!(!kb.modules_named("M95").iter().any(|m| m.distinct));
}

#[test]
fn brands_in_any_spelling() {
    let kb = kb();
    let cases = [
        ("Quectel Wireless Solutions Co., Ltd.", Some("Quectel")),
        ("移远通信 EC20", Some("Quectel")),
        ("广和通", Some("Fibocom")),
        ("MEIG LTE-A Module", Some("MeiG")),
        ("Fibocom Mobile Boardband", Some("Fibocom")),
        ("Sierra Wireless, Incorporated", Some("Sierra Wireless")),
        ("Telit Cinterion", Some("Telit")),
        ("QUALCOMM INCORPORATED", None),
        ("Dell Inc.", None),
        ("no option was given", None),
        ("", None),
    ];
    for (text, brand) in cases {
        assert_eq!(kb.brand_of(text).map(|b| &*b.brand), brand, "{text}");
    }
    assert_eq!(kb.brand("rolling wireless").map(|b| &*b.brand), Some("Rolling Wireless"));
    assert!(kb.org_of_brand("Rolling Wireless").is_some());
}

#[test]
fn a_re_brand_keeps_brand_and_maker_apart() {
    let kb = kb();
    let rows = kb.rebrands_in("DW5811e Snapdragon X7 LTE");
    assert_eq!(
        rows.iter().map(|r| (&*r.brand, &*r.maker, r.model.as_deref())).collect::<Vec<_>>(),
        [("Dell", "Sierra Wireless", Some("EM7455"))]
    );
    assert!(kb.rebrands_by_usb(0x413c, 0x81d7).any(|r| r.model.as_deref() == Some("T77W968")));
    let key = umbilical_knowledge::PciKey::parse("105b:e0b1").unwrap();
    assert!(kb.rebrands_by_pci(key).any(|r| r.sold_as.as_deref() == Some("DW5930e")));
}

#[test]
fn products_say_on_what_they_rest() {
    let kb = kb();
    let basis = |brand, text| kb.products_in(Some(brand), text).first().map(|p| p.basis);
    assert_eq!(basis("Teltonika", "RUT950"), Some(ProductBasis::Observed));
    assert_eq!(basis("Axon", "Axon Body 4"), Some(ProductBasis::Alleged));
    assert_eq!(basis("Teltonika", "RUT9500"), None);
    assert!(kb.products().iter().all(|p| p.basis != ProductBasis::Observed || p.source.verified || p.module_model.is_none()));
}

#[test]
fn domains_cover_their_hosts() {
    let kb = kb();
    let brand = |name| kb.endpoint(name).and_then(|e| e.brand.as_deref());
    assert_eq!(brand("iot-south.quectel.com"), Some("Quectel"));
    assert_eq!(brand("FOTA.iot-south.quectel.com."), Some("Quectel"));
    assert_eq!(brand("eu.airvantage.net"), Some("Sierra Wireless"));
    assert_eq!(brand("notquectel.com"), None);
    assert_eq!(brand("quectel.com.evil.example"), None);
    assert_eq!(kb.endpoint("xtrapath1.izatcloud.net").map(|e| e.strength), Some(Strength::Weak));
}

#[test]
fn macs_and_operators() {
    let kb = kb();
    for mac in ["a4:d4:b2:00:00:01", "A4-D4-B2-00-00-01", "a4d4.b200.0001", "A4D4B2000001"] {
        assert_eq!(kb.oui(mac).map(|o| &*o.brand), Some("MeiG"), "{mac}");
    }
    assert!(kb.oui("zz:zz").is_none() && kb.oui("").is_none());
    assert_eq!(kb.plmn("262011234567890").map(|p| &*p.country), Some("DE"));
    assert!(kb.plmn("99999").is_none() && kb.plmn("2").is_none() && kb.plmn("2620é").is_none());
    assert_eq!(kb.mcc_country("262"), Some("DE"));
}

#[test]
fn law_answers() {
    let kb = kb();
    assert!(kb.listings_of("quectel").any(|l| &*l.regime == "US-DOD-1260H"));
    assert!(kb.laws("CN").next().is_some());
    assert!(kb.edges_of("simcom").next().is_some());
    assert!(kb.replacements_for("Quectel", "EC25-E").iter().any(|r| r.to_model.contains("LE910C4")));
    assert!(kb.replacements_for("Quectel", "no such model").is_empty());
    assert!(kb.rats().iter().any(|r| r.offer == Offer::None) && kb.rats().iter().any(|r| r.offer == Offer::Unknown));
    assert!(kb.sources_to().is_some_and(|day| day.year == 2026));
    assert_eq!(kb.version().len(), 12);
}

#[test]
fn a_mistake_in_a_replaced_table_is_located() {
    let dir = std::env::temp_dir().join(format!("umbilical-knowledge-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let write = |text: &str| std::fs::write(dir.join("brands.csv"), text).unwrap();
    let error = |dir: &Path| Knowledge::with_dir(dir).err().map(|e| e.to_string()).unwrap_or_default();
    assert_eq!(error(&dir), "");

    write("brand,org,kind,common,aliases,source,status\nAcme,,modul,no,,a paper,verified\n");
    assert!(error(&dir).starts_with("brands.csv:2: column `kind`: `modul` is none of"), "{}", error(&dir));
    write("brand,org,kind,common,aliases,source,status\nAcme,,module,no,,,verified\n");
    assert_eq!(error(&dir), "brands.csv:2: no source: every row says where it comes from");
    // a table on its own may be right and still break what refers to it
    write("brand,org,kind,common,aliases,source,status\nAcme,no-such-org,module,no,,a paper,verified\n");
    assert!(error(&dir).contains("`no-such-org` is not in organisations.csv"), "{}", error(&dir));
    std::fs::remove_dir_all(&dir).unwrap();
}

proptest::proptest! {
    #[test]
    fn no_text_can_break_a_look_up(text in "(\\PC|[A-Z0-9_.:+ -]|\n|移远|EC25|R0[0-9]A0[0-9]M|SIM7[0-9]{3}){0,40}") {
        let kb = SHARED.get_or_init(Knowledge::embedded);
        for scope in [Scope::Revision, Scope::AtIdentity, Scope::AtLine, Scope::Text, Scope::UsbProduct, Scope::UsbManufacturer, Scope::Model, Scope::FileName] {
            for hit in kb.matches(scope, &text) {
                proptest::prop_assert!(text.get(hit.span).is_some_and(|t| !t.is_empty()));
            }
        }
        proptest::prop_assert!(kb.models_in(&text).iter().all(|h| text.get(h.span.clone()).is_some()));
        proptest::prop_assert!(kb.brands_in(&text).iter().all(|h| text.get(h.span.clone()).is_some()));
        let _ = (kb.brand(&text), kb.fcc(&text), kb.plmn(&text), kb.oui(&text), kb.endpoint(&text), kb.imei_trap(&text));
        let _ = (kb.rebrands_in(&text), kb.products_in(None, &text), kb.orgs_in(&text), kb.module_stem("Quectel", &text));
    }
}

static SHARED: std::sync::OnceLock<Knowledge> = std::sync::OnceLock::new();
