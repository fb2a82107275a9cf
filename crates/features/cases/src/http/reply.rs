//! `POST /api/cases/{id}/reply`: the answer to the customer. The client makes the message's id before sending, so
//! that a repeated request is the same message; "somebody answered meanwhile" is asked unless `force` is set.

use crate::store::record::{self, Way};
use crate::store::{draft, people, seen};
use crate::wire::CaseDetail;
use crate::{admission, can, html};
use axum::extract::State;
use domain::case::{Case, CaseCommand, NewMessage, Route, Then};
use domain::{AttachmentId, CaseId, ChannelKind, Code, ConversationId, MessageId, Permission, Rejection};
use serde::Deserialize;
use serde_json::json;
use spine::{Refusal, Spine, Unit};
use utoipa::ToSchema;
use web::{Caller, Json, Path, Result};

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(crate) struct ReplyBody {
    /// Made by the client.
    message_id: MessageId,
    /// The conversation to answer in; the one the customer wrote in last if not given.
    #[serde(default)]
    conversation_id: Option<ConversationId>,
    text: String,
    #[serde(default)]
    html: Option<String>,
    #[serde(default)]
    attachments: Vec<AttachmentId>,
    then: Then,
    /// The last message the author had seen.
    #[serde(default)]
    seen: Option<MessageId>,
    /// Send although somebody else has answered meanwhile.
    #[serde(default)]
    force: bool,
}

#[utoipa::path(post, path = "/api/cases/{id}/reply", tag = "cases", params(("id" = CaseId, Path)),
    request_body = ReplyBody, responses((status = 200, body = CaseDetail)))]
pub(crate) async fn reply_to_case(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CaseId>,
    Json(body): Json<ReplyBody>,
) -> Result<Json<CaseDetail>> {
    let asker = caller.clone();
    let cleaned = body.html.as_deref().filter(|html| !html.trim().is_empty());
    let cleaned = cleaned.map(|text| html::from_agent(text, &body.attachments)).transpose()?;
    spine
        .execute(caller.order(), move |unit| {
            admission::case_for(unit, &asker, id, Permission::CaseReply)?;
            reply(unit, &asker, id, (&body, cleaned.clone()))
        })
        .await?;
    admission::answer(&spine, caller, id).await
}

type Cleaned = Option<(String, Vec<AttachmentId>)>;

fn reply(
    unit: &mut Unit<'_, '_>,
    caller: &Caller,
    case: CaseId,
    (body, cleaned): (&ReplyBody, Cleaned),
) -> std::result::Result<(), Refusal> {
    let ws = unit.workspace();
    let way = record::way(unit.tx(), ws, case, body.conversation_id)?;
    let Some(way) = way else {
        let missing = Rejection::new(Code::UnknownReference).on("conversation_id");
        return Err(if body.conversation_id.is_some() { missing.into() } else { Code::NoWayToReply.into() });
    };
    let out = way.out(unit.tx(), ws)?;
    if let Some(code) = can::blocked(Some(out)) {
        return Err(code.into());
    }
    let seen_at = match body.seen {
        Some(message) => record::message_at(unit.tx(), ws, case, message)?,
        None => None,
    };
    let (html, inline) = cleaned.map_or((None, Vec::new()), |(html, inline)| (Some(html), inline));
    let message = message(unit, caller, (body.message_id, way.id), (&body.text, html, &body.attachments))?;
    let command = CaseCommand::Reply { message, route: route(&way), then: body.then, seen_at, force: body.force };
    let decided = unit.decide::<Case>(case, command);
    decided.map_err(|refusal| with_name(unit, refusal))?;
    record::set_inline(unit.tx(), ws, body.message_id, &inline)?;
    written(unit, caller, case)
}

/// "Li answered 3 s ago": the rule knows ids, the question needs the name.
fn with_name(unit: &mut Unit<'_, '_>, refusal: Refusal) -> Refusal {
    let Refusal::Rejected(mut rejection) = refusal else { return refusal };
    let agent = rejection.params.get("agent").and_then(|id| id.as_str()).and_then(|id| id.parse().ok());
    if let (Code::AnsweredMeanwhile, Some(agent)) = (rejection.code, agent) {
        let ws = unit.workspace();
        match people::agent(unit.tx(), ws, agent) {
            Ok(Some(agent)) => rejection = rejection.with("agent", agent.name),
            Ok(None) => {}
            Err(error) => return error,
        }
    }
    rejection.into()
}

/// How answers leave by each kind of channel.
fn route(way: &Way) -> Route {
    match way.channel_kind {
        kind if kind.holds_replies() => Route::Hold,
        ChannelKind::Webchat => Route::Direct,
        ChannelKind::Api => Route::Queue,
        _ => Route::None,
    }
}

/// A message of the caller's.
pub(crate) fn message(
    unit: &mut Unit<'_, '_>,
    caller: &Caller,
    (id, conversation): (MessageId, ConversationId),
    (text, html, attachments): (&str, Option<String>, &[AttachmentId]),
) -> std::result::Result<NewMessage, Refusal> {
    let ws = unit.workspace();
    let author = match caller.user {
        Some(user) => people::agent(unit.tx(), ws, user)?.map(|agent| agent.name),
        None => None,
    };
    Ok(NewMessage {
        id,
        conversation,
        sent_at: unit.now(),
        author_name: author.unwrap_or_default(),
        automatic: false,
        text: text.to_owned(),
        html,
        quoted: String::new(),
        meta: json!({}),
        attachments: attachments.to_vec(),
        inbox: None,
        references: Vec::new(),
    })
}

/// Who has written has read the case, and needs the draft no more.
pub(crate) fn written(unit: &mut Unit<'_, '_>, caller: &Caller, case: CaseId) -> std::result::Result<(), Refusal> {
    let (ws, now) = (unit.workspace(), unit.now());
    if let Some(user) = caller.user {
        draft::delete(unit.tx(), ws, case, user)?;
        seen::mark(unit.tx(), ws, user, case, now)?;
    }
    Ok(())
}
