//! What lists of parts and design files have in common: the names of their fields, designators, words for parts that are
//! not placed, several names in one field.

mod designators;
mod placed;
mod several;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

pub(crate) use designators::designators;
pub(crate) use placed::{leaves_out, not_placed};
pub(crate) use several::{alternatives, makers};

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
}
