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
            let done = Notify::new();
            let mut drive = pin!(drive(socket, limits, (to_handler, from_handler), (&cut, &done)));
            tokio::select! {
                () = &mut drive => return,
                () = serve(peer) => done.notify_one(),
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
    (to_handler, mut from_handler): (mpsc::Sender<String>, mpsc::Receiver<String>),
    (cut, done): (&Notify, &Notify),
) {
    let (mut sink, mut stream) = socket.split();
    let mut beat = interval(limits.beat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = beat.tick().await;
    // A handler that only listens has dropped its way out; it is still there.
    let mut speaks = true;
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
            text = from_handler.recv(), if speaks => match text {
                Some(text) => Message::Text(Utf8Bytes::from(text)),
                None => {
                    speaks = false;
                    continue;
                }
            },
            () = done.notified() => break close_code::NORMAL,
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::tungstenite::Message as Frame;
    use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

    type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

    const QUICK: SocketLimits = SocketLimits {
        frame_bytes: 1_000,
        queue: 4,
        beat: Duration::from_millis(20),
        silence: Duration::from_millis(200),
        send: Duration::from_millis(500),
    };

    async fn serve<F, Fut>(limits: SocketLimits, handler: F) -> Client
    where
        F: Fn(Peer) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let route = get(move |socket: WebSocketUpgrade| async move { upgrade(socket, limits, handler) });
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/", route)).await.unwrap() });
        connect_async(format!("ws://{address}/")).await.unwrap().0
    }

    async fn echo(mut peer: Peer) {
        while let Some(text) = peer.incoming.recv().await {
            if text == "bye" || peer.outgoing.send(text).is_err() {
                return;
            }
        }
    }

    /// The code the server closed with; frames before it are skipped.
    async fn closed(client: &mut Client) -> Option<u16> {
        while let Some(Ok(frame)) = client.next().await {
            if let Frame::Close(frame) = frame {
                return frame.map(|frame| frame.code.into());
            }
        }
        None
    }

    #[tokio::test]
    async fn frames_go_both_ways_and_the_end_is_clean() {
        let mut client = serve(SocketLimits::default(), echo).await;
        client.send(Frame::text("hello")).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Frame::text("hello"));
        client.send(Frame::text("bye")).await.unwrap();
        assert_eq!(closed(&mut client).await, Some(close_code::NORMAL));
    }

    #[tokio::test]
    async fn frames_have_a_largest_size() {
        for (bytes, fits) in [(1_000, true), (1_001, false)] {
            let mut client = serve(SocketLimits { frame_bytes: 1_000, ..SocketLimits::default() }, echo).await;
            client.send(Frame::text("x".repeat(bytes))).await.unwrap();
            let echoed = matches!(client.next().await, Some(Ok(Frame::Text(_))));
            assert_eq!(echoed, fits, "{bytes}");
        }
    }

    #[tokio::test]
    async fn bytes_are_not_spoken_here() {
        let mut client = serve(SocketLimits::default(), echo).await;
        client.send(Frame::binary(vec![1, 2, 3])).await.unwrap();
        assert_eq!(closed(&mut client).await, Some(close_code::UNSUPPORTED));
    }

    #[tokio::test]
    async fn a_full_queue_cuts_the_client_off() {
        let mut client = serve(QUICK, |peer: Peer| async move {
            // Faster than any network: nothing has left yet when the queue is full.
            let sent = (0..5).map(|n| peer.outgoing.send(n.to_string())).collect::<Vec<_>>();
            assert_eq!(sent.last(), Some(&Err(CutOff)));
            std::future::pending::<()>().await;
        })
        .await;
        assert_eq!(closed(&mut client).await, Some(close_code::AGAIN));
    }

    #[tokio::test]
    async fn a_flood_from_the_client_ends_it() {
        let mut client = serve(QUICK, |peer: Peer| async move {
            let _listening_to_nothing = peer;
            std::future::pending::<()>().await;
        })
        .await;
        for n in 0..6 {
            // The server may be gone already.
            let _ = client.send(Frame::text(n.to_string())).await;
        }
        assert_eq!(closed(&mut client).await, Some(close_code::POLICY));
    }

    #[tokio::test]
    async fn pings_keep_it_and_silence_ends_it() {
        let listening = |mut peer: Peer| async move { while peer.incoming.recv().await.is_some() {} };
        let mut client = serve(QUICK, listening).await;
        let mut pings = 0;
        while pings < 15 {
            // Reading answers the ping.
            match client.next().await {
                Some(Ok(Frame::Ping(_))) => pings += 1,
                other => panic!("{other:?} after {pings} pings"),
            }
        }
        // A client that stops answering is dead after a while.
        let (mut raw, limits) = (serve(QUICK, listening).await, QUICK);
        tokio::time::sleep(limits.silence * 3).await;
        // Its late pong may meet a closed door before it reads why.
        assert!(closed(&mut raw).await.is_none_or(|code| code == close_code::AWAY));
    }
}
