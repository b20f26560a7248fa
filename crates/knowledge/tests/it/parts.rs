//! Parts that are no modules, by number and by word, and what only looks like them.

use umbilical_core::bom::PartKind;
use umbilical_knowledge::{Knowledge, WordWeight};

/// What the numbers alone say, with the maker as a list writes it.
fn kind(number: &str, maker: Option<&str>) -> Option<PartKind> {
    Knowledge::embedded().part_series(number, maker).map(|hit| hit.series.kind)
}

#[test]
fn other_products_of_module_makers_are_no_modules() {
    for (number, maker, expected) in [
        ("L80-M39", "移远", PartKind::Gnss),
        ("FC41D", "Quectel", PartKind::Radio),
        ("MAX-M8Q-0", "u-blox AG", PartKind::Gnss),
        ("SIM68M", "SIMCom", PartKind::Gnss),
        ("nRF52840-QIAA", "Nordic Semiconductor", PartKind::Radio),
        ("Air530Z", "合宙", PartKind::Gnss),
        ("ESP-12F", "安信可", PartKind::Radio),
    ] {
        assert_eq!(kind(number, Some(maker)), Some(expected), "{number}");
    }
    for number in ["SARA-R410M-02B", "SIM868", "nRF9160-SICA", "Air780E", "FG150-NA", "LE910C1-EU", "EC600N", "BG96"] {
        assert_eq!(kind(number, None), None, "{number}");
    }
}

#[test]
fn a_short_number_asks_for_its_maker_and_a_known_other_one_contradicts_it() {
    assert_eq!(kind("L86", Some("Quectel")), Some(PartKind::Gnss));
    assert_eq!(kind("L86", None), None);
    assert_eq!(kind("M95256-WMN6P", Some("ST")), Some(PartKind::Memory));
    assert_eq!(kind("W25Q128JVSIQ", Some("Winbond(华邦)")), Some(PartKind::Memory));
    assert_eq!(kind("W25Q128JVSIQ", Some("Taoglas")), None);
}

#[test]
fn the_series_that_says_more_wins() {
    assert_eq!(kind("STM32F103C8T6", None), Some(PartKind::Processor));
    assert_eq!(kind("STM32WB55CG", None), Some(PartKind::Radio));
    assert_eq!(kind("MT2503AVE", None), Some(PartKind::Chipset));
    assert_eq!(kind("MT25QL128ABA", None), Some(PartKind::Memory));
    assert_eq!(kind("MAX7219CNG", None), None);
}

#[test]
fn words_deny_what_other_words_seem_to_say() {
    let kb = Knowledge::embedded();
    let says = |text: &str, kind: PartKind| kb.part_words(text).iter().any(|w| w.kind == kind && w.weight != WordWeight::Denies);
    for text in ["SIM card holder", "держатель SIM-карты", "SIM卡座", "SIM-Kartenhalter", "SIMソケット"] {
        assert!(says(text, PartKind::Sim), "{text}");
    }
    for text in ["ESD protection for SIM card", "SIM card level translator", "Sticker for SIM card"] {
        assert!(kb.part_words(text).first().is_none_or(|w| w.kind != PartKind::Sim), "{text}");
    }
    for text in ["DSL modem", "HART modem", "LoRa modem", "powerline modem"] {
        assert!(!says(text, PartKind::Module), "{text}");
        assert!(says(&format!("{text}, LTE module"), PartKind::Module), "{text} beside a module");
    }
    assert!(says("SIM holder with SIM detect", PartKind::Sim));
    assert!(says("M.2 key B", PartKind::Slot) && !says("M.2 key E socket", PartKind::Slot) && !says("M.2 Key-M", PartKind::Slot));
    assert!(says("carrier board, M.2 Key-M and M.2 Key-B", PartKind::Slot), "one place beside another is still one");
    assert!(says("4G模块", PartKind::Module) && !says("载波通信模块", PartKind::Module));
    assert!(says("LTE filter", PartKind::Filter) && says("antenna switch", PartKind::Filter) && !says("antenna switch", PartKind::Antenna));
}
