//! Rust source with everything that is not code blanked out, so that rules can look for braces and
//! words without being fooled by strings and comments.

/// The source with strings, character literals and comments replaced by spaces; line breaks stay,
/// so line numbers are those of the original.
pub fn code_only(text: &str) -> String {
    let mut blanker = Blanker { rest: text, code: String::with_capacity(text.len()) };
    while blanker.step() {}
    blanker.code
}

struct Blanker<'a> {
    rest: &'a str,
    code: String,
}

impl Blanker<'_> {
    /// Moves over one token; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment(self.rest));
        } else if let Some(length) = raw_string(self.rest).filter(|_| !self.inside_a_word()) {
            self.blank(length);
        } else if first == '"' {
            self.blank(quoted(self.rest));
        } else if first == '\'' {
            self.blank(character(self.rest).unwrap_or(1));
        } else {
            self.code.push(first);
            self.skip(first.len_utf8());
        }
        true
    }

    fn inside_a_word(&self) -> bool {
        self.code.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_')
    }

    fn blank(&mut self, length: usize) {
        let (gone, _) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.code.extend(gone.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth.saturating_sub(1), at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `r"..."`, `br#"..."#` and so on at the start of the text.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix("cr")).or_else(|| text.strip_prefix('r'))?;
    let hashes = after.bytes().take_while(|byte| *byte == b'#').count();
    let body = after.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal at the start; `None` for a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut inside = text.char_indices().skip(1);
    let (_, first) = inside.next()?;
    if first == '\\' {
        inside.next()?;
        return inside.find(|(_, character)| *character == '\'').map(|(at, _)| at + 1);
    }
    inside.next().filter(|(_, character)| *character == '\'').map(|(at, _)| at + 1)
}

/// The line (from 0) at which a file's unit tests begin, when it has some.
pub fn tests_begin(text: &str) -> Option<usize> {
    text.lines().position(|line| line.trim_start().starts_with("#[cfg(test)]"))
}

/// A function: its name, the line it starts on (from 1) and its length in lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub length: usize,
}

/// The functions with a body, found by matching braces in [`code_only`] text.
pub fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, String, usize)> = Vec::new();
    let mut named: Option<(String, usize)> = None;
    let (mut braces, mut parens, mut line) = (0_usize, 0_usize, 1_usize);
    let mut word = String::new();
    let mut after_fn = false;
    for character in code.chars() {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            if after_fn {
                named = Some((std::mem::take(&mut word), line));
            }
            after_fn = word == "fn";
            word.clear();
        }
        match character {
            '\n' => line += 1,
            '(' | '[' => {
                after_fn = false;
                parens += 1;
            }
            ')' | ']' => parens = parens.saturating_sub(1),
            ';' if parens == 0 => named = None,
            '{' => {
                braces += 1;
                if let Some((name, start)) = named.take() {
                    open.push((braces, name, start));
                }
            }
            '}' => {
                if open.last().is_some_and(|(depth, _, _)| *depth == braces)
                    && let Some((_, name, start)) = open.pop()
                {
                    found.push(Function { name, line: start, length: line - start + 1 });
                }
                braces = braces.saturating_sub(1);
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_blanked_in_place() {
        let text = "a(\"}\\\"{\"); // }\nlet c = '{'; /* { /* } */ */ b::<'static>(r#\"\"}\"#);\n";
        let code = code_only(text);
        assert!(!code.contains('{') && !code.contains('}'), "{code}");
        assert!(code.contains("b::<") && code.contains("static>("), "{code}");
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn functions_are_measured_by_their_braces() {
        let text = "trait T {\n    fn no_body(&self);\n}\nfn one() -> [u8; 2] {\n    let f: fn(u8) = |_| {};\n    if x {\n    }\n}\nfn two() { }\n";
        let found = functions(&code_only(text));
        let short: Vec<(&str, usize, usize)> = found.iter().map(|f| (f.name.as_str(), f.line, f.length)).collect();
        assert_eq!(short, [("one", 4, 5), ("two", 9, 1)]);
    }
}
