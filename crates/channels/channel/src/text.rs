//! Text from outside in the form we keep it.

/// Line ends unified, control characters other than line feed and tab removed (a database refuses NUL, a terminal
/// obeys the others).
#[must_use]
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// [`clean`] for one line: line ends and tabs become blanks, the ends are trimmed, at most `max` characters stay.
#[must_use]
pub fn line(text: &str, max: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    clean(&text).trim().chars().take(max).collect()
}

/// The language subtag of a locale: `zh-CN` -> `zh`, `en` -> `en`; `None` for what is none.
#[must_use]
pub fn language(locale: &str) -> Option<String> {
    let tag = locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let right = matches!(tag.len(), 2 | 3) && tag.bytes().all(|b| b.is_ascii_lowercase());
    right.then_some(tag)
}

/// Replaces `{{name}}` by the escaped value in one pass, so that a value that looks like a placeholder stays a value.
/// Unknown placeholders become nothing.
#[must_use]
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(template.len() + 512);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let Some((name, tail)) = after.split_once("}}") else { break };
        let value = values.iter().find(|(n, _)| *n == name.trim()).map_or("", |(_, value)| value);
        page.push_str(&escape(value));
        rest = tail;
    }
    page.push_str(rest);
    page
}

/// Text as HTML, in content and in quoted attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_go() {
        assert_eq!(clean("a\r\nb\rc\0d\u{1b}[31m\te\n"), "a\nb\ncd[31m\te\n");
        assert_eq!(line("  a\r\nb\t c\0 ", 4), "a  b");
    }

    #[test]
    fn languages() {
        for (locale, expected) in [("zh-CN", Some("zh")), ("EN", Some("en")), ("", None), ("x", None), ("1234", None)] {
            assert_eq!(language(locale).as_deref(), expected, "{locale}");
        }
    }

    #[test]
    fn values_are_escaped_and_never_filled_again() {
        let page = fill("<p title=\"{{a}}\">{{ b }}</p>{{c}}", &[("a", "\"><script>"), ("b", "{{a}}")]);
        assert_eq!(page, "<p title=\"&quot;&gt;&lt;script&gt;\">{{a}}</p>");
    }
}
