//! The browsable API description at `/docs`: written by the server, without any script.

use crate::gate::{Entry, Gate};
use crate::locale::Locale;
use axum::Router;
use axum::extract::Query;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const STYLE: &str = include_str!("docs.css");

/// The page in both languages.
pub(crate) struct Pages {
    zh: Bytes,
    en: Bytes,
}

struct Words {
    title: &'static str,
    intro: &'static str,
    other: (&'static str, &'static str),
    public: &'static str,
    signed_in: &'static str,
    permission: &'static str,
    parameters: &'static str,
    body: &'static str,
    answers: &'static str,
    schemas: &'static str,
    required: &'static str,
    empty: &'static str,
}

const ZH: Words = Words {
    title: "Steward 接口文档",
    intro: "所有接口均使用 JSON。使用访问令牌调用时，请在请求头中加入 Authorization: Bearer st_…；写操作请带上 Idempotency-Key（UUID），重试时沿用同一个值即可避免重复执行。机器可读的描述见",
    other: ("en", "English"),
    public: "公开",
    signed_in: "需登录",
    permission: "所需权限",
    parameters: "参数",
    body: "请求内容",
    answers: "返回",
    schemas: "数据结构",
    required: "必填",
    empty: "无内容",
};

const EN: Words = Words {
    title: "Steward API",
    intro: "Everything is JSON. With an access token, send Authorization: Bearer st_…; writes take an Idempotency-Key (a UUID): repeat the same key and nothing happens twice. The machine-readable description is at",
    other: ("zh-CN", "中文"),
    public: "Public",
    signed_in: "Signed in",
    permission: "Permission",
    parameters: "Parameters",
    body: "Request body",
    answers: "Answers",
    schemas: "Schemas",
    required: "required",
    empty: "no content",
};

pub(crate) fn pages(openapi: &str, table: &[Entry]) -> Pages {
    let api: Value = serde_json::from_str(openapi).unwrap_or_default();
    Pages { zh: page(&api, table, Locale::ZhCn), en: page(&api, table, Locale::En) }
}

pub(crate) fn routes(pages: Pages) -> Router {
    let html = [(CONTENT_TYPE, "text/html; charset=utf-8")];
    let show = move |Query(query): Query<BTreeMap<String, String>>, headers: HeaderMap| async move {
        let asked = query.get("lang").and_then(|lang| Locale::parse(lang));
        match asked.unwrap_or_else(|| Locale::of_request(&headers)) {
            Locale::ZhCn => (html, pages.zh.clone()).into_response(),
            Locale::En => (html, pages.en.clone()).into_response(),
        }
    };
    let style = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    Router::new().route("/docs", get(show)).route("/docs/style.css", get(move || async move { (style, STYLE) }))
}

fn page(api: &Value, table: &[Entry], locale: Locale) -> Bytes {
    let words = match locale {
        Locale::ZhCn => &ZH,
        Locale::En => &EN,
    };
    let mut out = String::with_capacity(256 * 1024);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>\
         <header><h1>{title}</h1><a href=\"?lang={}\" lang=\"{}\">{}</a></header><main><p>{} <a href=\"/openapi.json\">/openapi.json</a></p>",
        locale.as_str(),
        words.other.0,
        words.other.0,
        words.other.1,
        words.intro,
        title = words.title,
    );
    let mut groups: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in table.iter().filter(|entry| entry.described) {
        groups.entry(group(&entry.path)).or_default().push(entry);
    }
    let _ = write!(out, "<nav>");
    for name in groups.keys() {
        let _ = write!(out, "<a href=\"#{name}\">{name}</a> ", name = escape(name));
    }
    let _ = write!(out, "<a href=\"#schemas\">{}</a></nav>", words.schemas);
    for (name, mut entries) in groups {
        entries.sort_by(|a, b| (&a.path, a.method.as_str()).cmp(&(&b.path, b.method.as_str())));
        let _ = write!(out, "<section><h2 id=\"{name}\">{name}</h2>", name = escape(name));
        for entry in entries {
            operation(&mut out, api, entry, words);
        }
        out.push_str("</section>");
    }
    schemas(&mut out, api, words);
    out.push_str("</main></body></html>");
    Bytes::from(out)
}

/// `cases` of `/api/cases/{id}`.
fn group(path: &str) -> &str {
    path.trim_start_matches("/api/").trim_start_matches('/').split('/').next().unwrap_or_default()
}

fn operation(out: &mut String, api: &Value, entry: &Entry, words: &Words) {
    let method = entry.method.as_str();
    let operation = api.get("paths").and_then(|paths| paths.get(&entry.path));
    let operation = operation.and_then(|item| item.get(method.to_ascii_lowercase())).unwrap_or(&Value::Null);
    let gate = match entry.gate {
        Gate::Public(_) | Gate::OwnSite(_) => words.public.to_owned(),
        Gate::Enrolling | Gate::SignedIn => words.signed_in.to_owned(),
        Gate::Needs(permission) => format!("{}: {}", words.permission, permission.as_str()),
    };
    let _ = write!(
        out,
        "<article><h3><span class=\"method {}\">{method}</span> <code>{}</code> <small>{}</small></h3>",
        method.to_ascii_lowercase(),
        escape(&entry.path),
        escape(&gate),
    );
    for key in ["summary", "description"] {
        if let Some(text) = operation[key].as_str() {
            let _ = write!(out, "<p>{}</p>", escape(text));
        }
    }
    parameters(out, operation, words);
    if let Some(content) = operation.pointer("/requestBody/content").and_then(Value::as_object) {
        let _ = write!(out, "<h4>{}</h4>{}", words.body, contents(content));
    }
    let _ = write!(out, "<h4>{}</h4><ul>", words.answers);
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let content = response["content"].as_object().map_or_else(|| words.empty.to_owned(), contents);
        let about = escape(response["description"].as_str().unwrap_or_default());
        let _ = write!(out, "<li><b>{}</b> {about} {content}</li>", escape(status));
    }
    out.push_str("</ul></article>");
}

fn parameters(out: &mut String, operation: &Value, words: &Words) {
    let Some(list) = operation["parameters"].as_array().filter(|list| !list.is_empty()) else { return };
    let _ = write!(out, "<h4>{}</h4><ul>", words.parameters);
    for parameter in list {
        let text = |key: &str| escape(parameter[key].as_str().unwrap_or_default());
        let required = if parameter["required"] == Value::Bool(true) { words.required } else { "" };
        let _ = write!(
            out,
            "<li><code>{}</code> <small>{} {} {required}</small> {}</li>",
            text("name"),
            text("in"),
            kind(&parameter["schema"]),
            text("description"),
        );
    }
    out.push_str("</ul>");
}

fn contents(content: &Map<String, Value>) -> String {
    content.iter().map(|(mime, body)| format!("<code>{}</code> {} ", escape(mime), kind(&body["schema"]))).collect()
}

fn schemas(out: &mut String, api: &Value, words: &Words) {
    let _ = write!(out, "<section><h2 id=\"schemas\">{}</h2>", words.schemas);
    for (name, schema) in api.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten() {
        let _ = write!(out, "<article><h3 id=\"schema-{name}\"><code>{name}</code></h3>", name = escape(name));
        if let Some(text) = schema["description"].as_str() {
            let _ = write!(out, "<p>{}</p>", escape(text));
        }
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let Some(properties) = schema["properties"].as_object() else {
            let _ = write!(out, "<p>{}</p></article>", kind(schema));
            continue;
        };
        out.push_str("<table>");
        for (field, property) in properties {
            let required = if required.contains(&field.as_str()) { words.required } else { "" };
            let about = escape(property["description"].as_str().unwrap_or_default());
            let _ = write!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td><td>{required}</td><td>{about}</td></tr>",
                escape(field),
                kind(property),
            );
        }
        out.push_str("</table></article>");
    }
    out.push_str("</section>");
}

/// A schema in a few words, with a link when it has a name.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{name}\">{name}</a>", name = escape(name));
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(list) = schema[choice].as_array() {
            return list.iter().map(kind).collect::<Vec<_>>().join(" | ");
        }
    }
    if let Some(list) = schema["enum"].as_array() {
        return list
            .iter()
            .map(|value| format!("<code>{}</code>", escape(&value.to_string())))
            .collect::<Vec<_>>()
            .join(" ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if types.contains(&"array") {
        return format!("[{}]", kind(&schema["items"]));
    }
    let format = schema["format"].as_str().map(|f| format!(" ({f})")).unwrap_or_default();
    escape(&format!("{}{format}", types.join(" | ")))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
