//! The few mails the program writes itself. Plain replacement of `{{name}}`, no logic (SECURITY row 15); a value is
//! never looked into for further names, and never breaks the subject's line.

use std::collections::BTreeMap;

/// Values by name.
pub type Params = BTreeMap<String, String>;

/// A mail ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub text: String,
}

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        /// Name, Chinese text, English text. The first line of a text is the subject.
        const TEMPLATES: &[(&str, &str, &str)] = &[$((
            $name,
            include_str!(concat!("../templates/", $name, ".zh.txt")),
            include_str!(concat!("../templates/", $name, ".en.txt")),
        )),+];
    };
}

templates!("acknowledgement", "chat_followup", "invitation", "password_reset", "password_changed");

/// Characters a single value may have.
const VALUE_CHARS: usize = 100_000;

/// Fills a template in the language of `locale` (`zh...` is Chinese, everything else English).
/// `None` when there is no template of that name. A name without a value becomes nothing.
#[must_use]
pub fn render(name: &str, locale: &str, params: &Params) -> Option<Letter> {
    let (_, zh, en) = TEMPLATES.iter().find(|(known, _, _)| *known == name)?;
    let text = if locale.to_ascii_lowercase().starts_with("zh") { zh } else { en };
    let (subject, body) = text.split_once('\n')?;
    let subject = fill(subject, params);
    let subject = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    Some(Letter { subject: subject.trim().to_owned(), text: fill(body, params) })
}

fn fill(text: &str, params: &Params) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        filled.push_str(before);
        if let Some(value) = params.get(name) {
            filled.extend(value.chars().take(VALUE_CHARS));
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn both_languages_ask_for_the_same_values() {
        let names = |text: &str| {
            let mut names: Vec<String> =
                text.split("{{").skip(1).filter_map(|p| p.split_once("}}")).map(|(n, _)| n.to_owned()).collect();
            names.sort();
            names.dedup();
            names
        };
        for (name, zh, en) in TEMPLATES {
            assert_eq!(names(zh), names(en), "{name}");
            assert!(zh.lines().count() > 2 && en.lines().count() > 2, "{name}");
        }
    }

    #[test]
    fn values_are_never_templates_or_header_lines() {
        let hostile =
            params(&[("company", "A\r\nBcc: x@y.z {{link}}"), ("name", "{{company}}"), ("link", "https://l")]);
        let letter = render("invitation", "en", &hostile).unwrap();
        assert_eq!(letter.subject, "You are invited to the support desk of A  Bcc: x@y.z {{link}}");
        assert!(letter.text.contains("Hello {{company}},") && letter.text.contains("https://l"));
        assert!(render("invitation", "zh-CN", &hostile).unwrap().subject.starts_with("邀请您加入"));
        assert_eq!(render("nothing", "en", &hostile), None);
        assert!(!render("password_reset", "en", &Params::new()).unwrap().text.contains("{{"));
    }
}
