//! The demo company as its owner would set it up, through the public routes.

use super::Error;
use super::local::Caller;
use crate::assemble::Assembled;
use config::Settings;
use domain::{ChannelId, ReasonId, TeamId, UserId, WorkspaceId};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Password of everybody in the demo company.
pub const PASSWORD: &str = "steward-demo-2026";

/// A person of the demo company.
pub(super) struct Person {
    pub(super) id: UserId,
    pub(super) name: &'static str,
    pub(super) languages: &'static [&'static str],
    pub(super) team: &'static str,
}

/// What was founded.
pub(super) struct Company {
    pub(super) workspace: WorkspaceId,
    pub(super) teams: BTreeMap<&'static str, TeamId>,
    pub(super) people: Vec<Person>,
    pub(super) channels: BTreeMap<String, ChannelId>,
    pub(super) reasons: BTreeMap<String, ReasonId>,
}

struct Role {
    name: &'static str,
    email: &'static str,
    role: &'static str,
    team: &'static str,
    languages: &'static [&'static str],
}

const OWNER: (&str, &str) = ("陈静", "owner@demo.example");

const PEOPLE: [Role; 9] = [
    Role { name: "李晓雯", email: "li@demo.example", role: "agent", team: "华东服务组", languages: &["zh"] },
    Role { name: "王浩", email: "wang@demo.example", role: "agent", team: "华东服务组", languages: &["zh"] },
    Role {
        name: "赵敏", email: "zhao@demo.example", role: "agent", team: "华东服务组", languages: &["zh", "en"]
    },
    Role { name: "刘洋", email: "liu@demo.example", role: "agent", team: "售后组", languages: &["zh"] },
    Role { name: "Emma Clarke", email: "emma@demo.example", role: "agent", team: "International", languages: &["en"] },
    Role {
        name: "Daniel Ng",
        email: "daniel@demo.example",
        role: "agent",
        team: "International",
        languages: &["en", "zh"],
    },
    Role {
        name: "周琳", email: "zhou@demo.example", role: "supervisor", team: "华东服务组", languages: &["zh", "en"]
    },
    Role { name: "孙倩", email: "sun@demo.example", role: "inspector", team: "售后组", languages: &["zh"] },
    Role {
        name: "Olivia Brown",
        email: "olivia@demo.example",
        role: "observer",
        team: "International",
        languages: &["en"],
    },
];

const TEAMS: [(&str, &str); 3] = [
    ("华东服务组", "售前咨询与订单服务"),
    ("售后组", "退换货、维修与投诉"),
    ("International", "Customers outside China, in English"),
];

const SKILLS: [&str; 4] = ["退款审核", "家电维修", "企业采购", "Complaints"];

/// Key, parent, Chinese, English.
const REASONS: [(&str, &str, &str, &str); 21] = [
    ("order", "", "订单", "Orders"),
    ("order.cancel", "order", "取消订单", "Cancel an order"),
    ("logistics", "", "物流", "Delivery"),
    ("logistics.where", "logistics", "查询物流", "Where is my parcel"),
    ("logistics.damaged", "logistics", "包裹破损", "Damaged on arrival"),
    ("logistics.address", "logistics", "修改地址", "Change address"),
    ("aftersales", "", "售后", "After-sales"),
    ("refund.progress", "aftersales", "退款进度", "Refund progress"),
    ("return.exchange", "aftersales", "退换货", "Return or exchange"),
    ("repair", "aftersales", "维修", "Repair"),
    ("presales", "", "售前", "Before buying"),
    ("product.size", "presales", "尺码选择", "Size advice"),
    ("product.use", "presales", "使用咨询", "How to use"),
    ("promotion", "presales", "优惠活动", "Promotions"),
    ("b2b", "presales", "企业采购", "Business purchase"),
    ("account", "", "账户与发票", "Account and invoices"),
    ("account.login", "account", "登录问题", "Sign-in trouble"),
    ("invoice", "account", "发票", "Invoices"),
    ("feedback", "", "投诉与建议", "Complaints and suggestions"),
    ("complaint.quality", "feedback", "质量投诉", "Complaint about quality"),
    ("complaint.service", "feedback", "服务投诉", "Complaint about service"),
];
const LAST_REASON: (&str, &str, &str, &str) = ("suggestion", "feedback", "建议", "Suggestion");

const CANNED: [(&str, &str, &str, &str); 8] = [
    ("hi", "问候", "zh", "{{customer.name}}您好，我是客服{{agent.name}}，很高兴为您服务，请问有什么可以帮您？"),
    ("wait", "请稍等", "zh", "好的，我马上为您核实，请您稍等一下。"),
    ("refund", "退款时效", "zh", "退款已提交，原路退回，一般1-3个工作日到账，节假日可能顺延，到账后会有短信通知。"),
    ("sorry", "致歉", "zh", "非常抱歉给您带来不便，您反映的问题（工单{{case.number}}）我已记录并会跟进到底。"),
    ("bye", "结束语", "zh", "感谢您的咨询，祝您生活愉快！如有问题随时联系我们。"),
    ("hello", "Greeting", "en", "Hi {{customer.name}}, this is {{agent.name}} from {{company.name}}. How can I help?"),
    (
        "track",
        "Tracking",
        "en",
        "I've checked your parcel and will keep an eye on it. You'll hear from me as soon as it moves (case {{case.number}}).",
    ),
    ("thanks", "Closing", "en", "Thanks for getting in touch, and have a good day!"),
];

/// Kind, language, name, address.
const CHANNELS: [(&str, &str, &str, &str); 10] = [
    ("webchat", "zh", "官网在线客服", ""),
    ("webchat", "en", "Global web chat", ""),
    ("email", "zh", "售后邮箱", "service@yunshan.example"),
    ("email", "en", "Support mailbox", "support@spruce.example"),
    ("webform", "zh", "联系表单", ""),
    ("webform", "en", "Contact form", ""),
    ("phone", "zh", "400 热线", ""),
    ("phone", "en", "UK hotline", ""),
    ("counter", "zh", "门店服务台", ""),
    ("api", "en", "Partner app", ""),
];

/// Name, sign-in and role of everybody, for the console.
#[must_use]
pub fn sign_ins() -> Vec<(&'static str, &'static str, &'static str)> {
    let owner = (OWNER.0, OWNER.1, "owner");
    std::iter::once(owner).chain(PEOPLE.iter().map(|p| (p.name, p.email, p.role))).collect()
}

pub(super) async fn found(assembled: &Assembled, settings: &Settings, mail: u16) -> Result<Company, Error> {
    let mut owner = Caller::new(&assembled.router);
    let me = owner
        .post(
            "/api/setup",
            json!({"company": "云杉优选 Spruce & Co.", "name": OWNER.0, "email": OWNER.1, "password": PASSWORD,
                "locale": "zh-CN", "time_zone": "Asia/Shanghai"}),
        )
        .await?;
    let workspace = id(&me, "/workspace/id")?;
    let teams = teams(&mut owner).await?;
    let people = people(assembled, &mut owner, &teams).await?;
    let channels = channels(&mut owner, &teams, (settings, mail)).await?;
    let reasons = reasons(&mut owner).await?;
    for (shortcut, title, language, body) in CANNED {
        let reply = json!({"shortcut": shortcut, "title": title, "language": language, "team_id": null, "body": body});
        owner.post("/api/canned", reply).await?;
    }
    for (name, filter) in [
        ("加急 Urgent", json!({"all": [{"priority": ["high", "urgent"]}, {"status": ["new", "open", "waiting"]}]})),
        ("投诉 Complaints", json!({"any": [{"tag": "投诉"}, {"tag": "complaint"}]})),
        ("邮件待回复 Mail to answer", json!({"all": [{"channel_kind": ["email"]}, {"unanswered": true}]})),
    ] {
        owner
            .post(
                "/api/views",
                json!({"name": name, "scope": "shared", "team_id": null, "filter": filter, "sort": "waiting"}),
            )
            .await?;
    }
    Ok(Company { workspace, teams, people, channels, reasons })
}

async fn teams(owner: &mut Caller) -> Result<BTreeMap<&'static str, TeamId>, Error> {
    let mut teams = BTreeMap::new();
    for (name, description) in TEAMS {
        let team = owner.post("/api/teams", json!({"name": name, "description": description})).await?;
        teams.insert(name, id(&team, "/id")?);
    }
    for name in SKILLS {
        owner.post("/api/skills", json!({"name": name})).await?;
    }
    Ok(teams)
}

async fn people(
    assembled: &Assembled,
    owner: &mut Caller,
    teams: &BTreeMap<&'static str, TeamId>,
) -> Result<Vec<Person>, Error> {
    let roles = owner.get("/api/roles").await?;
    let role_id = |key: &str| {
        let items = roles.pointer("/items").and_then(Value::as_array);
        let found = items.and_then(|i| i.iter().find(|r| r.get("key").and_then(Value::as_str) == Some(key)));
        found.and_then(|r| r.get("id")).cloned().ok_or_else(|| Error::Script(format!("no role {key}")))
    };
    let mut people = Vec::new();
    for person in PEOPLE {
        let team = teams.get(person.team).map(ToString::to_string);
        let invitation = json!({"email": person.email, "name": person.name, "roles": [{"role": role_id(person.role)?}],
            "teams": [team], "languages": person.languages});
        let invited = owner.post("/api/invitations", invitation).await?;
        let link = invited.pointer("/link").and_then(Value::as_str).unwrap_or_default();
        let token = link.rsplit(['/', '=']).next().unwrap_or_default();
        let mut newcomer = Caller::new(&assembled.router);
        let acceptance = json!({"token": token, "name": person.name, "password": PASSWORD});
        let me = newcomer.post("/api/invitations/accept", acceptance).await?;
        let (locale, closing) =
            if person.team == "International" { ("en", "Kind regards") } else { ("zh-CN", "此致\n敬礼") };
        let signature = format!("{closing}\n{}\n云杉优选 Spruce & Co.", person.name);
        newcomer.patch("/api/me", json!({"locale": locale, "signature": signature})).await?;
        if matches!(person.role, "agent" | "supervisor") {
            let (name, languages, team) = (person.name, person.languages, person.team);
            people.push(Person { id: id(&me, "/id")?, name, languages, team });
        }
    }
    Ok(people)
}

async fn channels(
    owner: &mut Caller,
    teams: &BTreeMap<&'static str, TeamId>,
    (settings, mail): (&Settings, u16),
) -> Result<BTreeMap<String, ChannelId>, Error> {
    let mut channels = BTreeMap::new();
    for (kind, language, name, address) in CHANNELS {
        let zh = language == "zh";
        let team = match (zh, kind) {
            (false, _) => "International",
            (true, "webchat" | "phone") => "华东服务组",
            (true, _) => "售后组",
        };
        let brand = if zh { "云杉优选" } else { "Spruce & Co." };
        let channel = json!({"kind": kind, "name": name, "brand": brand, "team_id": teams.get(team), "language": language,
            "required_skills": [], "settings": channel_settings(kind, zh, address, (settings, mail)), "active": true});
        let channel = owner.post("/api/channels", channel).await?;
        channels.insert(format!("{language}:{kind}"), id(&channel, "/id")?);
    }
    Ok(channels)
}

fn channel_settings(kind: &str, zh: bool, address: &str, (settings, mail): (&Settings, u16)) -> Value {
    match kind {
        "email" => {
            let smtp = json!({"host": "127.0.0.1", "port": mail, "security": "none", "user": ""});
            let display_name = if zh { "云杉优选客服" } else { "Spruce & Co. Support" };
            json!({"address": address, "display_name": display_name, "imap": null, "smtp": smtp, "receive": "smtp",
                "signature": "", "autoreply": false})
        }
        "webchat" => {
            let local = format!("http://localhost:{}", settings.listen.port());
            json!({"origins": [format!("http://{}", settings.listen), local], "color": "#0f766e",
                "greeting_zh": "您好，欢迎光临云杉优选！请问有什么可以帮您？",
                "greeting_en": "Hello! How can we help?", "ask_email": true})
        }
        "webform" => json!({"title_zh": "联系我们", "title_en": "Contact us"}),
        "api" => json!({"outbound_url": null}),
        _ => json!({}),
    }
}

async fn reasons(owner: &mut Caller) -> Result<BTreeMap<String, ReasonId>, Error> {
    let mut reasons: BTreeMap<String, ReasonId> = BTreeMap::new();
    for (position, (key, parent, zh, en)) in REASONS.into_iter().chain([LAST_REASON]).enumerate() {
        let parent_id = reasons.get(parent).map(ToString::to_string);
        let reason = json!({"parent_id": parent_id, "name_zh": zh, "name_en": en, "required_skills": [], "active": true, "position": position});
        let reason = owner.post("/api/reasons", reason).await?;
        reasons.insert(key.to_owned(), id(&reason, "/id")?);
    }
    Ok(reasons)
}

fn id<T: std::str::FromStr>(value: &Value, pointer: &str) -> Result<T, Error> {
    let text = value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    text.parse().map_err(|_| Error::Script(format!("no id at {pointer} in {value}")))
}
