//! Parquet of others, and bytes that are none.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use umbilical_core::{IdKind, Kind};

use super::fixtures::read_bytes;

/// A list of SIM cards as a data lake keeps it: numbers as numbers, a column inside a column.
fn sims(compression: Compression) -> Vec<u8> {
    let schema = "message sims { optional binary iccid (UTF8); required int64 imei; required group device { optional binary manufacturer (UTF8); optional binary model (UTF8); } }";
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut out = Vec::new();
    let mut file = SerializedFileWriter::new(&mut out, Arc::new(parse_message_type(schema).unwrap()), Arc::new(properties)).unwrap();
    let mut group = file.next_row_group().unwrap();
    let text = |values: &[&str]| values.iter().map(|v| ByteArray::from(*v)).collect::<Vec<_>>();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&text(&["8988228066612345678"]), Some(&[1, 0]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[490_154_203_237_518, 490_154_203_237_526], None, None).unwrap();
    column.close().unwrap();
    for values in [["Quectel", "Quectel"], ["EC25", "BG96"]] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&text(&values), Some(&[1, 1]), None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    out
}

#[test]
fn a_table_of_a_data_lake_is_read_as_any_other() {
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default())] {
        let out = read_bytes("sims.parquet", &sims(compression));
        assert_eq!(out.inputs[0].format, "parquet");
        let ids: Vec<(IdKind, String)> = out.things().flat_map(|t| t.ids()).map(|(_, k, v)| (k, v.to_owned())).collect();
        for id in [(IdKind::Iccid, "8988228066612345678"), (IdKind::Imei, "490154203237518"), (IdKind::Imei, "490154203237526")] {
            assert!(ids.contains(&(id.0, id.1.to_owned())), "{id:?} in {ids:?}");
        }
        assert!(out.things().flat_map(|t| t.facts()).any(|(_, f, _)| f.kind == Kind::DeclaredModel && &*f.value == "BG96"), "{out:?}");
        assert_eq!(out.thing(1).map(|t| out.locate(t.at())).as_deref(), Some("row 3"));
    }
}

#[test]
fn what_is_no_table_says_so() {
    let out = read_bytes("a.parquet", b"PAR1 and then nothing that a file of this kind ends with");
    assert!(out.is_empty() && out.problems.iter().any(|p| p.what.contains("Parquet")), "{:?}", out.problems);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_break_it(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<Option<prop::sample::Index>>()) {
        let mut bytes = sims(Compression::SNAPPY);
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        // Whatever is in it, an answer comes, and at most one of the file's own problems beside those of its cells.
        let out = read_bytes("flipped.parquet", &bytes);
        prop_assert_eq!(out.inputs.len(), 1);
    }
}
