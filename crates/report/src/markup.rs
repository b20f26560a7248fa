//! Text in HTML and SVG: the one place where it is escaped.

use std::fmt::{self, Display, Write};

use umbilical_core::text::clean;

/// Text from outside as content or as a quoted attribute: cleaned of what steers, then escaped.
pub struct Esc<'a>(pub &'a str);

impl Display for Esc<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = clean(self.0);
        let mut rest = &*text;
        while let Some(at) = rest.find(['<', '>', '&', '"', '\'']) {
            let (plain, from) = rest.split_at(at);
            f.write_str(plain)?;
            let mut chars = from.chars();
            f.write_str(match chars.next() {
                Some('<') => "&lt;",
                Some('>') => "&gt;",
                Some('&') => "&amp;",
                Some('"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = chars.as_str();
        }
        f.write_str(rest)
    }
}

/// A sentence in which `` `…` `` is something to type.
pub struct Prose<'a>(pub &'a str);

impl Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.0.split('`').peekable();
        let mut code = false;
        while let Some(part) = parts.next() {
            // A tick without its partner is a tick.
            match (code, parts.peek().is_some()) {
                (true, true) => write!(f, "<code>{}</code>", Esc(part))?,
                (true, false) => write!(f, "`{}", Esc(part))?,
                (false, _) => write!(f, "{}", Esc(part))?,
            }
            code = !code;
        }
        Ok(())
    }
}

/// A source, with its web addresses as links (followed only by whoever clicks) and room to break long ones.
pub struct Cited<'a>(pub &'a str);

impl Display for Cited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, word) in self.0.split(' ').enumerate() {
            if number > 0 {
                f.write_char(' ')?;
            }
            let address = word.trim_end_matches([';', ',', '.', ')']);
            if address.starts_with("https://") || address.starts_with("http://") {
                let behind = word.strip_prefix(address).unwrap_or_default();
                write!(f, "<a href=\"{0}\" rel=\"noreferrer noopener\">{0}</a>{1}", Esc(address), Esc(behind))?;
            } else {
                write!(f, "{}", Esc(word))?;
            }
        }
        Ok(())
    }
}

/// A name that can stand in an `id` and behind `#`: letters, digits and hyphens.
pub fn slug(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(Esc("<b a=\"x\" c='y'>&\u{1b}[1m\u{202e}").to_string(), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;[1m");
        assert_eq!(Prose("type `a < b` or `").to_string(), "type <code>a &lt; b</code> or `");
        assert_eq!(
            Cited("see https://a.example/x\"y; <b>").to_string(),
            "see <a href=\"https://a.example/x&quot;y\" rel=\"noreferrer noopener\">https://a.example/x&quot;y</a>; &lt;b&gt;"
        );
        assert_eq!(slug("Rolling (HK) \"x\""), "rolling--hk---x-");
    }
}
