//! The hosted page. It works without JavaScript too: then the server checks alone, there is no proof of work, and so
//! the budget is much smaller.

use crate::Webform;
use crate::settings::Settings;
use crate::submit::{self, SubmitForm};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{Html, IntoResponse, Response};
use channel::ChannelConfig;
use channel::text::{escape, fill};
use domain::{Code, MessageId, Span};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::collections::BTreeMap;
use web::{Edge, Limit, Locale, Path};

const TEMPLATE: &str = include_str!("../../../../ui/widget/form-page.html");
const WORDS: &str = include_str!("../../../../ui/widget/form-page.words.json");
/// Forms without proof, from one address and on one form.
const PLAIN: Limit = Limit::new("plain_forms", 3, Span::hours(1));
const PLAIN_ALL: Limit = Limit::new("plain_forms_all", 60, Span::hours(1));

type Words = BTreeMap<String, String>;

fn words(locale: Locale) -> web::Result<Words> {
    let mut all: BTreeMap<String, Words> =
        serde_json::from_str(WORDS).map_err(|error| spine::Refusal::internal(format!("form words: {error}")))?;
    let mut words = all.remove(locale.as_str()).unwrap_or_default();
    let noscript = match locale {
        Locale::ZhCn => "未启用 JavaScript 也可以提交，但无法添加附件。",
        Locale::En => "You can send this form without JavaScript, but not add files.",
    };
    words.insert("noscript".to_owned(), noscript.to_owned());
    Ok(words)
}

/// The language is the form's if it has one, else the reader's.
fn locale(config: &ChannelConfig, headers: &HeaderMap) -> Locale {
    config.language.as_deref().and_then(Locale::parse).unwrap_or_else(|| Locale::of_request(headers))
}

fn render(config: &ChannelConfig, locale: Locale) -> web::Result<String> {
    let settings: Settings = config.read()?;
    let words = words(locale)?;
    let brand = if config.brand.is_empty() { &config.name } else { &config.brand };
    let mut values: Vec<(&str, &str)> = words.iter().map(|(name, word)| (name.as_str(), word.as_str())).collect();
    values.extend([
        ("lang", locale.as_str()),
        ("key", &config.public_key),
        ("origin", ""),
        ("brand", brand),
        ("title", settings.title(locale)),
    ]);
    let page = fill(TEMPLATE, &values);
    if settings.attachments {
        return Ok(page);
    }
    // Without the address for uploads the page's script takes the file field away.
    let upload = format!(" data-upload=\"/api/form/{}/attachments\"", escape(&config.public_key));
    Ok(page.replace(&upload, ""))
}

pub(crate) async fn show(
    State(form): State<Webform>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> web::Result<Html<String>> {
    let config = form.channel(&key).await?;
    let locale = locale(&config, &headers);
    Ok(Html(render(&config, locale)?))
}

#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: String,
}

/// The form as a browser without a script sends it.
pub(crate) async fn take(
    State(form): State<Webform>,
    Path(key): Path<String>,
    edge: Edge,
    headers: HeaderMap,
    fields: Result<Form<Fields>, FormRejection>,
) -> web::Result<Response> {
    let config = form.channel(&key).await?;
    let locale = locale(&config, &headers);
    let Ok(Form(fields)) = fields else { return Ok(outcome(&config, locale, &Outcome::Refused(None))) };
    let allowed = form.0.kit.limit(&PLAIN, edge.address).and_then(|()| form.0.kit.limit(&PLAIN_ALL, config.id.0));
    if allowed.is_err() {
        return Ok(outcome(&config, locale, &Outcome::Busy));
    }
    let Fields { name, email, subject, text } = fields;
    let id: MessageId = form.0.spine.next_id();
    let body = SubmitForm { id, name, email, subject, text, attachments: Vec::new(), proof: None };
    let taken = match submit::checked(body) {
        Ok(body) => submit::take(&form, config.clone(), body, None, locale).await,
        Err(problem) => Err(problem),
    };
    Ok(match taken {
        Ok(number) => outcome(&config, locale, &Outcome::Taken(number)),
        Err(problem) if problem.code() == Code::RateLimited => outcome(&config, locale, &Outcome::Busy),
        Err(problem) if problem.status().is_client_error() => {
            outcome(&config, locale, &Outcome::Refused(Some(problem.code())))
        }
        Err(problem) => problem.into_response(),
    })
}

enum Outcome {
    Taken(String),
    Refused(Option<Code>),
    Busy,
}

const RESULT: &str = "<!doctype html><html lang=\"{{lang}}\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
    <title>{{title}} · {{brand}}</title><link rel=\"stylesheet\" href=\"/form.css\"></head><body><main>\
    <p class=\"brand\">{{brand}}</p><section class=\"thanks\"><h1>{{title}}</h1><p>{{message}}</p>\
    <p><a href=\"/form/{{key}}\">{{back}}</a></p></section></main></body></html>";

/// A page that tells how it went. What was typed is not repeated: the browser's back button still has it.
fn outcome(config: &ChannelConfig, locale: Locale, outcome: &Outcome) -> Response {
    let zh = locale == Locale::ZhCn;
    let pick = |chinese: &str, english: &str| if zh { chinese.to_owned() } else { english.to_owned() };
    let (status, title, message) = match outcome {
        Outcome::Taken(number) => (
            StatusCode::OK,
            pick("我们已收到您的留言", "We have received your message"),
            pick(
                &format!("受理编号 {number}。我们会尽快回复到您的邮箱。"),
                &format!("Your reference is {number}. We will reply to your e-mail address as soon as we can."),
            ),
        ),
        Outcome::Refused(code) => {
            let message = match code {
                Some(Code::InvalidAddress) => {
                    pick("邮箱格式不正确，请返回修改后再提交。", "Please go back and check the e-mail address.")
                }
                Some(Code::TooLong) => {
                    pick("内容太长，请返回精简后再提交。", "What you wrote is too long. Please go back and shorten it.")
                }
                _ => pick(
                    "请返回填写完整后再提交，您填写的内容仍在上一页。",
                    "Please go back and fill in all fields. What you wrote is still on the page before.",
                ),
            };
            (StatusCode::UNPROCESSABLE_ENTITY, pick("提交未成功", "Not sent yet"), message)
        }
        Outcome::Busy => (
            StatusCode::TOO_MANY_REQUESTS,
            pick("提交未成功", "Not sent yet"),
            pick(
                "提交人数较多，请稍后再试，或启用 JavaScript 后提交。",
                "We are receiving many messages. Please try again later, or enable JavaScript.",
            ),
        ),
    };
    let brand = if config.brand.is_empty() { &config.name } else { &config.brand };
    let back = pick("返回", "Back");
    let values = [
        ("lang", locale.as_str()),
        ("title", &title),
        ("brand", brand),
        ("message", &message),
        ("key", &config.public_key),
        ("back", &back),
    ];
    (status, Html(fill(RESULT, &values))).into_response()
}

pub(crate) async fn style(headers: HeaderMap) -> Response {
    web::widget_file("form.css", &headers)
}

pub(crate) async fn script(headers: HeaderMap) -> Response {
    web::widget_file("form.js", &headers)
}
