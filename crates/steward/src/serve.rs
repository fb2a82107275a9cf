//! Serving: listeners, background work, and an orderly end.

use crate::assemble::Assembled;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use config::Settings;
use db::{Query, sql};
use http::StatusCode;
use serde_json::{Value, json};
use spine::{Refusal, Spine};
use std::future::IntoFuture;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::watch;

sql!(ALIVE = "SELECT 1", params: 0, global);

/// Serves until the process is told to stop (SIGTERM, Ctrl-C): open requests end, jobs finish their step.
///
/// # Errors
/// When an address can't be listened on.
pub async fn serve(assembled: Assembled, settings: &Settings) -> std::io::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let listener = TcpListener::bind(settings.listen).await?;
    let spine = assembled.spine.clone();
    if let Err(error) = routing::restarted(&spine).await {
        tracing::error!(%error, "presence was not reset");
    }
    let background = tokio::spawn({
        let (spine, stopped) = (spine.clone(), stopped.clone());
        async move { spine.run(stopped).await }
    });
    let receivers = crate::mail::start(&assembled, settings, stopped.clone()).await?;
    let router = assembled.router.merge(health(&spine));
    tracing::info!(address = %listener.local_addr()?, "serving");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut ending = stopped.clone();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = ending.wait_for(|stop| *stop).await;
    });
    let mut server = std::pin::pin!(server.into_future());
    tokio::select! {
        result = &mut server => result?,
        () = told_to_stop() => {
            let _ = stop.send(true);
            // Live connections would keep a graceful server for ever.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(5), &mut server).await;
        }
    }
    let _ = stop.send(true);
    receivers.stop().await;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(20), background).await;
    tracing::info!("stopped");
    Ok(())
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

fn health(spine: &Spine) -> Router {
    Router::new()
        .route("/health/live", get(|| async { Json(json!({"status": "ok"})) }))
        .route("/health/ready", get(ready))
        .with_state(spine.clone())
}

/// Ready means that the database answers.
async fn ready(State(spine): State<Spine>) -> (StatusCode, Json<Value>) {
    match spine.db().read(|r| Ok::<i64, Refusal>(r.query_one(&ALIVE, &[])?)).await {
        Ok(_) => (StatusCode::OK, Json(json!({"status": "ok"}))),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable"})))
        }
    }
}
