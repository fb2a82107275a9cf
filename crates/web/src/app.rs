//! The whole HTTP surface put together: routes of all features, description, pages, outer layers.

use crate::docs;
use crate::edge;
use crate::gate::{Entry, Routes};
use crate::kit::Kit;
use crate::openapi;
use crate::problem::Problem;
use crate::ui;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;

/// Collects routes, then becomes one router.
#[must_use]
pub struct App {
    routes: Routes,
}

impl App {
    pub fn new(kit: &Kit) -> Self {
        Self { routes: Routes::new(kit) }
    }

    /// Adds the routes of one feature.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// Every route of the features with its gate.
    #[must_use]
    pub fn table(&self) -> &[Entry] {
        self.routes.table()
    }

    /// Names of schemas that two features describe differently; must be empty.
    #[must_use]
    pub fn conflicts(&self) -> &[String] {
        self.routes.conflicts()
    }

    /// The API description, as committed in `openapi.json`.
    #[must_use]
    pub fn openapi(&self) -> OpenApi {
        openapi::finish(self.routes.openapi.clone())
    }

    /// The description as text, stable from run to run.
    ///
    /// # Errors
    /// Those of the JSON writer.
    pub fn openapi_text(&self) -> Result<String, serde_json::Error> {
        // By way of Value: its maps are sorted.
        let value = serde_json::to_value(self.openapi())?;
        serde_json::to_string_pretty(&value).map(|text| text + "\n")
    }

    /// The router to serve. Serve it with connect info, so that client addresses are known.
    pub fn build(self) -> Router {
        let kit = self.routes.kit.clone();
        let text = self.openapi_text().unwrap_or_default();
        let pages = docs::pages(&text, self.routes.table());
        let described = Bytes::from(text);
        self.routes
            .router
            .route("/openapi.json", get(move || async move { ([(CONTENT_TYPE, "application/json")], described) }))
            .merge(docs::routes(pages))
            .route("/widget.js", get(ui::widget))
            .fallback(ui::desk)
            .method_not_allowed_fallback(|method: Method| async move { not_allowed(&method) })
            .layer(CatchPanicLayer::custom(panicked))
            .layer(CompressionLayer::new())
            .layer(from_fn_with_state(kit, edge::outermost))
    }
}

fn not_allowed(_: &Method) -> Response {
    let mut response = Problem::not_found().into_response();
    *response.status_mut() = http::StatusCode::METHOD_NOT_ALLOWED;
    response
}

/// A defect in one request ends that request only. The panic hook has written where it was.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}
