//! Tables of short messages: what a SIM platform or a switch has on record of whom a message was sent to, when, and by whom.
//!
//! **What it reads.** Delimited text in any encoding. Columns are found by their heads: numbers of SIM and module by the words of device
//! tables ([`Field`]), the others by the words below. A row is a message to a module where its direction says so. Where nothing says the
//! direction it went to the number in the column of the recipient, or, without such a column, to the SIM or module of the row.
//!
//! **What it leaves.** What the message said: no cell of such a column is kept or told of. Where there is such a column, a row with more or
//! fewer cells than heads is skipped: a delimiter inside a text would make another column of its rest.
//!
//! **When it is wrong.** Words such as `incoming` are taken as the subscriber sees it, where a platform may mean its own side: they count only
//! in rows that name SIM or module beside sender and recipient. Times without a zone are taken for UTC. A message of several parts may have a row
//! for each.

use std::io;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use umbilical_core::number;
use umbilical_core::observation::IdKind;
use umbilical_core::text::{clean, short};

use super::Understood;
use super::dates::Order;
use super::field::{Field, Known, fold, recognise};
use super::operator::{Below, below, equipment, moment, nothing, order};
use crate::Source;

/// A message to a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The number of its row, from 1.
    pub row: u32,
    /// To whom: digits of each number that the row has of the recipient, IMSI, ICCID, IMEI or MSISDN; one at least.
    pub to: Vec<(IdKind, String)>,
    /// Who sent it, where the row says so: digits of a number, else what stands there.
    pub from: Option<String>,
    /// When it was delivered, or sent where that is not said: microseconds since 1970.
    pub at: i64,
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Imsi,
    Iccid,
    Imei,
    Msisdn,
    To,
    From,
    /// When it was delivered.
    Delivered,
    Time,
    Date,
    Direction,
    /// Of a table that may hold other things than messages.
    Type,
    Status,
    Text,
}

/// Words for what device tables do not have. The names of SMPP 3.4 (`source_addr`) and of TS 32.298 (`recordType`) are among them.
const WORDS: &[(Column, &str)] = &[
    (
        Column::To,
        "to, to number, to address, destination, destination number, destination address, destination addr, dest addr, dest address, dest, recipient, \
         recipient number, recipient address, receiver, called, called number, called party, called party number, b number, b party, da, tp da, \
         empfänger, an, destinataire, destinatario, 收件人, 接收号码",
    ),
    (
        Column::From,
        "from, from number, from address, sender, sender id, sender number, sender address, sender name, originator, originating address, originating number, \
         originator address, source, source addr, source address, source number, calling, calling number, calling party, calling party number, a number, \
         a party, oa, tp oa, other party, other number, other party number, remote number, absender, von, expéditeur, remitente, mittente, 发件人, 发送号码",
    ),
    (
        Column::Delivered,
        "delivered, delivered at, delivered on, delivery time, delivery date, delivery timestamp, delivered time, delivered date, delivered timestamp, done, done date, \
         done at, done time, received at, received time, received date, receive time, receive date, final date, final timestamp, zugestellt, zustellzeit",
    ),
    (
        Column::Time,
        "time, timestamp, time stamp, datetime, date time, date and time, event time, event timestamp, event date time, event at, message time, message timestamp, sms time, sms timestamp, \
         sent, sent at, sent on, sent time, sent date, send time, sent timestamp, date sent, submit date, submit time, submitted, submitted at, submit timestamp, created, created at, \
         date created, created date, creation time, start time, start timestamp, record opening time, event start time, call time, ts, utc, time utc, uhrzeit, zeit, zeitpunkt, zeitstempel, \
         heure, horodatage, hora, ora, 时间, 发送时间",
    ),
    (Column::Date, "date, day, event date, message date, sms date, start date, call date, record date, datum, fecha, data, jour, 日期"),
    (
        Column::Direction,
        "direction, dir, sms direction, message direction, mo mt, mt mo, momt, mtmo, traffic direction, call direction, origin, richtung, sens, dirección, direzione, 方向",
    ),
    (
        Column::Type,
        "type, sms type, message type, msg type, record type, cdr type, call type, event type, service, service type, traffic type, usage type, typ, art",
    ),
    (
        Column::Status,
        "status, state, delivery status, delivery state, message status, message state, msg status, sms status, dlr, dlr status, delivery report, result, final status, stat, \
         zustellstatus, statut, estado, stato, 状态",
    ),
    (
        Column::Text,
        "text, message, msg, body, content, contents, message text, message body, message content, sms text, sms body, sms content, short message, payload, user data, \
         userdata, tp ud, ud, message payload, nachricht, inhalt, mensaje, messaggio, 内容, 短信内容",
    ),
];

static HEADS: LazyLock<FxHashMap<String, Column>> = LazyLock::new(|| {
    let words = WORDS.iter().flat_map(|(column, words)| words.split(',').map(|w| (fold(w), *column)));
    words.collect()
});

/// Words beside that of a number which say whose it is: `sender_msisdn`, `Destination MSISDN`.
const SENDS: [&str; 6] = ["sender", "from", "origin", "source", "calling", "other"];
const RECEIVES: [&str; 5] = ["recipient", "receiver", "dest", "called", "to"];

fn column(head: &str) -> Option<Column> {
    let bare = head.split(['(', '[']).next().unwrap_or(head);
    if let Some(found) = HEADS.get(&fold(bare)) {
        return Some(*found);
    }
    let own = match recognise(head)? {
        Known::Field(Field::Imsi, _) => Column::Imsi,
        Known::Field(Field::Iccid, _) => Column::Iccid,
        Known::Field(Field::Imei, _) => Column::Imei,
        Known::Field(Field::Msisdn, _) => Column::Msisdn,
        _ => return None,
    };
    let low = head.trim().to_lowercase();
    let begins = |words: &[&str]| low.split(|c: char| !c.is_alphanumeric()).any(|part| words.iter().any(|w| part.starts_with(w)));
    Some(if begins(&SENDS) {
        Column::From
    } else if begins(&RECEIVES) {
        Column::To
    } else {
        own
    })
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Imsi => "imsi",
            Self::Iccid => "iccid",
            Self::Imei => "imei",
            Self::Msisdn => "msisdn",
            Self::To => "recipient",
            Self::From => "sender",
            Self::Delivered => "delivered",
            Self::Time => "time",
            Self::Date => "date",
            Self::Direction => "direction",
            Self::Type => "type",
            Self::Status => "status",
            Self::Text => "text, which is not looked at",
        }
    }

    /// Whether it is a number of the SIM or module that the row is about.
    fn is_own(self) -> bool {
        matches!(self, Self::Imsi | Self::Iccid | Self::Imei | Self::Msisdn)
    }
}

/// Whether a row of heads makes a table of messages.
fn heads(cells: &[&str]) -> Option<Vec<Option<Column>>> {
    let all: Vec<_> = cells.iter().map(|cell| column(cell.trim().trim_matches('"'))).collect();
    let who = all.iter().flatten().any(|c| c.is_own() || *c == Column::To);
    let when = all.iter().flatten().any(|c| matches!(c, Column::Delivered | Column::Time | Column::Date));
    (who && when).then_some(all)
}

/// Reads a table; `each` gets every row that was understood (`None`: it is no message that came to a module), or the number of one that was
/// not and why. Gives how each column was understood, `head → meaning`; `None`: no row of heads has both a recipient and a time.
///
/// # Errors
/// The source cannot be read.
pub fn messages(source: &mut Source<'_>, each: &mut dyn FnMut(Result<Option<Message>, (u32, String)>)) -> io::Result<Option<Understood>> {
    let order = order(source);
    let mut row = |n: u32, columns: &[Option<Column>], row: Below<'_, '_>| match row {
        Below::Row(row) => {
            let beyond = (columns.len()..row.len()).any(|i| !row.get(i).trim().is_empty());
            let moved = columns.contains(&Some(Column::Text)) && (beyond || row.len() < columns.len());
            each(match moved {
                true => Err((n, "this row has not as many cells as there are heads: it is skipped".to_owned())),
                false => message(n, columns, |i| row.get(i), order).map_err(|what| (n, what)),
            });
        }
        Below::Wrong(what) => each(Err((n, what.to_owned()))),
    };
    below(source, &heads, Column::name, &mut row)
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// To the module.
    To,
    /// From the module.
    From,
    /// It is no message.
    Neither,
}

/// Words for the ways, and whether they say it whoever speaks (TS 23.040: mobile terminated and originated).
const WAYS: &[(Way, bool, &str)] = &[
    (
        Way::To,
        true,
        "mt, sms mt, mt sms, smsmt, mt sm, s smt, s smt cdr, mt sms record, sms mt cdr, terminated, terminating, mobile terminated, mobile terminating, sms terminated, \
         sms terminating, to device, to sim, to module, to subscriber, downlink, dl",
    ),
    (
        Way::From,
        true,
        "mo, sms mo, mo sms, smsmo, mo sm, s smo, s smo cdr, mo sms record, sms mo cdr, originated, originating, mobile originated, mobile originating, sms originated, \
         sms originating, from device, from sim, from module, from subscriber, uplink, ul",
    ),
    (
        Way::To,
        false,
        "incoming, inbound, in, received, receive, sms in, incoming sms, sms incoming, sms received, eingehend, entrant, entrante, in arrivo",
    ),
    (
        Way::From,
        false,
        "outgoing, outbound, out, sent, send, sms out, outgoing sms, sms outgoing, sms sent, ausgehend, sortant, saliente, in uscita",
    ),
    (Way::Neither, true, "data, gprs, packet, internet, voice, call, moc, mtc, ussd, mms, fax"),
];

/// Words of a message that did not arrive, or has not yet (SMPP 3.4, 5.2.28, and what platforms call it).
const NOT_ARRIVED: &str = "failed, failure, fail, undelivered, undeliverable, undeliv, not delivered, delivery failed, rejected, rejectd, expired, error, deleted, cancelled, canceled, blocked, \
     pending, queued, buffered, scheduled, enroute, en route, waiting, fehlgeschlagen, nicht zugestellt";

static WAY: LazyLock<FxHashMap<String, (Way, bool)>> =
    LazyLock::new(|| WAYS.iter().flat_map(|(way, sure, words)| words.split(',').map(|w| (fold(w), (*way, *sure)))).collect());
static FAILED: LazyLock<Vec<String>> = LazyLock::new(|| NOT_ARRIVED.split(',').map(fold).collect());

/// What the cells of a row say.
#[derive(Default)]
struct Said<'c> {
    own: Vec<(IdKind, String)>,
    to: Vec<(IdKind, String)>,
    /// Something stands in the recipient's cell.
    addressed: Option<&'c str>,
    from: Option<String>,
    way: Option<(Way, bool)>,
    /// A word for the direction that is none of those above.
    strange: Option<&'c str>,
    failed: bool,
    delivered: Option<&'c str>,
    time: Option<&'c str>,
    date: Option<&'c str>,
}

fn said<'c>(columns: &[Option<Column>], cell: impl Fn(usize) -> &'c str) -> Said<'c> {
    let mut out = Said::default();
    for (i, column) in columns.iter().enumerate() {
        let Some(column) = column.filter(|c| *c != Column::Text) else { continue };
        let text = cell(i).trim().trim_start_matches('\'');
        if nothing(text) {
            continue;
        }
        match column {
            Column::Imsi => out.own.extend(number::imsi(text).map(|n| (IdKind::Imsi, n))),
            Column::Iccid => out.own.extend(number::iccid(text).map(|n| (IdKind::Iccid, n.digits))),
            Column::Imei => out.own.extend(equipment(text).map(|n| (IdKind::Imei, n))),
            Column::Msisdn => out.own.extend(telephone(text).map(|n| (IdKind::Msisdn, n))),
            Column::To => {
                out.addressed = Some(text);
                out.to.extend(telephone(text).map(|n| (IdKind::Msisdn, n)));
                out.to.extend(number::imsi(text).map(|n| (IdKind::Imsi, n)));
                out.to.extend(number::iccid(text).map(|n| (IdKind::Iccid, n.digits)));
            }
            Column::From => out.from = Some(telephone(text).unwrap_or_else(|| clean(&short(text, 40)).into_owned())),
            Column::Delivered => out.delivered = out.delivered.or(Some(text)),
            Column::Time => out.time = out.time.or(Some(text)),
            Column::Date => out.date = out.date.or(Some(text)),
            Column::Direction | Column::Type => match WAY.get(&fold(text)) {
                // A call that came in is no message.
                Some(way) if way.0 == Way::Neither || out.way.is_none() => out.way = Some(*way),
                Some(_) => {}
                None if column == Column::Direction => out.strange = Some(text),
                None => {}
            },
            Column::Status => out.failed = FAILED.contains(&fold(text)),
            Column::Text => {}
        }
    }
    out
}

fn message<'c>(row: u32, columns: &[Option<Column>], cell: impl Fn(usize) -> &'c str, order: Order) -> Result<Option<Message>, String> {
    let Said { mut own, mut to, addressed, from, way, strange, failed, delivered, time, date } = said(columns, cell);
    // Whose side is meant is known where the row is about somebody.
    let way = way.filter(|(_, sure)| *sure || !own.is_empty()).map(|(way, _)| way);
    if failed || matches!(way, Some(Way::From | Way::Neither)) {
        return Ok(None);
    }
    let to = match (way, addressed) {
        (Some(_), _) => {
            own.append(&mut to);
            own
        }
        (None, Some(number)) => {
            // A service of a few digits is no module.
            if to.is_empty() && number.len() < 5 && number.bytes().all(|b| b.is_ascii_digit()) {
                return Ok(None);
            }
            to
        }
        (None, None) => match strange {
            Some(word) => {
                return Err(format!("`{}` does not say which way the message went: write MT or MO; the row is skipped", short(word, 40)));
            }
            None if columns.contains(&Some(Column::Direction)) => {
                return Err("which way the message went does not stand in this row: it is skipped".to_owned());
            }
            None => own,
        },
    };
    if to.is_empty() {
        return Err("no whole IMSI, ICCID, IMEI or telephone number of who got it stands in this row: it is skipped".to_owned());
    }
    let at = when(delivered, time, date, order)?;
    Ok(Some(Message { row, to, from, at }))
}

/// When it was: where it says when it was delivered, then.
fn when(delivered: Option<&str>, time: Option<&str>, date: Option<&str>, order: Order) -> Result<i64, String> {
    let Some(text) = delivered.or(time).or(date) else { return Err("no time stands in this row: it is skipped".to_owned()) };
    // A day and a time may stand in two cells.
    let joined = time.zip(date).filter(|_| delivered.is_none()).map(|(time, date)| {
        let plain = time.len() == 6 && time.bytes().all(|b| b.is_ascii_digit());
        let part = |from: usize, to: usize| time.get(from..to).unwrap_or_default();
        let clock = if plain { format!("{}:{}:{}", part(0, 2), part(2, 4), part(4, 6)) } else { time.to_owned() };
        format!("{date} {clock}")
    });
    let found = moment(text, order).or_else(|| moment(&joined?, order)).or_else(|| moment(date?, order));
    found.ok_or_else(|| {
        format!(
            "`{}` is no time of a message: write 2026-11-01T02:26:40Z, 2026-11-01 02:26:40 (UTC) or seconds since 1970; the row is skipped",
            short(text, 40)
        )
    })
}

/// Digits of a telephone number: two zeros before it are its `+` (ITU-T E.164).
fn telephone(text: &str) -> Option<String> {
    let digits = number::msisdn(text)?;
    Some(match digits.strip_prefix("00") {
        Some(rest) if rest.len() >= 8 => rest.to_owned(),
        _ => digits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Wrong = (u32, String);
    /// A table, whom its first message went to, and who sent it.
    type Dialect = (&'static str, &'static [(IdKind, &'static str)], Option<&'static str>);

    fn read(text: &[u8]) -> (Vec<Option<Message>>, Vec<Wrong>, Option<Understood>) {
        let mut source = Source::new(Box::new(io::Cursor::new(text.to_vec()))).unwrap();
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let found = messages(&mut source, &mut |row| match row {
            Ok(message) => good.push(message),
            Err(problem) => bad.push(problem),
        });
        (good, bad, found.unwrap())
    }

    const IMSI: &str = "001010000000001";
    const NOON: i64 = 1_793_534_400_000_000;

    /// A list by hand, a SIM platform's page, what is written by SMPP, a switch, a table with times in two cells.
    #[test]
    fn heads_of_several_dialects() {
        let rows: [Dialect; 7] = [
            (
                "time,imsi,direction,from\n2026-11-01T12:00:00Z,001010000000001,MT,+88 299 0000 002\n",
                &[(IdKind::Imsi, IMSI)],
                Some("882990000002"),
            ),
            (
                "\u{feff}ICCID;MSISDN;Direction;Sender;Status;Delivered At;Sent At\r\n\"89882390001234567894\";+882990000001;\"mobile terminated\";\"Platform; north\";DELIVERED;01.11.2026 12:00:00;01.11.2026 11:59:00\r\n",
                &[(IdKind::Iccid, "89882390001234567894"), (IdKind::Msisdn, "882990000001")],
                Some("Platform; north"),
            ),
            (
                "source_addr\tdestination_addr\tsubmit date\tstat\n00882990000002\t00882990000001\t1793534400\tDELIVRD\n",
                &[(IdKind::Msisdn, "882990000001")],
                Some("882990000002"),
            ),
            (
                "recordType,servedIMSI,servedMSISDN,eventTimeStamp\nMT-SMS,001010000000001,882990000001,20261101120000\n",
                &[(IdKind::Imsi, IMSI), (IdKind::Msisdn, "882990000001")],
                None,
            ),
            ("Messages of November\n\nDate,Time,Recipient\n2026-11-01,120000,882990000001\n", &[(IdKind::Msisdn, "882990000001")], None),
            (
                "imei,date,time,sender_msisdn\n867698040000179,11/01/2026,12:00:00 PM,882990000002\n867698040000179,11/31/2026,x,\n",
                &[(IdKind::Imei, "867698040000179")],
                Some("882990000002"),
            ),
            (
                "To,From,Direction,Date Sent\n+882990000001,+882990000002,outbound-api,2026-11-01 12:00:00\n",
                &[(IdKind::Msisdn, "882990000001")],
                Some("882990000002"),
            ),
        ];
        for (text, to, from) in rows {
            let (good, bad, found) = read(text.as_bytes());
            assert!(found.is_some() && bad.len() <= 1, "{text}{bad:?}");
            let Some(Some(message)) = good.first() else { panic!("{text}{bad:?}") };
            let to: Vec<_> = to.iter().map(|(kind, digits)| (*kind, (*digits).to_owned())).collect();
            assert_eq!((&message.to, message.from.as_deref(), message.at), (&to, from, NOON), "{text}");
        }
    }

    #[test]
    fn what_is_no_message_to_a_module_is_passed_over() {
        let text = "imsi,direction,type,to,time,status,text\n\
                    001010000000001,MO,,882990000009,2026-11-01 12:00:00,,secret\n\
                    001010000000001,MT,,,2026-11-01 12:00:00,Undelivered,secret\n\
                    001010000000001,MT,DATA,,2026-11-01 12:00:00,,secret\n\
                    001010000000001,outgoing,,882990000009,2026-11-01 12:00:00,,secret\n\
                    001010000000001,,,1234,2026-11-01 12:00:00,,secret\n\
                    001010000000001,incoming,SMS,,2026-11-01 12:00:00,delivered,secret\n";
        let (good, bad, found) = read(text.as_bytes());
        assert!(bad.is_empty(), "{bad:?}");
        assert_eq!(good.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, false, false, false, true]);
        let Some(mapping) = found else { panic!("a table") };
        assert_eq!(mapping.last().map(String::as_str), Some("text → text, which is not looked at"));
        assert!(!format!("{good:?}").contains("secret"));
        // The rest of a text is no other column's.
        let moved = "imsi,text,direction,time\n001010000000001,one, secret,MT,2026-11-01 12:00:00\n001010000000001,\"one, two\",MT,2026-11-01 12:00:00,\n";
        let (good, bad, _) = read(moved.as_bytes());
        assert!(good.len() == 1 && bad.len() == 1 && bad[0].0 == 2 && !bad[0].1.contains("secret"), "{bad:?}");
        // Data are no messages.
        assert_eq!(read(b"imsi,type,time\n001010000000001,GPRS,2026-11-01 12:00:00\n").0, [None]);
    }

    #[test]
    fn rows_that_cannot_be_are_told_where_they_stand() {
        let text = "imsi,direction,time\n001010000000001,MT,2026-11-01\n001010000000001,MT,yesterday\nnobody,MT,2026-11-01 12:00:00\n\
                    001010000000001,sideways,2026-11-01 12:00:00\n001010000000001,,2026-11-01 12:00:00\n001010000000001,MT,\n\
                    001010000000001,MT,2026-11-01 12:00:00\n001010000000001,MT,01/11/2026 12:00:00\n";
        let (good, bad, _) = read(text.as_bytes());
        assert_eq!(good.len(), 1);
        let found: Vec<_> = bad.iter().map(|(n, what)| (*n, what.split(':').next().unwrap())).collect();
        assert_eq!(
            found,
            [
                (2, "`2026-11-01` is no time of a message"),
                (3, "`yesterday` is no time of a message"),
                (4, "no whole IMSI, ICCID, IMEI or telephone number of who got it stands in this row"),
                (5, "`sideways` does not say which way the message went"),
                (6, "which way the message went does not stand in this row"),
                (7, "no time stands in this row"),
                (9, "`01/11/2026 12"),
            ]
        );
        for text in ["name,time\nrouter,2026-11-01\n", "imsi,imei\n001010000000001,\n", "", "from,time\n1,2\n"] {
            assert_eq!(read(text.as_bytes()).2, None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "[0-9a-zA-Zé:.,;/ \n\"'+-]{0,80}", head in 0usize..4) {
            let heads = ["imsi,time,direction\n", "to;from;date;time\n", "iccid\tdelivered at\n", ""][head];
            let _ = read(format!("{heads}{text}").as_bytes());
        }
    }
}
