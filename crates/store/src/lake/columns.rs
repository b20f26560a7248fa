//! The columns of a conversation.

use std::net::IpAddr;

use umbilical_core::answer::watch::FlowRow;

/// Name and version of the layout.
pub const LAYOUT: &str = "umbilical.flows/1";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// A number of 64 bits.
    Int,
    /// Microseconds since 1970 in UTC.
    Time,
    /// Yes or no.
    Flag,
}

/// A value of a column.
pub(super) enum Cell<'a> {
    Text(Option<&'a str>),
    Addr(IpAddr),
    Int(Option<i64>),
    Flag(Option<bool>),
}

/// A column.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    pub(super) of: for<'a> fn(&'a FlowRow<'a>) -> Cell<'a>,
}

const fn column(name: &'static str, kind: Kind, of: for<'a> fn(&'a FlowRow<'a>) -> Cell<'a>) -> Column {
    Column { name, kind, of }
}

fn int(n: impl TryInto<i64>) -> Cell<'static> {
    Cell::Int(Some(n.try_into().unwrap_or(i64::MAX)))
}

/// The columns, in their order. The first two are those by which a file is sorted.
pub const COLUMNS: &[Column] = &[
    column("session", Kind::Text, |f| Cell::Text(f.session)),
    column("start", Kind::Time, |f| Cell::Int(Some(f.start.0))),
    column("end", Kind::Time, |f| Cell::Int(Some(f.end.0))),
    column("src", Kind::Text, |f| Cell::Addr(f.src)),
    column("dst", Kind::Text, |f| Cell::Addr(f.dst)),
    column("src_port", Kind::Int, |f| int(f.src_port)),
    column("dst_port", Kind::Int, |f| int(f.dst_port)),
    column("proto", Kind::Text, |f| Cell::Text(Some(&f.proto))),
    column("packets", Kind::Int, |f| int(f.packets)),
    column("bytes_up", Kind::Int, |f| int(f.bytes_up)),
    column("bytes_down", Kind::Int, |f| int(f.bytes_down)),
    column("dns", Kind::Text, |f| Cell::Text(f.dns.as_deref())),
    column("sni", Kind::Text, |f| Cell::Text(f.sni.as_deref())),
    column("alpn", Kind::Text, |f| Cell::Text(f.alpn)),
    column("ja3", Kind::Text, |f| Cell::Text(f.ja3)),
    column("ja4", Kind::Text, |f| Cell::Text(f.ja4)),
    column("host", Kind::Text, |f| Cell::Text(f.host.as_deref())),
    column("uri", Kind::Text, |f| Cell::Text(f.uri.as_deref())),
    column("agent", Kind::Text, |f| Cell::Text(f.agent.as_deref())),
    column("mime", Kind::Text, |f| Cell::Text(f.mime)),
    column("app", Kind::Text, |f| Cell::Text(f.app)),
    column("role", Kind::Text, |f| Cell::Text(f.role)),
    column("endpoint", Kind::Text, |f| Cell::Text(f.endpoint.as_deref())),
    column("topic", Kind::Text, |f| Cell::Text(f.topic.as_deref())),
    column("country", Kind::Text, |f| Cell::Text(f.country)),
    column("asn", Kind::Int, |f| Cell::Int(f.asn.map(i64::from))),
    column("as_org", Kind::Text, |f| Cell::Text(f.as_org)),
    column("operator", Kind::Text, |f| Cell::Text(f.operator)),
    column("operator_country", Kind::Text, |f| Cell::Text(f.operator_country)),
    column("answered", Kind::Flag, |f| Cell::Flag(f.answered)),
    column("first_frame", Kind::Int, |f| int(f.first_frame)),
    column("ended", Kind::Text, |f| Cell::Text(Some(f.ended))),
];
