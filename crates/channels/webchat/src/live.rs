//! The live connection of one widget. It may see nothing that the same visitor could not fetch: each delivery reads
//! anew, as the visitor that the token names at that moment, so a token that was replaced or a channel that was
//! switched off ends the connection (SECURITY row 12).

use crate::board::Seated;
use crate::door::{self, Door};
use crate::store::{self, VisitorRow};
use crate::wire::{Frame, Place};
use crate::{Webchat, messages};
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use domain::{CaseId, ChannelKind, Code, Span};
use serde::Deserialize;
use spine::Refusal;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};
use web::{CutOff, Edge, Limit, Peer, Problem, SocketLimits};

const CONNECTIONS: Limit = Limit::new("widget_live", 120, Span::minutes(1));
/// Frames of one connection: typing and answers to our beat.
const FRAMES: Limit = Limit::new("widget_frames", 60, Span::minutes(1));
/// Open connections of one thread: tabs and devices.
const PER_THREAD: usize = 20;
const HELLO: Duration = Duration::from_secs(10);
/// Between two looks at the queue, and a beat with every second of them.
const TICK: Duration = Duration::from_secs(10);
/// The queue follows the cases a moment later, so the place is looked at once more after every change.
const SETTLE: Duration = Duration::from_millis(600);
const LIMITS: SocketLimits = SocketLimits {
    frame_bytes: 4 * 1024,
    queue: 64,
    beat: Duration::from_secs(20),
    silence: Duration::from_secs(60),
    send: Duration::from_secs(10),
};

#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
enum FromWidget {
    Hello {
        token: String,
        #[serde(default)]
        after: i64,
    },
    Typing,
    Pong,
}

pub(crate) async fn open(
    State(chat): State<Webchat>,
    door: Door,
    edge: Edge,
    upgrade: WebSocketUpgrade,
) -> web::Result<Response> {
    chat.0.kit.limit(&CONNECTIONS, edge.address)?;
    chat.0.board.start(&chat.0.spine);
    Ok(web::upgrade(upgrade, LIMITS, move |peer| async move {
        // Gone, cut off, or not who it said: in each case the connection just ends.
        let _ = serve(chat, door, peer).await;
    }))
}

/// Why a connection ends from our side.
enum End {
    CutOff,
    Refused,
}

impl From<CutOff> for End {
    fn from(_: CutOff) -> Self {
        Self::CutOff
    }
}
impl From<Problem> for End {
    fn from(_: Problem) -> Self {
        Self::Refused
    }
}
impl From<Refusal> for End {
    fn from(_: Refusal) -> Self {
        Self::Refused
    }
}

async fn serve(chat: Webchat, door: Door, mut peer: Peer) -> Result<(), End> {
    let Ok(Some(first)) = timeout(HELLO, peer.incoming.recv()).await else { return Err(End::Refused) };
    let Ok(FromWidget::Hello { token, after }) = serde_json::from_str(&first) else { return Err(End::Refused) };
    let visitor = door::by_token(&chat, &door, &token).await?.ok_or(End::Refused)?;
    if chat.0.board.connections(visitor.thread_id) >= PER_THREAD {
        return Err(End::Refused);
    }
    // Seated first, read then: what happens in between wakes us.
    let seat = chat.0.board.sit(door.config.workspace, visitor.thread_id, visitor.id);
    let mut live = Live { token, after: after.max(0), place: None, case: None, chat, door, visitor };
    live.run(&mut peer, seat).await
}

struct Live {
    chat: Webchat,
    door: Door,
    visitor: VisitorRow,
    token: String,
    /// Everything up to here was sent.
    after: i64,
    place: Option<Place>,
    /// The case the visitor looks at, once there is one.
    case: Option<CaseId>,
}

impl Live {
    async fn run(&mut self, peer: &mut Peer, mut seat: Seated) -> Result<(), End> {
        send(peer, &Frame::Ready)?;
        self.deliver(peer, true).await?;
        crate::session::touch(&self.chat, &self.door, &self.visitor).await?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.tick().await;
        let mut ticks = 0_u64;
        let mut unsettled = false;
        loop {
            tokio::select! {
                frame = peer.incoming.recv() => match frame {
                    Some(frame) => self.hear(&frame)?,
                    None => return Ok(()),
                },
                () = seat.changed.notified() => {
                    unsettled = true;
                    self.deliver(peer, false).await?;
                }
                () = tokio::time::sleep(SETTLE), if unsettled => {
                    unsettled = false;
                    self.deliver(peer, false).await?;
                }
                Some(name) = seat.names.recv() => send(peer, &Frame::Typing { name })?,
                _ = tick.tick() => {
                    ticks += 1;
                    if self.place.is_some() {
                        self.deliver(peer, false).await?;
                    }
                    if ticks.is_multiple_of(2) {
                        send(peer, &Frame::Beat)?;
                    }
                }
            }
        }
    }

    /// Sends what is new, after asking again who this is.
    async fn deliver(&mut self, peer: &Peer, mut tell_queue: bool) -> Result<(), End> {
        let (chat, key) = (&self.chat, self.door.config.public_key.clone());
        let config = chat.0.intake.by_key(&chat.0.spine, ChannelKind::Webchat, &key).await?;
        if config.id != self.door.config.id {
            return Err(End::Refused);
        }
        let now = door::by_token(chat, &self.door, &self.token).await?.ok_or(End::Refused)?;
        if now.thread_id != self.visitor.thread_id {
            return Err(End::Refused);
        }
        self.visitor = now;
        loop {
            let page = messages::after(chat, &self.door, self.visitor.thread_id, self.after).await?;
            let Some(last) = page.items.last().map(|m| m.seq) else {
                if page.queue != self.place || tell_queue {
                    self.place = page.queue;
                    send(peer, &Frame::Queue { queue: page.queue })?;
                }
                break;
            };
            self.after = last;
            self.place = page.queue;
            tell_queue = false;
            send(peer, &Frame::Messages { items: page.items, queue: page.queue })?;
        }
        self.look().await
    }

    /// Which cases this thread consists of now; the latest one is what the desk shows the visitor at.
    async fn look(&mut self) -> Result<(), End> {
        let (workspace, thread) = (self.door.config.workspace, self.visitor.thread_id);
        let cases = self.chat.0.spine.db().read(move |r| Ok::<_, Refusal>(store::cases(r, workspace, thread)?)).await?;
        let latest = cases.last().map(|case| case.case_id);
        self.chat.0.board.watch(thread, cases.into_iter().map(|case| case.case_id));
        if let (Some(case), true) = (latest, latest != self.case) {
            self.case = latest;
            messages::signal(&self.chat, &self.door, &self.visitor, "viewing", case);
        }
        Ok(())
    }

    fn hear(&self, frame: &str) -> Result<(), End> {
        self.chat.0.kit.limit(&FRAMES, self.visitor.id.0)?;
        match serde_json::from_str::<FromWidget>(frame) {
            Ok(FromWidget::Typing) => {
                if let Some(case) = self.case {
                    messages::signal(&self.chat, &self.door, &self.visitor, "typing", case);
                }
                Ok(())
            }
            Ok(FromWidget::Pong) => Ok(()),
            Ok(FromWidget::Hello { .. }) | Err(_) => Err(Problem::new(Code::Invalid).into()),
        }
    }
}

/// The desk learns that the visitor is gone, and since when. On drop, because a connection that breaks takes its
/// handler with it at whatever point it is.
impl Drop for Live {
    fn drop(&mut self) {
        if let Some(case) = self.case {
            messages::signal(&self.chat, &self.door, &self.visitor, "left", case);
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (spine, workspace, id) = (self.chat.0.spine.clone(), self.door.config.workspace, self.visitor.id);
        runtime.spawn(async move {
            let now = spine.now();
            if let Err(error) = spine.db().write(move |tx| store::seen(tx, workspace, id, now)).await {
                tracing::warn!(%error, "a visitor's leaving was not written down");
            }
        });
    }
}

fn send(peer: &Peer, frame: &Frame) -> Result<(), CutOff> {
    // Plain data of our own always serialises.
    peer.outgoing.send(serde_json::to_string(frame).unwrap_or_default())
}
