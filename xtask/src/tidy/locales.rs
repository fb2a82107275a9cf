//! Both languages say the same things: catalogues have equal keys and equal variables, and every
//! page of the manual exists twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{File, Finding};

const PAIR: (&str, &str) = ("en", "zh-CN");

pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let Some((here, there)) = counterpart(&file.path) else { continue };
        let Some(other) = files.iter().find(|other| other.path == there) else {
            findings.push(finding(file, 1, format!("{there} is missing")));
            continue;
        };
        // Each pair is compared once, from its English side.
        if here == PAIR.0 && file.has_ending(&["json"]) {
            findings.extend(compare(file, other));
        }
    }
    findings
}

/// The language of a translated file and the path of its other half:
/// `locales/en.json`, `locales/en/x.json`, `glossary.en.md`, `manual/en/x.md`.
fn counterpart(path: &str) -> Option<(&'static str, String)> {
    let translated = path.ends_with(".json") && path.contains("/locales/") || path.starts_with("docs/");
    if !translated {
        return None;
    }
    for (here, there) in [PAIR, (PAIR.1, PAIR.0)] {
        for (before, after) in [("/", "/"), ("/", ".json"), (".", ".md")] {
            let part = format!("{before}{here}{after}");
            if path.contains(&part) {
                return Some((here, path.replacen(&part, &format!("{before}{there}{after}"), 1)));
            }
        }
    }
    None
}

fn compare(english: &File, chinese: &File) -> Vec<Finding> {
    let (en, zh) = match (catalogue(english), catalogue(chinese)) {
        (Ok(en), Ok(zh)) => (en, zh),
        (Err(unreadable), _) | (_, Err(unreadable)) => return vec![unreadable],
    };
    let mut differences = Vec::new();
    for key in en.keys().chain(zh.keys()).collect::<BTreeSet<_>>() {
        match (en.get(key), zh.get(key)) {
            (Some(a), Some(b)) if a.trim().is_empty() || b.trim().is_empty() => {
                differences.push(format!("{key} is empty"))
            }
            (Some(a), Some(b)) if variables(a) != variables(b) => {
                differences.push(format!("{key} has other variables in the two languages"));
            }
            (Some(_), None) => differences.push(format!("{key} is missing in {}", PAIR.1)),
            (None, Some(_)) => differences.push(format!("{key} is missing in {}", PAIR.0)),
            _ => {}
        }
    }
    if differences.is_empty() {
        return Vec::new();
    }
    let shown: Vec<&str> = differences.iter().take(12).map(String::as_str).collect();
    vec![finding(english, differences.len(), format!("{} differences: {}", differences.len(), shown.join("; ")))]
}

fn catalogue(file: &File) -> Result<BTreeMap<String, String>, Finding> {
    let value: Value =
        serde_json::from_str(&file.text).map_err(|error| finding(file, 1, format!("not JSON: {error}")))?;
    let mut flat = BTreeMap::new();
    flatten("", &value, &mut flat);
    Ok(flat)
}

fn flatten(prefix: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(entries) => {
            for (key, inner) in entries {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&path, inner, flat);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                flatten(&format!("{prefix}.{index}"), inner, flat);
            }
        }
        Value::String(text) => {
            flat.insert(prefix.to_owned(), text.clone());
        }
        other => {
            flat.insert(prefix.to_owned(), other.to_string());
        }
    }
}

/// The names inside `{braces}`. English plural forms (`one | many`) may repeat a name.
fn variables(text: &str) -> BTreeSet<&str> {
    let inside = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.trim());
    // vue-i18n writes literal signs as {'@'}.
    inside.filter(|name| !name.starts_with('\'')).collect()
}

fn finding(file: &File, measured: usize, message: String) -> Finding {
    Finding { rule: "locale", subject: file.path.clone(), measured, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(en: &str, zh: &str) -> usize {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [file("ui/kit/locales/en.json", en), file("ui/kit/locales/zh-CN.json", zh)];
        check(&files).iter().map(|finding| finding.measured).sum()
    }

    #[test]
    fn keys_and_variables_must_be_the_same() {
        assert_eq!(differences(r#"{"a":{"b":"x {n} | y {n}"}}"#, r#"{"a":{"b":"共 {n}"}}"#), 0);
        assert_eq!(differences(r#"{"a":"x","b":"y"}"#, r#"{"a":"x","c":"y"}"#), 2);
        assert_eq!(differences(r#"{"a":"x {n}"}"#, r#"{"a":"x {m}"}"#), 1);
        assert_eq!(differences(r#"{"a":""}"#, r#"{"a":"x"}"#), 1);
        assert_eq!(differences("{", "{}"), 1);
    }

    #[test]
    fn a_missing_half_is_found() {
        for path in ["ui/kit/locales/zh-CN.json", "docs/manual/en/install.md", "docs/glossary.en.md"] {
            let files = [File { path: path.to_owned(), text: "{}".to_owned() }];
            assert_eq!(check(&files).len(), 1, "{path}");
        }
        assert!(check(&[File { path: "docs/decisions/0001-en.md".to_owned(), text: String::new() }]).is_empty());
    }
}
