//! Setting up channels. Settings are checked by the channel's own crate; secrets are sealed into one blob that opens
//! only in its own row (SECURITY row 29).

use super::answers::{Channel, ChannelChange, CreatedChannel, IdentitySecret, NewChannel, kind_of, logged};
use super::{State, manages};
use crate::channels::{config, seal_context};
use crate::check::check_channel;
use crate::store::configured as rows;
use crate::store::{ChannelRow, moving};
use axum::extract::State as Of;
use axum::http::StatusCode;
use channel::Check;
use domain::access::{Access, Place};
use domain::customer::{IdentityKind, normalise_address};
use domain::event::{ConfigAction, ConfigChanged};
use domain::{ChannelId, ChannelKind, Code, Event, Permission, Rejection, SkillId, TeamId, limits};
use serde_json::{Map, Value, json};
use spine::{Refusal, Secret, Unit};
use std::collections::{BTreeMap, BTreeSet};
use web::{Caller, Items, Json, Path, Problem, Result};

type Done<T> = std::result::Result<T, Refusal>;

/// Name of the secret that signs visitors' identities.
const IDENTITY_SECRET: &str = "identity_secret";
const LANGUAGE_CHARS: usize = 20;

/// Every channel the caller manages.
#[utoipa::path(get, path = "/api/channels", tag = "channels", responses((status = 200, body = Items<Channel>)))]
pub(super) async fn list(Of(state): Of<State>, caller: Caller) -> Result<Json<Items<Channel>>> {
    let ws = caller.workspace;
    let rows = state.spine.db().read(move |r| Ok::<_, Refusal>(rows::all(r, ws)?)).await?;
    let mut items = Vec::new();
    for row in rows.into_iter().filter(|row| manages(&caller.access, row).is_ok()) {
        items.push(state.view(row)?);
    }
    Ok(Json(items.into()))
}

/// One channel.
#[utoipa::path(get, path = "/api/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 200, body = Channel)))]
pub(super) async fn show(Of(state): Of<State>, caller: Caller, Path(id): Path<ChannelId>) -> Result<Json<Channel>> {
    let row = state.row(&caller, id).await?;
    Ok(Json(state.view(row)?))
}

/// Sets up a channel. A web chat gets a secret for signed identities, shown this once.
#[utoipa::path(post, path = "/api/channels", tag = "channels", request_body = NewChannel,
    responses((status = 201, body = CreatedChannel)))]
pub(super) async fn create(
    Of(state): Of<State>,
    caller: Caller,
    Json(new): Json<NewChannel>,
) -> Result<(StatusCode, Json<CreatedChannel>)> {
    let protocol = state.protocols.get(new.kind)?;
    let (settings, mut secrets) = split(new.settings.clone(), protocol.secret_fields())?;
    let settings = protocol.settings(&settings)?;
    if new.kind == ChannelKind::Webchat {
        secrets.entry(IDENTITY_SECRET.to_owned()).or_insert_with(|| Some(web::secret::text(state.spine.random())));
    }
    let (inner, access, generated) = (state.clone(), caller.access.clone(), state.spine.random());
    let created = state.spine.execute(caller.order(), move |unit| {
        let id: ChannelId = unit.next_id();
        let place = Place { team: new.team_id, channel: id };
        if !access.allows_in(Permission::ChannelsManage, &place) {
            return Err(Rejection::new(Code::MoreThanYouHave).on("team_id").into());
        }
        let key = public_key(new.kind, &settings, || web::secret::text(generated));
        let row = ChannelRow {
            workspace_id: unit.workspace(),
            id,
            kind: new.kind.as_str().to_owned(),
            name: new.name.trim().to_owned(),
            brand: new.brand.trim().to_owned(),
            public_key: key,
            settings: settings.to_string(),
            secrets: seal(unit, &inner, id, BTreeMap::new(), &secrets)?,
            team_id: new.team_id,
            language: new.language.clone().filter(|l| !l.trim().is_empty()),
            required_skills: json!(new.required_skills).to_string(),
            active: new.active,
        };
        check(unit, &row, &new.required_skills)?;
        let at = unit.now();
        rows::insert(unit.tx(), &row, at)?;
        let channel = inner.view(row)?;
        record(unit, id, ConfigAction::Created, Value::Null, logged(&channel)?)?;
        Ok(channel)
    });
    let channel: Channel = created.await?;
    // Read back rather than kept: an answer to the same key again shows the secret that is really there.
    let config = crate::channels::by_id(&state.spine, caller.workspace, channel.id).await?;
    let secret = config.secret(IDENTITY_SECRET).filter(|_| channel.kind == ChannelKind::Webchat);
    let identity_secret = secret.map(|s| s.expose().to_owned());
    Ok((StatusCode::CREATED, Json(CreatedChannel { channel, identity_secret })))
}

/// Changes a channel. Settings that are not given stay.
#[utoipa::path(patch, path = "/api/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    request_body = ChannelChange, responses((status = 200, body = Channel)))]
pub(super) async fn change(
    Of(state): Of<State>,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(change): Json<ChannelChange>,
) -> Result<Json<Channel>> {
    let (inner, access) = (state.clone(), caller.access.clone());
    let done = state.spine.execute(caller.order(), move |unit| {
        let before = managed(unit, &access, id)?;
        let mut row = before.clone();
        apply(unit, &inner, &mut row, &change)?;
        let place = Place { team: row.team_id, channel: id };
        if !access.allows_in(Permission::ChannelsManage, &place) {
            return Err(Rejection::new(Code::MoreThanYouHave).on("team_id").into());
        }
        save(unit, &inner, before, row)
    });
    Ok(Json(done.await?))
}

/// Takes a channel away. One that anything has come or gone by is only switched off: its cases need it.
#[utoipa::path(delete, path = "/api/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 204)))]
pub(super) async fn remove(Of(state): Of<State>, caller: Caller, Path(id): Path<ChannelId>) -> Result<StatusCode> {
    let (inner, access) = (state.clone(), caller.access.clone());
    let done = state.spine.execute(caller.order(), move |unit| {
        let before = managed(unit, &access, id)?;
        let ws = unit.workspace();
        if rows::has_history(unit.tx(), ws, id)? {
            let row = ChannelRow { active: false, ..before.clone() };
            save(unit, &inner, before, row)?;
            return Ok(());
        }
        rows::delete(unit.tx(), ws, id)?;
        let shown = logged(&inner.view(before)?)?;
        record(unit, id, ConfigAction::Deleted, shown, Value::Null)
    });
    done.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new secret for signed identities; the old one is void at once.
#[utoipa::path(post, path = "/api/channels/{id}/identity-secret", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 200, body = IdentitySecret)))]
pub(super) async fn rotate(
    Of(state): Of<State>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<Json<IdentitySecret>> {
    let secret = web::secret::text(state.spine.random());
    let (inner, access, text) = (state.clone(), caller.access.clone(), secret.clone());
    // Not remembered under the request's key: the answer holds a secret.
    let done = state.spine.execute(caller.order_once(), move |unit| {
        let before = managed(unit, &access, id)?;
        if before.kind != ChannelKind::Webchat.as_str() {
            return Err(Rejection::new(Code::Invalid).on("kind").into());
        }
        let mut row = before.clone();
        let new = BTreeMap::from([(IDENTITY_SECRET.to_owned(), Some(text.clone()))]);
        row.secrets = seal(unit, &inner, id, opened(&inner, &before)?, &new)?;
        rows::update(unit.tx(), &row)?;
        let after = json!({ "secret_replaced": IDENTITY_SECRET });
        record(unit, id, ConfigAction::Changed, Value::Null, after)
    });
    done.await?;
    Ok(Json(IdentitySecret { identity_secret: secret }))
}

/// Tries the connections and says what is wrong.
#[utoipa::path(post, path = "/api/channels/{id}/test", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 200, body = Items<Check>)))]
pub(super) async fn test(
    Of(state): Of<State>,
    caller: Caller,
    Path(id): Path<ChannelId>,
) -> Result<Json<Items<Check>>> {
    let row = state.row(&caller, id).await?;
    let config = config(row, state.spine.vault())?;
    Ok(Json(check_channel(&state.spine, &state.protocols, &config).await?.into()))
}

impl State {
    fn view(&self, row: ChannelRow) -> Done<Channel> {
        let config = config(row, self.spine.vault())?;
        let names = self.protocols.get(config.kind)?.secret_fields();
        Ok(Channel::of(config, names))
    }

    async fn row(&self, caller: &Caller, id: ChannelId) -> Result<ChannelRow> {
        let ws = caller.workspace;
        let row = self.spine.db().read(move |r| Ok::<_, Refusal>(rows::one(r, ws, id)?)).await?;
        let row = row.ok_or_else(Problem::not_found)?;
        manages(&caller.access, &row)?;
        Ok(row)
    }
}

fn managed(unit: &mut Unit<'_, '_>, access: &Access, id: ChannelId) -> Done<ChannelRow> {
    let ws = unit.workspace();
    let row = rows::one(unit.tx(), ws, id)?.ok_or(Refusal::NotFound)?;
    manages(access, &row).map_err(|_| Refusal::NotFound)?;
    Ok(row)
}

fn apply(unit: &Unit<'_, '_>, state: &State, row: &mut ChannelRow, change: &ChannelChange) -> Done<()> {
    if let Some(name) = &change.name {
        row.name = name.trim().to_owned();
    }
    if let Some(brand) = &change.brand {
        row.brand = brand.trim().to_owned();
    }
    if let Some(team) = change.team_id {
        row.team_id = team;
    }
    if let Some(language) = &change.language {
        row.language = language.clone().filter(|l| !l.trim().is_empty());
    }
    if let Some(skills) = &change.required_skills {
        row.required_skills = json!(skills).to_string();
    }
    if let Some(active) = change.active {
        row.active = active;
    }
    let Some(given) = &change.settings else { return Ok(()) };
    let kind = kind_of(row)?;
    let protocol = state.protocols.get(kind)?;
    let (given, secrets) = split(given.clone(), protocol.secret_fields())?;
    let mut settings: Value = serde_json::from_str(&row.settings).map_err(Refusal::internal)?;
    if let (Value::Object(settings), Value::Object(given)) = (&mut settings, given) {
        settings.extend(given);
    }
    let settings = protocol.settings(&settings)?;
    row.public_key = public_key(kind, &settings, || row.public_key.clone());
    row.settings = settings.to_string();
    if !secrets.is_empty() {
        row.secrets = seal(unit, state, row.id, opened(state, row)?, &secrets)?;
    }
    Ok(())
}

fn save(unit: &mut Unit<'_, '_>, state: &State, before: ChannelRow, row: ChannelRow) -> Done<Channel> {
    let skills: BTreeSet<SkillId> = serde_json::from_str(&row.required_skills).map_err(Refusal::internal)?;
    check(unit, &row, &skills)?;
    rows::update(unit.tx(), &row)?;
    let secrets_changed = before.secrets != row.secrets;
    let (was, is) = (logged(&state.view(before)?)?, state.view(row)?);
    let mut after = logged(&is)?;
    if let (Value::Object(fields), true) = (&mut after, secrets_changed) {
        fields.insert("secrets_changed".to_owned(), Value::Bool(true));
    }
    if was != after {
        record(unit, is.id, ConfigAction::Changed, was, after)?;
    }
    Ok(is)
}

fn record(unit: &mut Unit<'_, '_>, id: ChannelId, action: ConfigAction, before: Value, after: Value) -> Done<()> {
    let changed = ConfigChanged { object: "channel".to_owned(), id: id.0, action, before, after };
    unit.record(Event::Config(changed), "channel", id.0)
}

/// What every channel must keep to, whatever its kind.
fn check(unit: &mut Unit<'_, '_>, row: &ChannelRow, skills: &BTreeSet<SkillId>) -> Done<()> {
    limits::text_required("name", &row.name, limits::NAME_CHARS)?;
    limits::text_within("brand", &row.brand, limits::NAME_CHARS)?;
    limits::text_within("language", row.language.as_deref().unwrap_or_default(), LANGUAGE_CHARS)?;
    if skills.len() > limits::SKILLS_PER_CASE {
        return Err(Rejection::new(Code::TooMany).with("max", limits::SKILLS_PER_CASE).on("required_skills").into());
    }
    let ws = unit.workspace();
    let unknown = |field: &str| Refusal::from(Rejection::new(Code::UnknownReference).on(field));
    if let Some(team) = row.team_id
        && !team_exists(unit, team)?
    {
        return Err(unknown("team_id"));
    }
    for skill in skills {
        if !rows::skill_exists(unit.tx(), ws, *skill)? {
            return Err(unknown("required_skills"));
        }
    }
    // What comes to this key must have one place to go.
    if row.active && !row.public_key.is_empty() && rows::key_taken(unit.tx(), &row.kind, &row.public_key, row.id)? {
        return Err(Rejection::new(Code::AlreadyExists).on("settings.address").into());
    }
    Ok(())
}

fn team_exists(unit: &mut Unit<'_, '_>, team: TeamId) -> Done<bool> {
    let ws = unit.workspace();
    Ok(moving::team_exists(unit.tx(), ws, team)?)
}

/// A mailbox is known by its address, a widget or form by a random key; the others by their id alone.
fn public_key(kind: ChannelKind, settings: &Value, random: impl FnOnce() -> String) -> String {
    match kind {
        ChannelKind::Email => {
            let address = settings.get("address").and_then(Value::as_str).unwrap_or_default();
            normalise_address(IdentityKind::Email, address)
        }
        ChannelKind::Webchat | ChannelKind::Webform => random(),
        ChannelKind::Api | ChannelKind::Phone | ChannelKind::Counter => String::new(),
    }
}

/// Secrets by name: a new text, or `None` to remove it.
type NewSecrets = BTreeMap<String, Option<String>>;

/// Takes the secrets out of what somebody entered, wherever they are told from settings by name.
fn split(settings: Value, names: &[&str]) -> std::result::Result<(Value, NewSecrets), Rejection> {
    let mut fields = match settings {
        Value::Object(fields) => fields,
        Value::Null => Map::new(),
        _ => return Err(Rejection::new(Code::Invalid).on("settings")),
    };
    let mut secrets = NewSecrets::new();
    for name in names {
        match fields.remove(*name) {
            None => {}
            Some(Value::String(text)) if !text.is_empty() => {
                limits::text_within(&format!("settings.{name}"), &text, limits::NOTE_CHARS)?;
                secrets.insert((*name).to_owned(), Some(text));
            }
            Some(Value::Null | Value::String(_)) => {
                secrets.insert((*name).to_owned(), None);
            }
            Some(_) => return Err(Rejection::new(Code::Invalid).on(format!("settings.{name}"))),
        }
    }
    Ok((Value::Object(fields), secrets))
}

fn opened(state: &State, row: &ChannelRow) -> Done<BTreeMap<String, Secret>> {
    Ok(config(row.clone(), state.spine.vault())?.secrets)
}

/// Seals old and new secrets into one blob for this row. No secrets, no blob.
fn seal(
    unit: &Unit<'_, '_>,
    state: &State,
    id: ChannelId,
    old: BTreeMap<String, Secret>,
    new: &NewSecrets,
) -> Done<Option<Vec<u8>>> {
    let mut all: BTreeMap<String, String> = old.into_iter().map(|(k, v)| (k, v.expose().to_owned())).collect();
    for (name, text) in new {
        match text {
            Some(text) => all.insert(name.clone(), text.clone()),
            None => all.remove(name),
        };
    }
    if all.is_empty() {
        return Ok(None);
    }
    let plain = serde_json::to_vec(&all).map_err(Refusal::internal)?;
    let context = seal_context(unit.workspace(), id);
    state.spine.vault().seal(&context, &plain, unit.random()).map(Some)
}
