//! One live connection, from hello to goodbye.

use crate::Live;
use crate::frame::{Frame, Happened, Said, Who, may_change_rights, may_hear};
use axum::extract::{State, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use db::{Query, params, sql};
use domain::access::Access;
use domain::{CaseId, Code, Permission, UserId, WorkspaceId};
use http::HeaderMap;
use spine::{LoggedEvent, Missed, Notice, Refusal, ResumeToken, Signal};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use web::{Caller, CutOff, Outgoing, Peer, Problem, Result, SocketLimits, upgrade};

/// Between two beats; the desk calls itself behind when one is late.
const BEAT: Duration = Duration::from_secs(5);
/// How long a client may take to say hello.
const HELLO: Duration = Duration::from_secs(10);

sql!(AGENT_NAME = "SELECT name FROM view_agent WHERE workspace_id = $1 AND id = $2", params: 2);

/// Opens the stream. The gate has checked session and origin.
pub async fn open(
    State(live): State<Live>,
    caller: Caller,
    headers: HeaderMap,
    up: WebSocketUpgrade,
) -> Result<Response> {
    let user = caller.user()?;
    let ws = caller.workspace;
    let name: Option<String> =
        live.spine.db().read(move |r| Ok::<_, Refusal>(r.query_opt(&AGENT_NAME, params![ws, user])?)).await?;
    let Some(first) = live.viewers.connect(ws, user) else {
        return Err(Problem::new(Code::TooMany).with("max", crate::viewers::CONNECTIONS_PER_USER));
    };
    let connection = Connection {
        ws,
        user,
        name: name.unwrap_or_default(),
        access: caller.access,
        headers,
        token: ResumeToken::default(),
        case: None,
        live,
    };
    let guard = Attending::new(&connection, first);
    Ok(upgrade(up, SocketLimits::default(), move |peer| connection.serve(peer, guard)).into_response())
}

/// Tells attendance of the connection's end, however it ends.
struct Attending {
    live: Live,
    ws: WorkspaceId,
    user: UserId,
}

impl Attending {
    fn new(connection: &Connection, first: bool) -> Self {
        let (live, ws, user) = (connection.live.clone(), connection.ws, connection.user);
        if first {
            tokio::spawn(live.attendance.connected(&live.spine, ws, user));
        }
        Self { live, ws, user }
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        if self.live.viewers.disconnect(self.ws, self.user) {
            tokio::spawn(self.live.attendance.disconnected(&self.live.spine, self.ws, self.user));
        }
    }
}

struct Connection {
    ws: WorkspaceId,
    user: UserId,
    name: String,
    access: Access,
    headers: HeaderMap,
    token: ResumeToken,
    /// The case on the screen.
    case: Option<CaseId>,
    live: Live,
}

/// Why a connection ends.
enum End {
    Gone,
    NoRights,
    Broken,
}

impl From<CutOff> for End {
    fn from(_: CutOff) -> Self {
        Self::Gone
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        // The client gets no detail: it reconnects with its token (SECURITY row 12).
        tracing::error!(%refusal, "a live connection ends on an error");
        Self::Broken
    }
}

impl Connection {
    async fn serve(mut self, mut peer: Peer, _attending: Attending) {
        let _ = self.talk(&mut peer).await;
        self.stop_viewing();
    }

    async fn talk(&mut self, peer: &mut Peer) -> std::result::Result<(), End> {
        let first = tokio::time::timeout(HELLO, peer.incoming.recv()).await.ok().flatten().ok_or(End::Gone)?;
        let Ok(Said::Hello { resume }) = serde_json::from_str(&first) else { return Err(End::Broken) };
        // First listen, then look back: an event in between comes twice and is known by its position.
        let mut notices = self.live.spine.hub().subscribe();
        self.resume(resume.as_deref(), &peer.outgoing).await?;
        let mut beat = tokio::time::interval(BEAT);
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Ok(notice) => self.hear(notice, &peer.outgoing).await?,
                    Err(RecvError::Lagged(_)) => self.start_anew(&peer.outgoing).await?,
                    Err(RecvError::Closed) => return Ok(()),
                },
                said = peer.incoming.recv() => match said {
                    Some(text) => self.said(&text, &peer.outgoing).await?,
                    None => return Ok(()),
                },
                _ = beat.tick() => {
                    let frame = Frame::Beat { now: self.live.spine.now(), token: self.token.to_string() };
                    send(&peer.outgoing, &frame)?;
                }
            }
        }
    }

    async fn resume(&mut self, resume: Option<&str>, out: &Outgoing) -> std::result::Result<(), End> {
        let Some(resume) = resume else {
            self.token = self.live.spine.resume_token(self.ws).await?;
            return send(out, &Frame::Ready { token: self.token.to_string() });
        };
        let missed = match ResumeToken::parse(resume) {
            Some(token) => {
                self.token = token.clone();
                self.live.spine.missed(self.ws, token).await?
            }
            None => Missed::TooMany,
        };
        send(out, &Frame::Ready { token: self.token.to_string() })?;
        match missed {
            Missed::TooMany => self.start_anew(out).await,
            Missed::Events(events) => {
                for event in events {
                    self.deliver(&event, out).await?;
                }
                Ok(())
            }
        }
    }

    async fn start_anew(&mut self, out: &Outgoing) -> std::result::Result<(), End> {
        self.token = self.live.spine.resume_token(self.ws).await?;
        send(out, &Frame::Refetch { token: self.token.to_string() })
    }

    async fn hear(&mut self, notice: Notice, out: &Outgoing) -> std::result::Result<(), End> {
        if notice.workspace() != self.ws {
            return Ok(());
        }
        match notice {
            Notice::Event(event) => self.deliver(&event, out).await,
            Notice::Signal(signal) => self.pass_on(signal, out).await,
        }
    }

    async fn deliver(&mut self, event: &LoggedEvent, out: &Outgoing) -> std::result::Result<(), End> {
        if event.position <= self.token.position(event.part) {
            return Ok(());
        }
        self.token.advance(event.part, event.position);
        if may_change_rights(&event.kind) {
            self.ask_rights_again().await?;
        }
        let place = match event.subject_kind.as_str() {
            "case" => self.live.places.at(&self.live.spine, self.ws, CaseId(event.subject), event.version).await?,
            _ => None,
        };
        if may_hear(&self.access, event, place.as_ref()) {
            send(out, &Frame::Event(Happened::new(event, self.token.to_string())))?;
        }
        Ok(())
    }

    async fn ask_rights_again(&mut self) -> std::result::Result<(), End> {
        match self.live.kit.identify_again(&self.headers).await? {
            Some(identity) if !identity.must_enroll => {
                self.access = identity.access;
                Ok(())
            }
            _ => Err(End::NoRights),
        }
    }

    async fn pass_on(&mut self, signal: Signal, out: &Outgoing) -> std::result::Result<(), End> {
        let own = signal.who_kind == "agent" && signal.who == self.user.0;
        // Signals about a case go to whoever has it on the screen; presence to whoever may see it.
        let wanted = match signal.case {
            Some(case) => self.case == Some(case),
            None => self.access.allows(Permission::PresenceRead),
        };
        if own || !wanted || !self.may_see(signal.case).await? {
            return Ok(());
        }
        let who = Who { kind: signal.who_kind, id: signal.who, name: signal.name };
        send(out, &Frame::Signal { kind: signal.kind, case_id: signal.case, who })
    }

    async fn may_see(&self, case: Option<CaseId>) -> std::result::Result<bool, End> {
        let Some(case) = case else { return Ok(true) };
        let place = self.live.places.now(&self.live.spine, self.ws, case).await?;
        Ok(place.is_some_and(|place| self.access.allows_in(Permission::CaseRead, &place)))
    }

    async fn said(&mut self, text: &str, out: &Outgoing) -> std::result::Result<(), End> {
        match serde_json::from_str::<Said>(text) {
            Ok(Said::Pong | Said::Hello { .. }) => Ok(()),
            Ok(Said::Viewing { case_id }) => self.viewing(case_id, out).await,
            Ok(Said::Typing { case_id, note }) => {
                if self.case == Some(case_id) && self.may_see(Some(case_id)).await? {
                    self.signal(if note { "composing" } else { "typing" }, case_id);
                }
                Ok(())
            }
            Err(_) => Err(End::Broken),
        }
    }

    async fn viewing(&mut self, case: Option<CaseId>, out: &Outgoing) -> std::result::Result<(), End> {
        if case == self.case {
            return Ok(());
        }
        self.stop_viewing();
        let Some(case) = case else { return Ok(()) };
        if !self.may_see(Some(case)).await? {
            return Ok(());
        }
        self.case = Some(case);
        for (id, name) in self.live.viewers.look(self.ws, case, self.user, &self.name) {
            let who = Who { kind: "agent", id: id.0, name };
            send(out, &Frame::Signal { kind: "viewing", case_id: Some(case), who })?;
        }
        self.signal("viewing", case);
        Ok(())
    }

    fn stop_viewing(&mut self) {
        if let Some(case) = self.case.take()
            && self.live.viewers.leave(self.ws, case, self.user)
        {
            self.signal("left", case);
        }
    }

    fn signal(&self, kind: &'static str, case: CaseId) {
        self.live.spine.hub().signal(Signal {
            workspace: self.ws,
            kind,
            case: Some(case),
            who_kind: "agent",
            who: self.user.0,
            name: self.name.clone(),
        });
    }
}

fn send(out: &Outgoing, frame: &Frame) -> std::result::Result<(), End> {
    let text = serde_json::to_string(frame).map_err(|_| End::Broken)?;
    Ok(out.send(text)?)
}
