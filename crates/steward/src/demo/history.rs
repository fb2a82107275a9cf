//! Two months of enquiries, played in the order of their times.

use super::company::{Company, Person};
use super::{DAYS, Error, ReplayClock};
use crate::assemble::Assembled;
use channel::{ChannelConfig, Inbound, Sender, Thread};
use domain::case::{AssignedBy, Case, CaseCommand, CaseEdit, NewMessage, Priority, Route, Then, WaitingOn};
use domain::customer::{CustomerIdentity, IdentityKind, Level};
use domain::{Actor, CaseId, ChannelKind, ConversationId, MessageId, Span, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use spine::{Order, Randomness, Refusal};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

const SCRIPTS: &str = include_str!("scripts.json");
const CASES: usize = 320;
const CUSTOMERS: usize = 160;

const ZH_SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾";
const ZH_GIVEN: [&str; 24] = [
    "伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
    "秀兰", "霞", "子涵", "雨桐", "思远", "欣怡",
];
const EN_NAMES: [&str; 24] = [
    "Olivia Martin",
    "Noah Williams",
    "Amelia Jones",
    "George Taylor",
    "Isla Davies",
    "Arthur Evans",
    "Freya Thomas",
    "Muhammad Khan",
    "Ava Johnson",
    "Leo Roberts",
    "Sophie Walker",
    "Oscar Wright",
    "Grace Robinson",
    "Henry Thompson",
    "Maya Patel",
    "Lucas Meyer",
    "Hannah Schmidt",
    "Camille Laurent",
    "Ingrid Larsen",
    "Tomás García",
    "Chloe Nguyen",
    "Ethan O'Connor",
    "Priya Sharma",
    "Bartholomew Featherstonehaugh-Cholmondeley",
];
const CITIES: [&str; 8] = ["杭州", "上海", "成都", "武汉", "深圳", "西安", "苏州", "沈阳"];
const ZH_COMPANIES: [&str; 3] = ["杭州启明科技有限公司", "成都蓝桥教育咨询有限公司", "上海沐光餐饮管理有限公司"];
const EN_COMPANIES: [&str; 3] = ["Harbour & Finch Ltd", "Nordlicht Studio GmbH", "Bright Lane Architects"];

#[derive(Debug, Clone, Deserialize)]
struct Script {
    lang: String,
    kind: String,
    reason: String,
    subject: String,
    tags: BTreeSet<String>,
    /// Who (c customer, a agent, n note), text, minutes after the turn before.
    turns: Vec<(String, String, i64)>,
    end: String,
}

#[derive(Debug, Clone)]
struct Who {
    name: String,
    lang: &'static str,
    identities: Vec<CustomerIdentity>,
}

struct Dice(Arc<dyn Randomness>);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(u64::from_le_bytes(bytes) % bound).unwrap_or(0)
    }
    fn pick<'a, T>(&self, list: &'a [T]) -> Result<&'a T, Error> {
        list.get(self.below(list.len())).ok_or_else(|| Error::Script("an empty list".to_owned()))
    }
}

/// One case being played.
struct Play {
    script: Script,
    customer: Who,
    agent: usize,
    values: BTreeMap<&'static str, String>,
    next: usize,
    key: String,
    case: Option<(CaseId, ConversationId)>,
    last_message: Option<Timestamp>,
}

pub(super) async fn play(
    assembled: &Assembled,
    company: &Company,
    clock: &ReplayClock,
    now: Timestamp,
) -> Result<(), Error> {
    let dice = Dice(assembled.spine.edges().random.clone());
    let scripts: Vec<Script> = serde_json::from_str(SCRIPTS).map_err(|e| Error::Script(e.to_string()))?;
    let configs = configs(assembled, company).await?;
    let customers = (0..CUSTOMERS).map(|n| customer(&dice, n)).collect::<Result<Vec<_>, _>>()?;
    let mut plays = Vec::new();
    let mut agenda: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
    for index in 0..CASES {
        let script = dice.pick(&scripts)?.clone();
        let suitable: Vec<&Who> = customers.iter().filter(|c| c.lang == script.lang).collect();
        let customer = (*dice.pick(&suitable)?).clone();
        let agents: Vec<usize> = speakers(&company.people, &script.lang);
        let agent = *dice.pick(&agents)?;
        let values = values(&dice, &customer, company.people.get(agent))?;
        let key = format!("demo-{index}");
        plays.push(Play { script, customer, agent, values, next: 0, key, case: None, last_message: None });
        agenda.push(Reverse((opening_time(&dice, now, index), index)));
    }
    while let Some(Reverse((at, index))) = agenda.pop() {
        if at >= now {
            continue;
        }
        clock.set(at);
        let Some(play) = plays.get_mut(index) else { continue };
        if let Some(next) = step(assembled, company, &configs, play, &dice, (at, now)).await? {
            agenda.push(Reverse((next, index)));
        }
        assembled.spine.run_due().await?;
    }
    Ok(())
}

/// More in recent weeks, in daytime, fewer at weekends; the last dozen are of the past hours.
fn opening_time(dice: &Dice, now: Timestamp, index: usize) -> Timestamp {
    if index < 14 {
        return now - Span::minutes(i64::try_from(4 + dice.below(240)).unwrap_or(4));
    }
    let days = dice.below(DAYS as usize).min(dice.below(DAYS as usize) + 12);
    let day = now - Span::days(i64::try_from(days).unwrap_or(0));
    let minutes = 60 + dice.below(780) + dice.below(300);
    day - Span::minutes(i64::try_from(minutes).unwrap_or(60))
}

fn speakers(people: &[Person], lang: &str) -> Vec<usize> {
    people.iter().enumerate().filter(|(_, p)| p.languages.contains(&lang)).map(|(i, _)| i).collect()
}

fn customer(dice: &Dice, n: usize) -> Result<Who, Error> {
    let zh = !n.is_multiple_of(3);
    let surnames: Vec<char> = ZH_SURNAMES.chars().collect();
    let (name, lang) = if zh {
        (format!("{}{}", dice.pick(&surnames)?, dice.pick(&ZH_GIVEN)?), "zh")
    } else {
        ((*dice.pick(&EN_NAMES)?).to_owned(), "en")
    };
    let mail = format!("customer{n}@{}", if zh { "mail.cn.example" } else { "mail.example" });
    let phone =
        if zh { format!("138{:08}", 10_000_000 + n * 7_919) } else { format!("+4477{:08}", 10_000_000 + n * 6_151) };
    let level = if n.is_multiple_of(4) { Level::Verified } else { Level::Channel };
    let identities = vec![
        CustomerIdentity { kind: IdentityKind::Email, address: mail, level },
        CustomerIdentity { kind: IdentityKind::Phone, address: phone, level: Level::Channel },
    ];
    Ok(Who { name, lang, identities })
}

fn values(dice: &Dice, customer: &Who, agent: Option<&Person>) -> Result<BTreeMap<&'static str, String>, Error> {
    let companies = if customer.lang == "zh" { &ZH_COMPANIES } else { &EN_COMPANIES };
    Ok(BTreeMap::from([
        ("{customer}", customer.name.clone()),
        ("{agent}", agent.map(|a| a.name.to_owned()).unwrap_or_default()),
        ("{order}", format!("YS2026{:08}", dice.below(99_999_999))),
        ("{amount}", format!("{}.{:02}", 39 + dice.below(960), dice.below(100))),
        ("{city}", (*dice.pick(&CITIES)?).to_owned()),
        ("{company}", (*dice.pick(companies)?).to_owned()),
        ("{digits}", format!("{:06}", dice.below(999_999))),
        ("{digits4}", format!("{:04}", dice.below(9_999))),
    ]))
}

fn fill(text: &str, values: &BTreeMap<&'static str, String>) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

async fn configs(assembled: &Assembled, company: &Company) -> Result<BTreeMap<String, ChannelConfig>, Error> {
    let mut configs = BTreeMap::new();
    for (key, id) in &company.channels {
        let config = conversations::channels::by_id(&assembled.spine, company.workspace, *id).await?;
        configs.insert(key.clone(), config);
    }
    Ok(configs)
}

/// Plays one turn; answers when the next one is, if there is one.
async fn step(
    assembled: &Assembled,
    company: &Company,
    configs: &BTreeMap<String, ChannelConfig>,
    play: &mut Play,
    dice: &Dice,
    (at, now): (Timestamp, Timestamp),
) -> Result<Option<Timestamp>, Error> {
    let Some((who, text, _)) = play.script.turns.get(play.next).cloned() else {
        finish(assembled, company, play, at < now - Span::days(3)).await?;
        return Ok(None);
    };
    let text = fill(&text, &play.values);
    match who.as_str() {
        "c" => {
            let channel = format!("{}:{}", play.script.lang, play.script.kind);
            let config = configs.get(&channel).ok_or_else(|| Error::Script(format!("no channel {channel}")))?;
            let inbound = inbound(assembled, play, config, text, at);
            let received = conversations::receive(&assembled.spine, config, inbound).await?;
            if play.case.is_none() {
                classify(assembled, company, play, received.case, dice).await?;
            }
            play.case = Some((received.case, received.conversation));
        }
        _ => speak(assembled, company, play, text, who == "n", at).await?,
    }
    play.last_message = Some(at);
    play.next += 1;
    let pause = match play.script.turns.get(play.next) {
        Some((_, _, minutes)) => (*minutes).max(1) * i64::try_from(60 + dice.below(90)).unwrap_or(60),
        None => i64::try_from(60 + dice.below(2_400)).unwrap_or(60),
    };
    Ok(Some(at + Span::seconds(pause)))
}

fn inbound(assembled: &Assembled, play: &Play, config: &ChannelConfig, text: String, at: Timestamp) -> Inbound {
    let wanted = |i: &CustomerIdentity| match config.kind {
        ChannelKind::Email | ChannelKind::Webform => i.kind == IdentityKind::Email,
        // Who chats tells no mail address: otherwise every answer of the past would also leave as a follow-up mail.
        _ => i.kind == IdentityKind::Phone,
    };
    let identities: Vec<_> = play.customer.identities.iter().filter(|i| wanted(i)).cloned().collect();
    let subject = fill(&play.script.subject, &play.values);
    let meta = match config.kind {
        ChannelKind::Email => {
            let (from, to) = (identities.first().map(|i| i.address.clone()), config.settings.get("address"));
            json!({"from": from, "to": [to], "cc": [], "subject": subject})
        }
        _ => Value::Object(serde_json::Map::new()),
    };
    Inbound {
        message: assembled.spine.next_id::<MessageId>(),
        inbox: None,
        sender: Sender { name: play.customer.name.clone(), identities, customer: None },
        thread: Thread::Key(play.key.clone()),
        participants: Vec::new(),
        subject,
        text,
        html: None,
        quoted: String::new(),
        files: Vec::new(),
        uploads: Vec::new(),
        sent_at: at,
        automatic: false,
        language: Some(play.script.lang.clone()),
        priority: Priority::Normal,
        reason: None,
        meta,
        message_ids: Vec::new(),
    }
}

async fn classify(
    assembled: &Assembled,
    company: &Company,
    play: &Play,
    case: CaseId,
    dice: &Dice,
) -> Result<(), Error> {
    let tags = play.script.tags.clone();
    let urgent = tags.contains("加急") || tags.contains("vip");
    let complaint = tags.contains("投诉") || tags.contains("complaint");
    let priority = match (urgent, complaint, dice.below(12)) {
        (true, _, _) => Some(Priority::Urgent),
        (_, true, _) => Some(Priority::High),
        (_, _, 0) => Some(Priority::Low),
        _ => None,
    };
    let reason = company.reasons.get(&play.script.reason).copied().map(Some);
    let edit = CaseEdit { tags: Some(tags), reason, priority, ..CaseEdit::default() };
    command(assembled, company, Actor::System, case, CaseCommand::Edit(edit)).await
}

async fn speak(
    assembled: &Assembled,
    company: &Company,
    play: &Play,
    text: String,
    note: bool,
    at: Timestamp,
) -> Result<(), Error> {
    let (Some((case, conversation)), Some(agent)) = (play.case, company.people.get(play.agent)) else { return Ok(()) };
    let team = company.teams.get(agent.team).copied();
    let assign = CaseCommand::Assign { team, assignee: Some(agent.id), by: AssignedBy::Person, note: String::new() };
    command(assembled, company, Actor::Agent(agent.id), case, assign).await?;
    let message = NewMessage {
        id: assembled.spine.next_id(),
        conversation,
        sent_at: at,
        author_name: agent.name.to_owned(),
        automatic: false,
        text,
        html: None,
        quoted: String::new(),
        meta: Value::Object(serde_json::Map::new()),
        attachments: Vec::new(),
        inbox: None,
        references: Vec::new(),
    };
    let said = if note {
        CaseCommand::Note { message, mentions: Vec::new() }
    } else {
        CaseCommand::Reply { message, route: Route::Direct, then: Then::Stay, seen_at: None, force: true }
    };
    command(assembled, company, Actor::Agent(agent.id), case, said).await
}

/// Leaves the case as its script says.
async fn finish(assembled: &Assembled, company: &Company, play: &Play, old: bool) -> Result<(), Error> {
    let (Some((case, _)), Some(agent)) = (play.case, company.people.get(play.agent)) else { return Ok(()) };
    let end = match play.script.end.as_str() {
        // A shop like this one leaves nothing lying about for weeks.
        _ if old => CaseCommand::Solve,
        "solved" => CaseCommand::Solve,
        "waiting" => CaseCommand::SetWaiting { on: WaitingOn::Customer, reason: String::new() },
        "waiting_third" => {
            let reason = if play.script.lang == "zh" { "等待网点反馈" } else { "Waiting for the carrier" };
            CaseCommand::SetWaiting { on: WaitingOn::ThirdParty, reason: reason.to_owned() }
        }
        _ => return Ok(()),
    };
    command(assembled, company, Actor::Agent(agent.id), case, end).await
}

async fn command(
    assembled: &Assembled,
    company: &Company,
    actor: Actor,
    case: CaseId,
    command: CaseCommand,
) -> Result<(), Error> {
    let order = Order::new(company.workspace, actor);
    let done = assembled.spine.execute(order, move |unit| unit.decide::<Case>(case, command.clone()).map(|_| ())).await;
    match done {
        // A case that closed by its timer takes no more turns; that is its story.
        Err(Refusal::Rejected(_)) | Ok(()) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
