//! What lists of parts and design files have in common: the names of their fields, designators, words for parts that are
//! not placed, several names in one field.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// A field of a part, as people and programs name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PartField {
    /// Reference designators.
    Designators,
    /// How many.
    Quantity,
    /// The value placed on the board, or the name.
    Value,
    /// The maker's part number.
    Mpn,
    /// A part number of which nobody says whose: the maker's, or the house's own where there is another.
    PartNumber,
    /// The maker.
    Manufacturer,
    /// Prose.
    Description,
    /// Who sells it.
    Supplier,
    /// The seller's number.
    SupplierPart,
    /// Yes where it is *not* on the board: `DNP`.
    NotPlaced,
    /// No where it is not on the board: `Populate`, `Fitted`.
    Placed,
    /// What may stand in its place.
    Alternates,
    /// FCC ID.
    FccId,
    /// Country of origin.
    Origin,
    /// What the document calls it: category, type.
    Role,
    /// Version or revision.
    Version,
    /// Serial number of this piece.
    Serial,
}

use PartField as F;

/// Names without case, blanks and punctuation, and without a number at the end. Gathered from the default fields of KiCad,
/// EasyEDA, Eagle, Altium and OrCAD, the templates of assembly services, and what engineers write into custom fields.
const NAMES: &[(PartField, &str)] = &[
    (
        F::Designators,
        "ref refs refdes reference references designator designators referencedesignator referencedesignators refdesignator \
         refdesignators partreference componentdesignator bezeichner referenz referenzen bauteilreferenz repere reperes \
         referencia referencias designador riferimento riferimenti 位号 元件位号 位号标识 参考编号 部品番号記号 リファレンス",
    ),
    (
        F::Quantity,
        "qty quantity quant qnty qte anzahl menge stuck stueck stuckzahl quantite cantidad quantita quantidade aantal 数量 用量 \
         個数 qtyperboard quantityperpcb qtyboard boardqty count amount количество колво",
    ),
    (
        F::Value,
        "value val wert valeur valor valore waarde comment designation componentname partname name part partvalue 值 参数 名称 \
         元件名称 物料名称 品名 器件名称 定数 значение номинал",
    ),
    (
        F::Mpn,
        "mpn mp mfrpn mfrpartnumber mfrpartno mfrpart mfrno mfrnr mfrnum mfrnumber mfgpn mfgpart mfgpartnumber mfgpartno mfgno \
         mfgnumber mfgpartnum mfpn mfnpn mfpartnumber mfno mfnr mpnumber manpn manpartno manpartnumber manufpn manufpart \
         manufpartnumber manufacturerpn manufacturerpart manufacturerpartno manufacturerpartnum manufacturerpartnumber \
         manufacturerspartnumber manufacturerno manufacturernumber manufacturerproductnumber manufacturerref \
         manufacturerreference manufacturerpartid manufacturerproductid manufacturersku vendorpartname manufacturecode \
         manufacturercode makerpn makerpart makerpartnumber producerpn manufacturertype actualmpn preferredmpn cadmpn oempn \
         oempartnumber herstellernummer herstellernr herstellerteilenummer herstellertyp herstellerbestellnummer \
         herstellerartikelnummer bestellbezeichnung referencefabricant reffabricant numerodepiecefabricant \
         numerodepiezadelfabricante numerodepartefabricante referenciafabricante codiceproduttore codicefabbricante 制造商料号 \
         制造商编号 制造商零件编号 厂商型号 厂家型号 制造商型号 原厂型号 厂家料号 原厂料号 型号 规格型号 型号规格 元件型号 \
         器件型号 メーカー型番 型番 メーカー品番 品番 партномер артикулпроизводителя",
    ),
    (
        F::PartNumber,
        "partnumber partno partnum partnr pn partn componentpartnumber orderingcode orderingnumber ordercode model modelno \
         modelnumber typ typenumber teilenummer partid 部件号 零件号",
    ),
    (
        F::Manufacturer,
        "manufacturer manufacturers manufacturername manufacture manufact manuf manufname manu mfr mfrname mfg mfgname mfgr mfn \
         mf mnf mfrs maker make makername producer oem brand brandname fabricante hersteller herstellername marke fabricant \
         marque marca fabbricante produttore costruttore fabrikant producent 制造商 厂商 厂家 生产厂家 生产厂商 品牌 制造厂商 \
         制造商名称 メーカー メーカー名 製造元 製造商 제조사 производитель изготовитель",
    ),
    (
        F::Description,
        "description desc descr kidescription partdescription componentdescription longdescription itemdescription \
         productdescription beschreibung bezeichnung benennung descripcion descrizione descricao omschrijving 描述 说明 备注说明 \
         規格説明 説明 описание наименование detail details specification spec 规格 规格描述",
    ),
    (
        F::Supplier,
        "supplier suppliername vendor vendorname distributor distributorname dist seller lieferant distributeur fournisseur \
         proveedor fornitore fornecedor leverancier 供应商 供货商 供应商名称 渠道 仕入先 поставщик",
    ),
    (
        F::SupplierPart,
        "supplierpart supplierpartnumber supplierpartno supplierpn suppliernumber suppliersku supplierref supplierreference spn \
         vendorpn vendorpart vendorpartnumber vendorpartno vendornumber distpn distpartnumber distributorpn distributorpart \
         distributorpartnumber distributorpartno sku lcsc lcscpart lcscpartno lcscpartnumber lcscpn lcscnumber lcscsku jlc jlcpn \
         jlcpcb jlcpcbpart jlcpcbpartno jlcpcbpartnumber jlcpcbpn jlcpart jlcpartnumber digikey digikeypn digikeypart \
         digikeypartnumber digikeypartno digikeynumber digikeysku dkpn dkpartnumber dk lcscno digikeyno mouserno farnellno \
         jlcpcbno supplierno vendorno mouser mouserpn mouserpart mouserpartnumber mouserpartno mousernumber mousersku farnell \
         farnellpn farnellcode farnellpartnumber farnellordercode farnellsku element newark newarkpn newarkpartnumber rs rspn \
         rspartnumber rsstock rsstocknumber tme tmepn tmepartnumber arrow arrowpn arrowpartnumber avnet avnetpn future reichelt \
         conrad ocfarnell ocnewark ocdigikey stockcode lieferantennummer bestellnummer bestellnr artikelnummer artikelnr \
         referencefournisseur 供应商料号 供应商编号 供应商型号 商品编号 立创编号 立创商城编号 嘉立创编号 立创料号",
    ),
    (
        F::NotPlaced,
        "dnp dnf dni dnm dns donotpopulate donotplace donotfit donotinstall donotmount donotstuff donotassemble notplaced \
         notpopulated notfitted notmounted nopop noload unpopulated excludefrombom nichtbestucken nichtbestuckt nichtbestuecken \
         nepasmonter nonmonte nomontar nonmontare 不贴 不焊 不贴装 未実装 неустанавливать",
    ),
    (
        F::Placed,
        "populate populated population place placed fit fitted fitting mount mounted stuff stuffed install installed assemble \
         assembled load loaded config configuration inbom includeinbom onboard bestucken bestuckt bestuckung bestueckung \
         bestuecken montage monte 是否贴片 是否贴装 贴装 実装 монтаж",
    ),
    (
        F::Alternates,
        "alternate alternates alternative alternatives alternatepart alternateparts alternatepn alternatempn altmpn altpn altpart \
         alternatepartnumber alternativepart alternativepartnumber alternativempn substitute substitutes secondsource replacement \
         equivalent equivalents avl approvedalternates ersatz ersatztyp alternativtyp equivalente 替代料 替代型号 代用料 備用料 \
         代替品 аналог аналоги замена",
    ),
    (F::FccId, "fccid fccidentifier fcc fccidnumber"),
    (
        F::Origin,
        "origin countryoforigin coo country origincountry madein manufacturingcountry countryofmanufacture ursprungsland \
         herkunftsland paysdorigine paisdeorigen paesediorigine 原产地 产地 原産国 странапроисхождения",
    ),
    (
        F::Role,
        "category parttype componenttype parttypename componentclass kategorie bauteiltyp categorie categoria 类别 \
         类型 分类 器件类别",
    ),
    (F::Version, "revision rev version partrevision itemrevision versionnumber 版本"),
    (F::Serial, "serial serialnumber serialno sn seriennummer 序列号"),
];

/// What the name of a field or the head of a column says it holds; a number at its end (`Manufacturer 2`) does not matter.
pub(crate) fn part_field(name: &str) -> Option<PartField> {
    let folded = fold(name);
    let plain = folded.trim_end_matches(|c: char| c.is_ascii_digit());
    static BY_NAME: LazyLock<FxHashMap<&str, PartField>> =
        LazyLock::new(|| NAMES.iter().flat_map(|(field, names)| names.split_ascii_whitespace().map(|name| (name, *field))).collect());
    BY_NAME.get(plain).copied()
}

/// The number at the end of a field's name: `Manufacturer 2` is the maker of the second choice. 1 where there is none.
pub(crate) fn rank(name: &str) -> u32 {
    let folded = fold(name);
    let digits = folded.trim_start_matches(|c: char| !c.is_ascii_digit());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) { 1 } else { digits.parse().unwrap_or(1).max(1) }
}

/// Lower case, letters and digits only; `#` is a word for number (`Part #`).
fn fold(name: &str) -> String {
    let name: String = name.chars().take(80).collect();
    crate::table::fold(&name.replace(['#', '№'], "no"))
}

/// The most designators of one line: a range may ask for any number.
const MOST: usize = 4096;

/// The designators in a text: `C1, C5, `, `C1 C5`, `C1-C5`.
pub(crate) fn designators(text: &str) -> Vec<Box<str>> {
    let mut out: Vec<Box<str>> = Vec::new();
    let spaced: String;
    let mut text = text;
    // A dash with blanks around it is a range too.
    if [" - ", " – ", " ~ ", " .. ", " to "].iter().any(|dash| text.contains(dash)) {
        spaced = [" - ", " – ", " ~ ", " .. ", " to "].iter().fold(text.to_owned(), |t, dash| t.replace(dash, "-"));
        text = &spaced;
    }
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '，' | '、' | '；' | '|')).filter(|w| !w.is_empty()) {
        let room = MOST.saturating_sub(out.len());
        if room == 0 {
            break;
        }
        match range(word) {
            Some((prefix, from, to)) => out.extend((from..=to).take(room).map(|n| format!("{prefix}{n}").into_boxed_str())),
            None => out.push(word.chars().take(64).collect::<String>().into_boxed_str()),
        }
    }
    out
}

/// `C1-C5`, `C1..C5`, `C1~C5`: the letters, the first and the last number.
fn range(word: &str) -> Option<(&str, u32, u32)> {
    let (a, b) = ["..", "-", "–", "~"].iter().find_map(|dash| word.split_once(dash))?;
    let cut = |w: &'_ str| w.find(|c: char| c.is_ascii_digit());
    let (prefix, from) = a.split_at_checked(cut(a)?)?;
    let (other, to) = b.split_at_checked(cut(b)?)?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (!prefix.is_empty() && prefix == other && from <= to).then_some((prefix, from, to))
}

/// Words that say "do not place" wherever they stand in a text.
const NOT_PLACED: &[&str] = &[
    "dnp",
    "dnf",
    "dni",
    "dnm",
    "nopop",
    "unpopulated",
    "unmounted",
    "do not populate",
    "do not place",
    "do not fit",
    "do not install",
    "do not mount",
    "do not stuff",
    "do not assemble",
    "do not solder",
    "not populated",
    "not placed",
    "not fitted",
    "not mounted",
    "not installed",
    "not assembled",
    "not stuffed",
    "no pop",
    "no populate",
    "no place",
    "no mount",
    "no stuff",
    "no fit",
    "no load",
    "nicht bestücken",
    "nicht bestückt",
    "nicht bestuecken",
    "nicht bestueckt",
    "ne pas monter",
    "non monté",
    "no montar",
    "non montato",
    "niet plaatsen",
    "不贴",
    "不焊",
    "未贴",
    "不装",
    "空贴",
    "未実装",
    "не устанавливать",
];
/// Those that mean something else inside a longer text.
const ALONE: &[&str] = &[
    "nc",
    "np",
    "nf",
    "nm",
    "ns",
    "dns",
    "n.c",
    "n.p",
    "n/f",
    "n/p",
    "nopopulate",
    "noload",
    "nofit",
    "notfitted",
    "notplaced",
    "notpopulated",
    "donotpopulate",
    "donotplace",
    "donotfit",
    "not used",
    "unused",
    "unfitted",
    "omit",
    "omitted",
    "xdnp",
    "none fitted",
];

/// Whether a text, a value or what stands in a field about placing, says that the part is not on the board.
pub(crate) fn not_placed(text: &str) -> bool {
    let lower: String = text.chars().take(400).flat_map(char::to_lowercase).map(|c| if matches!(c, '_' | '-') { ' ' } else { c }).collect();
    let whole = lower.trim_matches(|c: char| !c.is_alphanumeric());
    ALONE.contains(&whole)
        || ALONE.iter().take(2).any(|w| [format!("({w})"), format!("[{w}]")].iter().any(|bracketed| lower.contains(bracketed.as_str())))
        || NOT_PLACED.iter().any(|w| {
            lower.match_indices(w).any(|(at, _)| {
                let before = lower.get(..at).and_then(|t| t.chars().next_back());
                let after = lower.get(at.saturating_add(w.len())..).and_then(|t| t.chars().next());
                // Chinese and Japanese put no blanks between words.
                let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric()) || !w.is_ascii();
                free(before) && free(after)
            })
        })
}

/// Whether what stands in a field of that kind ([`PartField::NotPlaced`], [`PartField::Placed`]) says that the part is not on
/// the board.
pub(crate) fn leaves_out(field: PartField, text: &str) -> bool {
    const NO: &[&str] = &["0", "no", "n", "false", "off", "nein", "non", "否", "нет", "いいえ"];
    let text = text.trim().to_lowercase();
    match field {
        PartField::NotPlaced => {
            let fitted =
                ["fit", "fitted", "place", "placed", "populate", "populated", "mount", "mounted", "load", "normal", "install", "installed"];
            text.chars().any(char::is_alphanumeric) && !NO.contains(&text.as_str()) && !fitted.contains(&text.as_str())
        }
        PartField::Placed => NO.contains(&text.as_str()) || not_placed(&text),
        _ => false,
    }
}

/// Several names in one field (`SARA-G350` over `SARA-U260`, `EC25 or EG25`), the part's own first; the text as it stands
/// where it is one name. What could be a value with its tolerance (`10k / 1%`) is one.
pub(crate) fn alternatives(text: &str) -> Vec<&str> {
    let pieces = split(text);
    let is_name = |piece: &&str| {
        piece.chars().next().is_some_and(char::is_alphabetic)
            && piece.chars().any(|c| c.is_ascii_digit())
            && piece.chars().filter(|c| c.is_alphanumeric()).count() >= 4
    };
    if pieces.len() > 1 && pieces.iter().all(is_name) { pieces } else { vec![text.trim()] }
}

/// Several makers in one field; the text as it stands where it is one.
pub(crate) fn makers(text: &str) -> Vec<&str> {
    let pieces = split(text);
    if pieces.is_empty() { vec![text.trim()] } else { pieces }
}

fn split(text: &str) -> Vec<&str> {
    let mut pieces = vec![text];
    for mark in ["\n", "\r", ";", "；", " | ", " || ", " / ", " or ", " OR ", " oder ", " ou ", " 或 "] {
        if text.contains(mark) {
            pieces = pieces.into_iter().flat_map(|p| p.split(mark)).collect();
        }
    }
    pieces.retain(|p| !p.trim().is_empty());
    pieces.truncate(64);
    pieces.into_iter().map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_in_many_spellings() {
        for (name, field) in [
            ("MPN", F::Mpn),
            ("Mfr PN", F::Mpn),
            ("Manufacturer_Part_Number", F::Mpn),
            ("Manufacturer Part Number 1", F::Mpn),
            ("Part #", F::PartNumber),
            ("PartNumber", F::PartNumber),
            ("MANUFACTURER", F::Manufacturer),
            ("MFN", F::Manufacturer),
            ("LCSC Part #", F::SupplierPart),
            ("Digi-Key Part Number", F::SupplierPart),
            ("ki_description", F::Description),
            ("厂家型号", F::Mpn),
            ("Bestückung", F::Placed),
            ("dnp", F::NotPlaced),
        ] {
            assert_eq!(part_field(name), Some(field), "{name}");
        }
        assert_eq!(part_field("Footprint"), None);
        assert_eq!((rank("Manufacturer 2"), rank("MPN"), rank("2nd source")), (2, 1, 1));
    }

    #[test]
    fn every_name_is_folded_and_stands_once() {
        let mut seen = std::collections::BTreeMap::new();
        for (field, names) in NAMES {
            for name in names.split_whitespace() {
                assert_eq!(fold(name), name);
                assert!(seen.insert(name, *field).is_none_or(|f| f == *field), "{name} twice");
            }
        }
    }

    #[test]
    fn designators_of_every_style() {
        let of = |text| designators(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of("C1, C5, "), ["C1", "C5"]);
        assert_eq!(of("C1 C5\nR2;R3"), ["C1", "C5", "R2", "R3"]);
        assert_eq!(of("C1-C3, U2"), ["C1", "C2", "C3", "U2"]);
        assert_eq!(of("R1 - R2"), ["R1", "R2"]);
        assert_eq!(of("J1-2"), ["J1-2"]);
        assert_eq!(of("R1-R4000000000").len(), MOST);
        assert_eq!(of("R9-R1"), ["R9-R1"]);
    }

    #[test]
    fn words_for_parts_that_are_not_placed() {
        for yes in ["DNP", "10k DNP", "DNP_100n", "NC", "np", "Do not populate", "100n (NC)", "SIM7600 [DNF]", "nicht bestückt", "物料不贴"]
        {
            assert!(not_placed(yes), "{yes}");
        }
        for no in ["10k", "NCP1117", "DNPX4", "NC7SZ125", "SPDT NO NC", "nfc", ""] {
            assert!(!not_placed(no), "{no}");
        }
        assert!(
            leaves_out(F::NotPlaced, "yes")
                && leaves_out(F::NotPlaced, "x")
                && !leaves_out(F::NotPlaced, "0")
                && !leaves_out(F::NotPlaced, "~")
        );
        assert!(leaves_out(F::Placed, "no") && leaves_out(F::Placed, "DNF") && !leaves_out(F::Placed, "yes") && !leaves_out(F::Placed, ""));
    }

    #[test]
    fn several_names_in_one_field() {
        assert_eq!(alternatives("SARA-G350\nSARA-U260\nSARA-U270"), ["SARA-G350", "SARA-U260", "SARA-U270"]);
        assert_eq!(alternatives("EC25-E or EG25-G"), ["EC25-E", "EG25-G"]);
        assert_eq!(alternatives("BG95-M3 / BG96 | BG770A; SIM7080G"), ["BG95-M3", "BG96", "BG770A", "SIM7080G"]);
        for one in ["10k/1%", "10k / 1%", "100nF; 16V", "EC25/EG25", "SIM7600E or equivalent", "LED or lamp"] {
            assert_eq!(alternatives(one), [one]);
        }
        assert_eq!(makers("Quectel / SIMCom"), ["Quectel", "SIMCom"]);
        assert_eq!(makers(""), [""]);
    }
}
