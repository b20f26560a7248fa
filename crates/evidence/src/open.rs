//! Walking what the user named: files, folders, archives, standard input.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use umbilical_core::{At, Observations};

use crate::{Context, READERS, Reader, Source};

/// Reads one artefact from a stream into `out`, as input `cx.path`.
pub fn read_stream(source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
    let name = cx.path.rsplit(['/', '!', '\\']).next().unwrap_or(cx.path);
    let reader = {
        let head = source.head(name);
        choose(&head)
    };
    out.begin_input(cx.path, reader.map_or("unknown", |r| r.name()), String::new(), 0);
    let Some(reader) = reader else {
        out.problem(At::WHOLE, "no reader knows this format");
        return Ok(());
    };
    match catch_unwind(AssertUnwindSafe(|| reader.read(source, cx, out))) {
        Ok(result) => result,
        Err(_) => {
            out.problem(At::WHOLE, format!("the {} reader broke off: a bug, please report it with this input", reader.name()));
            Ok(())
        }
    }
}

/// The reader that recognises a head best.
pub fn choose(head: &crate::Head<'_>) -> Option<&'static dyn Reader> {
    let mut best: Option<(u8, &'static dyn Reader)> = None;
    for reader in READERS {
        let sure = reader.sniff(head);
        if sure > best.map_or(0, |b| b.0) {
            best = Some((sure, *reader));
        }
    }
    best.map(|b| b.1)
}
