//! The built-in test page: a shop that embeds the widget, served by us.

use crate::Webchat;
use axum::extract::State;
use axum::response::{Html, Response};
use domain::ChannelKind;
use http::HeaderMap;
use web::Path;

const TEST_PAGE: &str = include_str!("../../../../ui/widget/test-page.html");

pub(crate) async fn test(State(chat): State<Webchat>, Path(key): Path<String>) -> web::Result<Html<String>> {
    let config = chat.0.intake.by_key(&chat.0.spine, ChannelKind::Webchat, &key).await?;
    Ok(Html(channel::text::fill(TEST_PAGE, &[("key", &config.public_key), ("origin", "")])))
}

pub(crate) async fn style(headers: HeaderMap) -> Response {
    web::widget_file("test-page.css", &headers)
}
