//! S-expressions, streamed: one token at a time, and small trees of what a reader keeps. Nothing here recurses, so that
//! depth costs no stack.

use std::io::{self, BufRead};

use super::{MAX_BYTES, MAX_DEPTH, MAX_TEXT};

/// The most lists and words of one kept tree: a placed symbol has some hundred.
const MAX_NODES: usize = 20_000;

/// One token.
pub(super) enum Token {
    Open,
    Close,
    Word(String),
    End,
}

/// A list that is kept: its name, the words behind it, the lists inside it.
#[derive(Default)]
pub(super) struct List {
    pub name: String,
    /// Where it begins, counted from 1.
    pub line: u32,
    /// The text ended, or was not read on, inside it.
    pub cut: bool,
    pub words: Vec<String>,
    pub lists: Vec<List>,
}

impl List {
    /// The word at a place behind the name.
    pub fn word(&self, n: usize) -> Option<&str> {
        self.words.get(n).map(String::as_str)
    }

    /// The lists of that name inside it.
    pub fn all<'l>(&'l self, name: &'l str) -> impl Iterator<Item = &'l Self> {
        self.lists.iter().filter(move |l| l.name == name)
    }

    /// The first of them.
    pub fn first(&self, name: &str) -> Option<&Self> {
        self.lists.iter().find(|l| l.name == name)
    }

    /// The first word of the first of them: `(value X)`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.first(name).and_then(|l| l.word(0))
    }
}

/// Reads tokens from text.
pub(super) struct Scanner<'r> {
    reader: &'r mut dyn BufRead,
    chunk: Vec<u8>,
    next: usize,
    line: u32,
    bytes: u64,
    after_cr: bool,
    depth: usize,
    /// Whether `{ … }` is a comment, as in the netlists of old.
    comments: bool,
    /// The line on which the last token began.
    pub at: u32,
    /// Why reading ended before the text did.
    pub trouble: Option<String>,
}

impl<'r> Scanner<'r> {
    pub fn new(reader: &'r mut dyn BufRead, comments: bool) -> Self {
        Self { reader, chunk: Vec::new(), next: 0, line: 1, bytes: 0, after_cr: false, depth: 0, comments, at: 1, trouble: None }
    }

    /// Calls `each` for every list that stands right inside the root, with its name and line; `each` reads it to its end or
    /// skips it. Gives why the root ends too early, where it does: `what` in words.
    pub fn root(
        &mut self,
        what: &str,
        mut each: impl FnMut(&mut Self, String, u32) -> io::Result<()>,
    ) -> io::Result<Option<(u32, String)>> {
        self.token()?;
        self.name()?;
        loop {
            match self.token()? {
                Token::Word(_) => {}
                Token::Open => {
                    let line = self.at;
                    let name = self.name()?;
                    each(self, name, line)?;
                }
                Token::Close => return Ok(None),
                Token::End => {
                    let why = self.trouble.take().unwrap_or_else(|| format!("this {what} ends too early: parts may be missing"));
                    return Ok(Some((self.at, why)));
                }
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.next >= self.chunk.len() {
            if self.bytes > MAX_BYTES {
                self.trouble.get_or_insert_with(|| "a design file of more than 512 MiB: the rest is not read".into());
                return Ok(None);
            }
            self.chunk.clear();
            self.chunk.extend_from_slice(self.reader.fill_buf()?);
            self.reader.consume(self.chunk.len());
            self.next = 0;
        }
        Ok(self.chunk.get(self.next).copied())
    }

    /// Takes the byte that has been peeked.
    fn take(&mut self, byte: u8) {
        self.next = self.next.saturating_add(1);
        self.bytes = self.bytes.saturating_add(1);
        if byte == b'\r' || (byte == b'\n' && !self.after_cr) {
            self.line = self.line.saturating_add(1);
        }
        self.after_cr = byte == b'\r';
    }

    /// The next token; [`Token::End`] where the text ends, or is not read on: see [`Self::trouble`].
    pub fn token(&mut self) -> io::Result<Token> {
        if self.trouble.is_some() {
            return Ok(Token::End);
        }
        loop {
            let Some(byte) = self.peek()? else { return Ok(Token::End) };
            self.at = self.line;
            match byte {
                b'(' => {
                    self.take(byte);
                    self.depth = self.depth.saturating_add(1);
                    if self.depth > MAX_DEPTH {
                        self.trouble =
                            Some(format!("lists nested more than {MAX_DEPTH} deep: no design looks like that, the rest is not read"));
                        return Ok(Token::End);
                    }
                    return Ok(Token::Open);
                }
                b')' => {
                    self.take(byte);
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Token::Close);
                }
                b'"' => {
                    self.take(byte);
                    return self.quoted().map(Token::Word);
                }
                b'{' if self.comments => {
                    while let Some(byte) = self.peek()? {
                        self.take(byte);
                        if byte == b'}' {
                            break;
                        }
                    }
                }
                b if b.is_ascii_whitespace() || b == 0 => self.take(byte),
                _ => return self.bare().map(Token::Word),
            }
        }
    }

    fn bare(&mut self) -> io::Result<String> {
        let mut text = Vec::new();
        while let Some(byte) = self.peek()? {
            if byte.is_ascii_whitespace() || matches!(byte, b'(' | b')') {
                break;
            }
            self.take(byte);
            if text.len() < MAX_TEXT {
                text.push(byte);
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn quoted(&mut self) -> io::Result<String> {
        let mut text = Vec::new();
        while let Some(byte) = self.peek()? {
            // What stands on one line without a sign is taken in one go.
            let rest = self.chunk.get(self.next..).unwrap_or_default();
            let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\' | b'\n' | b'\r')).unwrap_or(rest.len());
            if plain > 0 {
                let room = MAX_TEXT.saturating_sub(text.len()).min(plain);
                text.extend_from_slice(rest.get(..room).unwrap_or_default());
                self.next = self.next.saturating_add(plain);
                self.bytes = self.bytes.saturating_add(plain as u64);
                self.after_cr = false;
                continue;
            }
            self.take(byte);
            let byte = match byte {
                b'"' => break,
                b'\\' => {
                    let Some(next) = self.peek()? else { break };
                    self.take(next);
                    match next {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        other => other,
                    }
                }
                other => other,
            };
            if text.len() < MAX_TEXT {
                text.push(byte);
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Passes over the rest of the list that has been opened.
    pub fn skip(&mut self) -> io::Result<()> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if matches!(self.token()?, Token::End) {
                break;
            }
        }
        Ok(())
    }

    /// The list that has just been opened, whole, without the lists that `drop` names.
    pub fn list(&mut self, drop: &[&str]) -> io::Result<List> {
        let line = self.at;
        let name = self.name()?;
        self.rest(name, line, drop)
    }

    /// The rest of a list whose name has been read.
    pub fn rest(&mut self, name: String, line: u32, drop: &[&str]) -> io::Result<List> {
        let mut open = vec![List { name, line, ..List::default() }];
        let (mut fresh, mut nodes) = (false, 0usize);
        loop {
            nodes = nodes.saturating_add(1);
            if nodes > MAX_NODES && self.trouble.is_none() {
                self.trouble = Some("a list with more inside than any part has: the rest is not read".into());
            }
            match self.token()? {
                Token::Open => {
                    open.push(List { line: self.at, ..List::default() });
                    fresh = true;
                }
                Token::Word(word) => {
                    if fresh && drop.contains(&word.as_str()) && open.len() > 1 {
                        self.skip()?;
                        open.pop();
                    } else if let Some(last) = open.last_mut() {
                        if fresh {
                            last.name = word;
                        } else {
                            last.words.push(word);
                        }
                    }
                    fresh = false;
                }
                end @ (Token::Close | Token::End) => {
                    fresh = false;
                    while let Some(mut done) = open.pop() {
                        done.cut = matches!(end, Token::End);
                        match open.last_mut() {
                            Some(outer) => outer.lists.push(done),
                            None => return Ok(done),
                        }
                        // Where the text ends inside, every list ends with it.
                        if matches!(end, Token::Close) {
                            break;
                        }
                    }
                }
            }
        }
    }

    /// The name of the list that has been opened; empty where it begins with another list.
    pub fn name(&mut self) -> io::Result<String> {
        // What opens the inner list must not be lost.
        match self.next_visible()? {
            Some(b'(' | b')') | None => Ok(String::new()),
            Some(_) => match self.token()? {
                Token::Word(word) => Ok(word),
                _ => Ok(String::new()),
            },
        }
    }

    /// The next byte that is no blank, not taken.
    fn next_visible(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() && byte != 0 {
                return Ok(Some(byte));
            }
            self.take(byte);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_keep_what_is_asked_for() {
        let text = "(symbol (lib_id \"a:b\")\n (pin \"1\" (uuid x))\n (property \"Value\" \"a \\\"b\\\"\\n\")\r\n(dnp yes))) (left";
        let mut reader = text.as_bytes();
        let mut scanner = Scanner::new(&mut reader, false);
        assert!(matches!(scanner.token().unwrap(), Token::Open));
        let list = scanner.list(&["pin"]).unwrap();
        assert_eq!((list.name.as_str(), list.text("lib_id"), list.text("dnp")), ("symbol", Some("a:b"), Some("yes")));
        assert!(list.first("pin").is_none());
        let value = list.first("property").unwrap();
        assert_eq!((value.word(1), value.line), (Some("a \"b\"\n"), 3));
        assert_eq!(list.first("dnp").unwrap().line, 4);
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = "(".repeat(100_000);
        let mut reader = deep.as_bytes();
        let mut scanner = Scanner::new(&mut reader, false);
        scanner.token().unwrap();
        let list = scanner.list(&[]).unwrap();
        assert!(scanner.trouble.is_some() && list.lists.len() == 1);
        let long = format!("(a \"{}\")", "x".repeat(10 * MAX_TEXT));
        let mut reader = long.as_bytes();
        let mut scanner = Scanner::new(&mut reader, false);
        scanner.token().unwrap();
        assert_eq!(scanner.list(&[]).unwrap().word(0).map(str::len), Some(MAX_TEXT));
    }
}
