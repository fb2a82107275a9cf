//! Canned replies: `{{path}}` placeholders from a fixed list. No logic, no loops, nothing to escape from
//! (SECURITY row 15). What is not on the list stays as it was written, so that the agent sees it.

use crate::html;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What can be filled in.
pub(crate) const PATHS: [&str; 8] = [
    "customer.name",
    "case.number",
    "case.subject",
    "agent.name",
    "company.name",
    "channel.name",
    "team.name",
    "reason.name",
];

/// A reply ready for the composer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) html: String,
}

/// Fills in the placeholders. Values are text: in the HTML they are escaped like everything else.
pub(crate) fn render(template: &str, value: &dyn Fn(&str) -> Option<String>) -> Rendered {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, from)) = rest.split_once("{{") {
        text.push_str(before);
        let found = from.split_once("}}").and_then(|(path, after)| {
            let path = path.trim();
            let known = PATHS.contains(&path);
            value(path).filter(|_| known).map(|value| (value, after))
        });
        match found {
            Some((value, after)) => {
                text.push_str(&value);
                rest = after;
            }
            None => {
                text.push_str("{{");
                rest = from;
            }
        }
    }
    text.push_str(rest);
    Rendered { html: html::from_text(&text), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_what_it_knows() {
        let value = |path: &str| match path {
            "customer.name" => Some("王芳 <b>".to_owned()),
            "case.number" => Some("1042".to_owned()),
            "secret" => Some("never".to_owned()),
            "agent.name" => Some("{{case.number}}".to_owned()),
            _ => None,
        };
        let check = |template: &str, text: &str| assert_eq!(render(template, &value).text, text, "{template}");
        check("您好 {{customer.name}}，", "您好 王芳 <b>，");
        check("#{{ case.number }}!", "#1042!");
        check("{{unknown}} {{secret}} {{case.subject}}", "{{unknown}} {{secret}} {{case.subject}}");
        check("{{case.number", "{{case.number");
        check("{{{{case.number}}}}", "{{1042}}");
        check("{{agent.name}}", "{{case.number}}");
        assert_eq!(render("a\n{{customer.name}}", &value).html, "a<br>王芳 &lt;b&gt;");
    }
}
