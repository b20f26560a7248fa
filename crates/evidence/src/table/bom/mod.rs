//! Tables as bills of materials: rows are parts, not devices.
//!
//! **What it reads.** Lists that design programs write (KiCad, EasyEDA, Altium, Eagle, OrCAD …), that people keep in
//! spreadsheets and Markdown, that product databases export with levels, parents and effectivities, and that sellers take as
//! orders; heads in a dozen languages, anywhere in the first rows. Beside the known fields every cell is kept under its head.
//!
//! **When it is taken for one.** In evidence of a fleet only where the heads are those of a list of parts beyond doubt; where
//! the user says that it is one, wherever a column names parts.
//!
//! **When it is wrong.** A list that names its parts in prose only is matched by that prose. A house's own part number is no
//! maker's: map the column to `mpn` where it is one.

mod cells;
mod heads;
mod layout;
pub(crate) mod markdown;
mod names;
mod rows;

pub(crate) use heads::Col;
pub(crate) use layout::{Layout, recognise_list, sniff, sniff_column};
pub(crate) use names::{by_name, is_only_of_parts, only_of_parts};
pub(crate) use rows::Parts;

use umbilical_core::bom::Design;
use umbilical_core::text::{clean, short};
use umbilical_core::{At, Observations};

use super::fold;

/// What a line above the heads says of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Name,
    Version,
    Date,
    Model,
    Other,
}

/// A word that introduces something said of the product or the document, not of a part.
fn product_word(text: &str) -> Option<About> {
    let word = fold(text);
    Some(match word.as_str() {
        "project" | "projekt" | "projet" | "proyecto" | "progetto" | "projeto" | "product" | "productname" | "produkt" | "title"
        | "titel" | "board" | "boardname" | "assembly" | "assemblyname" | "design" | "designname" | "projectname" | "bomname" | "name"
        | "项目" | "项目名称" | "产品" | "产品名称" | "製品名" | "изделие" | "проект" | "projecttitle" | "producto" | "produit" => {
            About::Name
        }
        "revision" | "rev" | "version" | "revisionnumber" | "designrevision" | "版本" | "版本号" | "版数" | "версия" | "bomrevision"
        | "bomversion" => About::Version,
        "date" | "datum" | "reportdate" | "created" | "creationdate" | "printdate" | "fecha" | "data" | "日期" | "作成日" | "дата"
        | "generated" | "exportdate" | "reporttime" => About::Date,
        "productnumber" | "productmodel" | "产品型号" | "modelname" | "productcode" => About::Model,
        "author" | "source" | "tool" | "generator" | "componentcount" | "company" | "customer" | "variant" | "variantname" | "engineer"
        | "approved" | "checked" | "projectfilename" | "projectfullpath" | "client" | "kunde" | "preparedby" | "drawn" | "drawnby"
        | "客户" | "编制" | "审核" | "department" | "status" | "document" | "documentnumber" | "outputname" | "outputtype"
        | "releasedby" | "address" | "phone" | "email" | "reportdatetine" => About::Other,
        _ => return None,
    })
}

/// The most that is kept of what stands around a list.
const MOST_SAID: usize = 100;

/// Keeps what stands above the heads: names and values, titles.
pub(super) fn above(row: &[String], out: &mut Observations) {
    let cells: Vec<&str> = row.iter().map(|c| c.trim()).filter(|c| !c.is_empty()).take(64).collect();
    let mut at = 0usize;
    while let Some(cell) = cells.get(at) {
        at = at.saturating_add(1);
        let inner = cell.split_once([':', '：']).filter(|(name, value)| !value.trim().is_empty() && name.chars().count() <= 40);
        let next = cells.get(at).copied();
        let name = cell.trim_end_matches([':', '：', '=']).trim();
        let introduces = name.len() < cell.len() || product_word(name).is_some();
        match (inner, next) {
            (_, Some(value)) if introduces && !value.ends_with(':') => {
                at = at.saturating_add(1);
                said(name, value, out);
            }
            (Some((name, value)), _) => said(name.trim(), value.trim(), out),
            _ if introduces && name.len() < cell.len() => {}
            _ => said("title", cell, out),
        }
    }
}

/// Something said of the document or its product.
pub(super) fn said(name: &str, value: &str, out: &mut Observations) {
    let bom = out.bom(Design::List);
    let value: Box<str> = clean(&short(value, 400)).into();
    let product = &mut bom.product;
    let slot = match product_word(name) {
        Some(About::Name) => Some(&mut product.name),
        Some(About::Version) => Some(&mut product.version),
        Some(About::Date) => Some(&mut product.date),
        Some(About::Model) => Some(&mut product.model),
        _ => None,
    };
    match slot {
        Some(slot) if slot.is_none() => *slot = Some(value),
        _ => {
            let pair: (Box<str>, Box<str>) = (clean(&short(name, 80)).into(), value);
            if bom.properties.len() < MOST_SAID && !bom.properties.contains(&pair) {
                bom.properties.push(pair);
            }
        }
    }
}

/// Says in `inputs[].mapping` that a table is no list of parts, where lists of parts were asked for.
pub(super) fn passed_over(name: &str, why: &str, out: &mut Observations) {
    let line = format!("{}: {why}, not read", short(name, 60));
    if let Some(input) = out.inputs.last_mut()
        && !input.mapping.contains(&line)
    {
        input.mapping.push(clean(&line).into_owned());
    }
}

/// Whether the input that is being read has lists of parts.
pub(super) fn any(out: &Observations) -> bool {
    out.boms.last().is_some_and(|b| usize::try_from(b.input).is_ok_and(|i| i.saturating_add(1) == out.inputs.len()))
}

/// Says where the user asked for parts and a table has none.
pub(super) fn nothing_found(at: At, heads: &[String], out: &mut Observations) {
    let seen: Vec<String> = heads.iter().map(|h| h.trim()).filter(|h| !h.is_empty()).take(12).map(|h| short(h, 40).into_owned()).collect();
    let columns = if seen.is_empty() { String::new() } else { format!("; the columns are {}", seen.join(", ")) };
    let first = seen.first().map_or("column", String::as_str);
    out.problem(
        at,
        format!(
            "no list of parts is recognised{columns}: name those of the parts in a mapping file with `[columns]` and lines such as `\"{first}\" = \"mpn\"`, and give it with --map"
        ),
    );
}
