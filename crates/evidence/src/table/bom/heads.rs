//! What the head of a column says in a list of parts, in the words of design programs, product databases and engineers.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::super::fold;
use crate::parts::{PartField, part_field, rank};
use PartField as F;

/// What a column of a list of parts holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Col {
    /// A field of the part, and of which choice: `Manufacturer 2` is of the second.
    Part(PartField, u32),
    /// A field of another part in its place.
    Other(PartField, u32),
    /// The builder's own number: no maker's.
    House,
    /// A place in the list: `Pos`, `1.2`.
    Item,
    /// Depth in a list of assemblies.
    Level,
    /// The assembly that holds the part.
    Parent,
    /// First and last piece or day for which a line holds.
    SerialFrom,
    SerialTo,
    ValidFrom,
    ValidTo,
    Effectivity,
    /// Remarks: they may say that a part is left out.
    Note,
    /// What it is drawn or soldered as; names that lie.
    Footprint,
    /// Money.
    Price,
    /// Where it is placed or sold: a designator, if its values are.
    Place,
    /// A field of the assembly that the row's part goes into (CISA's `fga_…`).
    Assembly(Option<PartField>),
    /// Said of the document in every row (CISA's `hbom_…`).
    Document,
}

/// Names that only lists have, or that mean this only in a list, as [`fold`] leaves them.
const NAMES: &[(Col, &str)] = &[
    (
        Col::Part(F::Designators, 1),
        "bomrefdes pcbref pcbreference referencias referencedesg refdesig circuitreference circuitref componentreference schematicreference позобозначение \
         позиционноеобозначение поз обозначение oznaczenie oznaczenia referans referanslar 참조번호 부품기호 部品記号 回路記号 \
         リファレンス番号 位号位置 元器件位号 器件位号 贴片位号 designatorlist instances",
    ),
    (
        Col::Part(F::Quantity, 1),
        "qtyper qtyperassembly qtyperassy quantityper bomqty bomquantity componentqty componentquantity requiredquantity requiredqty \
         qtyreqd qtyrequired reqqty usage pcs nos cant cantidadporplaca stk mengestk stuckproplatine кол количество кількість ilosc adet miktar \
         수량 소요량 員数 使用数 使用数量 个数 单机用量 单板用量 单位用量 使用量 组件用量 用量pcs 数量pcs orderqty orderquantity",
    ),
    (
        Col::Part(F::Value, 1),
        "bauteil bauteile bauteilname bauteilwert bauelement bauteilbezeichnung artikel artikelname artikelbezeichnung teil materialname \
         componente componenti componentes composant composants piece nombre nome nom nazwa nazwaelementu element wartosc deger değer parca parcaadi \
         malzeme malzemeadi malzemeadı component components parts partsname itemname product productname 부품명 품명 部品名 部品名称 部件名称 零件名称 \
         产品名称 元器件名称 器件 元件 값 компонент деталь compname materials",
    ),
    (
        Col::Part(F::Mpn, 1),
        "mfrsname mfrpartnum mfgrpn mfgrpartnumber manfpn manufpartnum manufacturingpartnumber referenciafabricante codigofabricante \
         pnfabricante pnfabricant pnproduttore codproduttore numerproducenta numerkatalogowyproducenta ureticikodu ureticiparcano \
         ureticiparcanumarasi 제조사부품번호 제조사품번 형명 모델명 メーカ型番 型式 厂家编码 品牌型号 原厂编号 原厂编码 供方型号 元器件型号 \
         hestellertyp herstellerteilenr sourcempn manufacturerspn manufacturersitem",
    ),
    (
        Col::House,
        "componentnumber itemnumber itemid itemcode material materialnumber materialno materialcode materialnummer number childpart childitem \
         childpartnumber internalpartnumber internalpn ipn housepn cpn companypartnumber customerpartnumber sachnummer teilenr artnr codigo \
         codice code kod kodu stokkodu malzemekodu parcano indeks articulo numerodeparte numeropiece numeropieza 部品番号 部品コード 品目コード \
         物料编码 物料编号 物料号 物料代码 料号 料件编号 子件编码 子项物料编码 存货编码 품번 부품번호 자재코드 шифр артикул код",
    ),
    (
        Col::Part(F::Manufacturer, 1),
        "メーカ 製造メーカー 제조업체 제작사 wytworca uretici ureticifirma marka firma 厂牌 生产商 制造厂家 品牌厂家 品牌厂商 厂家品牌 制造商品牌 mfrs \
         manufacturerbrand brandmanufacturer fabricantemarca herstellerfirma фирма бренд",
    ),
    (
        Col::Part(F::Description, 1),
        "objectdescription itemdesc materialdescription partdesc longtext opis aciklama acıklama tanim tanım 설명 사양 규격 仕様 スペック 技术规格 参数规格 \
         规格参数 物料描述 物料规格 libelle denominacion denominazione denominacao function nomenclature",
    ),
    (Col::Part(F::Supplier, 1), "tedarikci 공급업체 dostawca 仕入れ先 采购渠道 购买渠道 wherebuy shop store bezugsquelle"),
    (Col::Part(F::NotPlaced, 1), "dnpdnf 是否不贴 空贴 nieosadzac dnpop fitno nofit"),
    (Col::Part(F::Role, 1), "type class kind commoditycode commodity parttypecode 物料类别 物料类型 器件类型 tip turu rodzaj"),
    (Col::Part(F::Origin, 1), "herkunft siteoforigin siteorigin originsite coorigin mensei krajpochodzenia provenance procedencia"),
    (
        Col::Part(F::Alternates, 1),
        "avlparts alternateitems substituteparts 备选料 备选型号 替换料 可替代型号 zamienniki muadil 대체품 代替部品",
    ),
    (
        Col::Item,
        "item itemno pos position posnr positionsnummer positionsnr no nr num id line lineno linenumber find findnum findno findnumber \
         bomfindnum sequence seq seqno sr srno slno sno serialno lfdnr index ligne lp sira sirano sıra sırano 序号 项次 编号 番号 項番 번호 nn row",
    ),
    (
        Col::Level,
        "level lvl bomlevel indent indenture indenturelevel structurelevel explosionlevel stufe ebene strukturstufe niveau nivel livello poziom \
         seviye 层级 层次 阶层 阶次 阶 階層 レベル 레벨 уровень",
    ),
    (
        Col::Parent,
        "parent parentpart parentpartnumber parentpn parentitem parentitemnumber parentnumber parentassembly parentcomponent parentid \
         nextassembly nexthigherassembly nha usedon whereused ubergeordnet oberteil baugruppe 父项 父件 父件编码 母件 母件编码 上级物料 父项物料编码 親品番 \
         родитель",
    ),
    (Col::SerialFrom, "serialfrom fromserial serialnumberfrom startserial firstserial snfrom effectivityserialfrom seriennummervon"),
    (Col::SerialTo, "serialto toserial serialnumberto endserial lastserial snto effectivityserialto seriennummerbis"),
    (
        Col::ValidFrom,
        "validfrom effectivefrom effectivityfrom effectivestart effectivedate datein effectivestartdate gultigab gultigvon 生效日期",
    ),
    (Col::ValidTo, "validto validuntil effectiveto effectiveuntil effectiveend effectivityto dateout effectiveenddate gultigbis 失效日期"),
    (Col::Effectivity, "effectivity effectivityrange serialrange serialeffectivity unitrange"),
    (
        Col::Note,
        "note notes remark remarks comments bemerkung bemerkungen anmerkung remarque remarques observaciones notas note1 osservazioni 备注 備考 비고 \
         примечание uwagi notlar kommentar specialinstructions variant",
    ),
    (
        Col::Footprint,
        "footprint package packageid packagecmpname packagename packagetype packagereference pcbfootprint pcbdecal case casepackage gehause bauform \
         boitier encapsulado capsula contenitore 封装 封装形式 封装规格 パッケージ корпус obudowa kilif kılıf 패키지 pattern landpattern libref libraryref \
         libpart device library symbol jlcpcbpartclass datasheet decal cmpname",
    ),
    (
        Col::Price,
        "price unitprice cost unitcost total totalprice totalcost extendedprice extprice subtotal preis einzelpreis gesamtpreis prix precio prezzo \
         preco 单价 总价 价格 金额 合计 価格 単価 цена стоимость cena fiyat 단가",
    ),
    (Col::Place, "location locations place placement 位置 위치 konum stelle customerreference customerref link links url urls"),
];

/// Words that only mean the name of a part where nothing better does; the lower the better.
pub(super) fn value_rank(head: &str) -> u8 {
    match fold(head).as_str() {
        "value" | "val" | "wert" | "valeur" | "valor" | "valore" | "waarde" | "wartosc" | "deger" | "değer" | "值" | "参数" | "定数"
        | "номинал" | "значение" | "partvalue" | "bauteilwert" | "값" => 0,
        "comment" | "designation" => 1,
        "component" | "components" | "part" | "parts" | "componente" | "composant" | "bauteil" => 2,
        _ => 3,
    }
}

/// The heads of a device list that mean a maker's number in a list of parts: too weak to tell the two apart.
pub(super) fn is_model(head: &str) -> bool {
    matches!(
        fold(head).as_str(),
        "型号"
            | "型番"
            | "规格型号"
            | "型号规格"
            | "品番"
            | "model"
            | "modelno"
            | "modelnumber"
            | "typ"
            | "typenumber"
            | "モデル"
            | "型式"
            | "모델명"
    )
}

static BY_NAME: LazyLock<FxHashMap<&str, Col>> =
    LazyLock::new(|| NAMES.iter().flat_map(|(col, names)| names.split_ascii_whitespace().map(|name| (name, *col))).collect());

/// What the head of a column says it holds.
pub(crate) fn meaning(head: &str) -> Option<Col> {
    let head = head.trim().trim_matches(|c: char| matches!(c, '*' | '_' | '`' | ':' | '：' | '\u{feff}')).trim();
    if head.is_empty() || head.len() > 200 {
        return None;
    }
    if let Some(found) = exactly(head) {
        return Some(found);
    }
    // A remark in brackets is no part of the name; of a name in two languages one will do.
    let bare = head.split(['(', '（', '[', '【']).next().unwrap_or(head).trim();
    if bare != head
        && let Some(found) = exactly(bare)
    {
        return Some(found);
    }
    if head.contains(['/', '\n', '(', '（', '|']) {
        let pieces = head.split(['/', '\n', '(', '（', ')', '）', '|']).map(str::trim).filter(|p| p.chars().count() > 1);
        return pieces.filter_map(exactly).next();
    }
    // `位号 Designator`, `数量Qty`.
    let ascii: String = head.chars().filter(char::is_ascii).collect();
    let other: String = head.chars().filter(|c| !c.is_ascii()).collect();
    let wide = other.chars().next().is_some_and(|c| c >= '\u{2e80}');
    if wide && ascii.chars().filter(char::is_ascii_alphabetic).count() > 1 {
        return exactly(&other).or_else(|| exactly(&ascii));
    }
    // Product databases put the object before its attribute: `BOM.Find Num`, `Mfr. Name`.
    head.rsplit_once(['.', ':']).map(|(_, last)| last).filter(|last| last.chars().count() > 2).and_then(exactly)
}

fn exactly(head: &str) -> Option<Col> {
    let numbered = head.replace(['#', '№'], " no");
    let folded = fold(&numbered);
    let plain = folded.trim_end_matches(|c: char| c.is_ascii_digit());
    if plain.is_empty() {
        return None;
    }
    if let Some(found) = BY_NAME.get(folded.as_str()).or_else(|| BY_NAME.get(plain)) {
        return Some(match found {
            Col::Part(field, _) => Col::Part(*field, rank(head)),
            other => *other,
        });
    }
    // The fields of CISA's framework; `comp` is the component, `fga` the finished good or assembly it goes into.
    if let Some(rest) = plain.strip_prefix("hbom").filter(|r| !r.is_empty()) {
        return (!matches!(rest, "level")).then_some(Col::Document);
    }
    if let Some(rest) = plain.strip_prefix("fga").filter(|r| !r.is_empty()) {
        return Some(Col::Assembly(match rest {
            "num" | "number" | "pn" | "partnumber" | "id" => Some(F::Mpn),
            r if r.contains("country") || r.contains("origin") => Some(F::Origin),
            r if r.contains("manufacturer") => Some(F::Manufacturer),
            "name" => Some(F::Value),
            r => part_field(r),
        }));
    }
    if let Some(found) = part_field(head) {
        return Some(Col::Part(found, rank(head)));
    }
    if let Some(rest) = plain.strip_prefix("component").or_else(|| plain.strip_prefix("comp")).filter(|r| r.len() > 2) {
        if rest.contains("country") {
            return Some(Col::Part(F::Origin, 1));
        }
        return match BY_NAME.get(rest) {
            Some(Col::Item) | None => part_field(rest).map(|f| Col::Part(f, 1)),
            Some(found) => Some(*found),
        };
    }
    // `Alternate 1`, `Alt. manufacturer 2`, `2nd source MPN`, `替代料品牌`.
    const BEFORE: &[&str] = &[
        "alternative",
        "alternate",
        "alt",
        "secondsource",
        "2ndsource",
        "second",
        "2nd",
        "third",
        "3rd",
        "substitute",
        "approved",
        "ersatz",
        "替代",
        "备选",
        "代用",
        "equivalent",
        "3rdsource",
        "thirdsource",
    ];
    for before in BEFORE {
        let Some(rest) = plain.strip_prefix(before) else { continue };
        let rest_of = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = rest.strip_suffix(rest_of).and_then(|d| d.parse().ok());
        let least = match before.chars().next() {
            Some('2' | 's') => 2,
            Some('3' | 't') => 3,
            _ => 1,
        };
        let n = digits.unwrap_or_else(|| rank(head)).max(least);
        match rest_of {
            "" | "part" | "parts" | "source" | "no" | "component" => return Some(Col::Part(F::Alternates, n)),
            rest => match BY_NAME.get(rest).copied().or_else(|| part_field(rest).map(|f| Col::Part(f, 1))) {
                Some(Col::Part(field @ (F::Mpn | F::PartNumber | F::Manufacturer | F::Value), _)) => return Some(Col::Other(field, n)),
                Some(Col::House) => return Some(Col::Other(F::PartNumber, n)),
                _ => {}
            },
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_many_programs_and_languages() {
        let part = |f| Some(Col::Part(f, 1));
        for (head, col) in [
            ("Reference(s)", part(F::Designators)),
            ("位号 Designator", part(F::Designators)),
            ("数量(PCS)", part(F::Quantity)),
            ("Menge / Qty", part(F::Quantity)),
            ("Кол.", part(F::Quantity)),
            ("MANUFACTURER P/N", part(F::Mpn)),
            ("Manufacturer Part Number 2", Some(Col::Part(F::Mpn, 2))),
            ("2nd source MPN", Some(Col::Other(F::Mpn, 2))),
            ("Alternate 1", part(F::Alternates)),
            ("替代料", part(F::Alternates)),
            ("BOM.Find Num", Some(Col::Item)),
            ("BOM.Ref Des", part(F::Designators)),
            ("Mfr. Name", part(F::Manufacturer)),
            ("Mfr. Part Number", part(F::Mpn)),
            ("Component number", Some(Col::House)),
            ("fga_main_manufacturer", Some(Col::Assembly(Some(F::Manufacturer)))),
            ("comp_manufacturer_pn", part(F::Mpn)),
            ("comp country of origin", part(F::Origin)),
            ("hbom_modify_date", Some(Col::Document)),
            ("Package/Cmp name", Some(Col::Footprint)),
            ("Herstellernummer", part(F::Mpn)),
            ("Üretici", part(F::Manufacturer)),
            ("Ilość", part(F::Quantity)),
            ("", None),
            ("Company", None),
            ("IMEI", None),
        ] {
            assert_eq!(meaning(head), col, "{head}");
        }
    }

    #[test]
    fn every_name_is_folded_and_stands_once() {
        let mut seen = std::collections::BTreeMap::new();
        for (col, names) in NAMES {
            for name in names.split_whitespace() {
                assert_eq!(fold(name), name);
                assert!(seen.insert(name, format!("{col:?}")).is_none_or(|c| c == format!("{col:?}")), "{name} twice");
            }
        }
    }
}
