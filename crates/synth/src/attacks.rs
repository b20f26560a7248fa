//! Texts that mean harm to whoever shows, stores or exports them unescaped.

/// Scripts, attributes, SQL, formulas, paths, terminals, templates, directions of writing.
pub const TEXTS: &[&str] = &[
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "&#x3c;script&#x3e;",
    "{{7*7}}",
    "${7*7}",
    "{% raw %}",
    "'; DROP TABLE device; --",
    "\" OR \"1\"=\"1",
    "1) OR 1=1 --",
    "%' OR '%'='",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "-2+3",
    "../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "%00",
    "%2e%2e%2f",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{202e}gpj.exe",
    "\u{200b}zero",
    "a\u{0}b",
    "line\r\nSet-Cookie: x=y",
    "Ω≈ç√∫˜µ≤≥÷",
    "田中さん",
    "🏴‍☠️",
    "' AND SLEEP(5) --",
    "$(reboot)",
    "`reboot`",
    "; reboot",
    "| reboot",
    "file:///etc/passwd",
    "http://169.254.169.254/",
    "<iframe src=//evil.example>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<style>*{display:none}</style>",
    "<meta http-equiv=refresh content=0>",
    "<form action=//evil.example>",
    "<base href=//evil.example>",
    "\u{feff}bom",
    "NaN",
    "null",
    "true",
    "-1",
    "99999999999999999999999",
    "1e309",
    "*",
    "?",
    "(((((((((((((((((((((((((((((((((((((((((((((((",
    "NOT NOT NOT NOT",
    "\"",
    "\\",
    "\\\"",
];

/// Where a text may break out of: nothing, a tag, an attribute, a string of a script or of SQL, a comment.
pub const BEFORE: [&str; 5] = ["", "\">", "' ", "</script>", "*/"];

/// Each text out of each place: three hundred and more.
pub fn texts() -> Vec<String> {
    BEFORE.iter().flat_map(|b| TEXTS.iter().map(move |t| format!("{b}{t}"))).collect()
}

/// A table of devices whose every field is one of these texts, the name with its number behind it.
pub fn table() -> String {
    let quoted = |t: &str| format!("\"{}\"", t.replace('"', "\"\""));
    let mut table = String::from("name,site,module manufacturer,module model,asset id,notes\n");
    for (n, text) in texts().iter().enumerate() {
        let row = [format!("{text} n{n}"), text.clone(), text.clone(), text.clone(), format!("{text}-{n}"), text.clone()];
        table.push_str(&row.map(|t| quoted(&t)).join(","));
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn three_hundred_texts_and_none_twice() {
        let all = super::texts();
        assert!(all.len() >= 300, "{} texts", all.len());
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
    }
}
