//! `POST /api/canned/{id}/render`: a canned reply with its placeholders filled in for one case.

use crate::placeholder::{Rendered, render};
use crate::store::predicate::Sight;
use crate::store::{canned, people, record};
use crate::visibility;
use crate::wire::CaseDetail;
use axum::extract::State;
use domain::{CannedReplyId, CaseId};
use serde::Deserialize;
use spine::{Refusal, Spine};
use std::collections::HashMap;
use utoipa::ToSchema;
use web::{Caller, Json, Locale, Path, Result};

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub(crate) struct RenderBody {
    case_id: CaseId,
}

#[utoipa::path(post, path = "/api/canned/{id}/render", tag = "canned", params(("id" = CannedReplyId, Path)),
    request_body = RenderBody, responses((status = 200, body = Rendered)))]
pub(crate) async fn render_canned(
    State(spine): State<Spine>,
    caller: Caller,
    Path(id): Path<CannedReplyId>,
    Json(body): Json<RenderBody>,
) -> Result<Json<Rendered>> {
    let rendered = spine
        .execute(caller.order_once(), move |unit| {
            let ws = unit.workspace();
            let sight = Sight::of(unit.tx(), ws, caller.user, &caller.access)?;
            let reply = canned::by_id(unit.tx(), ws, id)?;
            let reply = reply.filter(|reply| visibility::may_send(reply, &sight.viewer, &caller.access));
            let reply = reply.ok_or(Refusal::NotFound)?;
            let case = record::detail(unit.tx(), &sight, &caller.access, body.case_id)?.ok_or(Refusal::NotFound)?;
            let agent = match caller.user {
                Some(user) => people::agent(unit.tx(), ws, user)?.map(|agent| agent.name),
                None => None,
            };
            let company = people::workspace_name(unit.tx(), ws)?;
            let language = reply.language.as_deref().and_then(Locale::parse).unwrap_or(caller.locale);
            let mut values = values(case, language);
            values.extend(agent.map(|name| ("agent.name", name)));
            values.insert("company.name", company);
            canned::count_use(unit.tx(), ws, id)?;
            Ok(render(&reply.body, &|path| values.get(path).cloned()))
        })
        .await?;
    Ok(Json(rendered))
}

fn values(case: CaseDetail, language: Locale) -> HashMap<&'static str, String> {
    let row = case.row;
    let mut values = HashMap::from([
        ("customer.name", row.customer.name),
        ("case.number", row.number.to_string()),
        ("case.subject", row.subject),
        ("channel.name", row.channel.name),
    ]);
    values.extend(row.team.map(|team| ("team.name", team.name)));
    values.extend(row.reason.map(|reason| {
        let name = if language == Locale::ZhCn { reason.name_zh } else { reason.name_en };
        ("reason.name", name)
    }));
    values
}
