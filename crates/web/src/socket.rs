//! WebSockets with limits: bounded queues, a heartbeat, a largest frame; a slow client is cut off
//! and comes back with its resume token instead of filling our memory.

use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

#[derive(Clone, Copy, Debug)]
pub struct SocketLimits {
    /// Largest frame and message from the client.
    pub frame_bytes: usize,
    /// Frames waiting in either direction before the client is cut off.
    pub queue: usize,
    /// Between two pings.
    pub beat: Duration,
    /// Without any frame from the client (a pong counts) the connection is dead.
    pub silence: Duration,
    /// How long one frame may take to leave.
    pub send: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            frame_bytes: 16 * 1024,
            queue: 256,
            beat: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            send: Duration::from_secs(10),
        }
    }
}

/// The client end of a connection as its handler sees it.
pub struct Peer {
    /// Text frames from the client; `None` once it is gone.
    pub incoming: mpsc::Receiver<String>,
    pub outgoing: Outgoing,
}

/// Sends text frames without waiting.
#[derive(Clone)]
pub struct Outgoing {
    queue: mpsc::Sender<String>,
    cut: Arc<Notify>,
}

/// The client is gone or too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutOff;

impl Outgoing {
    /// Puts a frame in the queue.
    ///
    /// # Errors
    /// [`CutOff`] when the client is gone or its queue is full; the connection then ends.
    pub fn send(&self, text: impl Into<String>) -> Result<(), CutOff> {
        self.queue.try_send(text.into()).map_err(|_| {
            self.cut.notify_one();
            CutOff
        })
    }
}

/// Answers the upgrade and runs `serve` until it returns or the client is gone.
pub fn upgrade<F, Fut>(upgrade: WebSocketUpgrade, limits: SocketLimits, serve: F) -> Response
where
    F: FnOnce(Peer) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    upgrade.max_message_size(limits.frame_bytes).max_frame_size(limits.frame_bytes).on_upgrade(
        move |socket| async move {
            let (to_handler, incoming) = mpsc::channel(limits.queue);
            let (queue, from_handler) = mpsc::channel(limits.queue);
            let cut = Arc::new(Notify::new());
            let peer = Peer { incoming, outgoing: Outgoing { queue, cut: cut.clone() } };
            let mut drive = pin!(drive(socket, limits, to_handler, from_handler, cut));
            tokio::select! {
                () = &mut drive => return,
                () = serve(peer) => {}
            }
            // What the handler sent last still leaves.
            let _ = timeout(limits.send, drive).await;
        },
    )
}

/// Moves frames until one side ends.
async fn drive(
    socket: WebSocket,
    limits: SocketLimits,
    to_handler: mpsc::Sender<String>,
    mut from_handler: mpsc::Receiver<String>,
    cut: Arc<Notify>,
) {
    let (mut sink, mut stream) = socket.split();
    let mut beat = interval(limits.beat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = beat.tick().await;
    let code = loop {
        let frame = tokio::select! {
            biased;
            () = cut.notified() => break close_code::AGAIN,
            frame = stream.next() => {
                heard = Instant::now();
                match frame {
                    Some(Ok(Message::Text(text))) => {
                        if to_handler.try_send(text.as_str().to_owned()).is_err() {
                            break close_code::POLICY;
                        }
                        continue;
                    }
                    Some(Ok(Message::Binary(_))) => break close_code::UNSUPPORTED,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                }
            }
            text = from_handler.recv() => match text {
                Some(text) => Message::Text(Utf8Bytes::from(text)),
                None => break close_code::NORMAL,
            },
            now = beat.tick() => {
                if now.duration_since(heard) > limits.silence {
                    break close_code::AWAY;
                }
                Message::Ping(bytes::Bytes::new())
            }
        };
        if !matches!(timeout(limits.send, sink.send(frame)).await, Ok(Ok(()))) {
            return;
        }
    };
    let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }));
    let _ = timeout(limits.send, sink.send(close)).await;
}
