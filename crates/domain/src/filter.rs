//! The filters of views: a closed tree, never text. It has two meanings that must agree (a property test of
//! feature `cases` compares them): [`matches`] here, and the SQL predicate that feature compiles it to.
//! Every test is two-valued: a case without a reason is "not reason X", nothing is ever unknown.

use crate::case::{CaseState, Priority};
use crate::channel::ChannelKind;
use crate::ids::{ChannelId, CustomerId, ReasonId, TeamId, UserId};
use crate::limits;
use crate::rejection::{Code, Rejection};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A status as a filter names it, without the data the state carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusKey {
    New,
    Open,
    Waiting,
    Snoozed,
    Solved,
    Closed,
}

impl StatusKey {
    pub const ALL: [Self; 6] = [Self::New, Self::Open, Self::Waiting, Self::Snoozed, Self::Solved, Self::Closed];

    /// The same number as [`crate::case::Status::rank`].
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::New => 0,
            Self::Open => 1,
            Self::Waiting => 2,
            Self::Snoozed => 3,
            Self::Solved => 4,
            Self::Closed => 5,
        }
    }
}

/// Whose case. `"me"`, `"none"` or an id on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Me,
    Nobody,
    User(UserId),
}

/// Which team's case. `"mine"`, `"none"` or an id on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Mine,
    Nobody,
    Team(TeamId),
}

/// A view's condition. `{"all":[{"status":["open"]},{"assignee":"me"}]}` on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(no_recursion)]
pub enum Filter {
    /// Every one of them; an empty list is always true.
    All(Vec<Self>),
    /// At least one of them; an empty list is never true.
    Any(Vec<Self>),
    Not(Box<Self>),
    Status(Vec<StatusKey>),
    Assignee(#[schema(inline)] Who),
    Team(#[schema(inline)] Whose),
    Priority(Vec<Priority>),
    ChannelKind(Vec<ChannelKind>),
    Channel(ChannelId),
    Reason(ReasonId),
    Tag(String),
    Customer(CustomerId),
    /// Whether a customer's message waits for an answer.
    Unanswered(bool),
    /// A language with all its regions: `zh` holds for `zh-CN`.
    Language(String),
    /// Somewhere in number, subject, customer, or messages; upper and lower case are the same.
    Text(String),
    OpenedAfter(Timestamp),
    OpenedBefore(Timestamp),
}

/// What a filter looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub case: &'a CaseState,
    /// Customer's name and addresses, texts of the messages. Number and subject come from the case.
    pub texts: &'a [String],
}

/// Who asks: the meaning of "me" and "mine".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    /// `None` for an API token, which is nobody's "me".
    pub user: Option<UserId>,
    pub teams: BTreeSet<TeamId>,
}

impl Filter {
    /// Reads a filter from JSON and checks its limits.
    ///
    /// # Errors
    /// `invalid_filter` if it is no filter, or is too deep, too large, or has an empty or too long list or text.
    pub fn parse(json: &str) -> Result<Self, Rejection> {
        let filter: Self = serde_json::from_str(json).map_err(|_| Rejection::new(Code::InvalidFilter).on("filter"))?;
        filter.check()?;
        Ok(filter)
    }

    /// Checks depth, number of nodes and the lengths of lists and texts.
    ///
    /// # Errors
    /// `invalid_filter` on field `filter`, with the limit that was passed.
    pub fn check(&self) -> Result<(), Rejection> {
        let mut nodes = 0;
        self.check_at(1, &mut nodes)
    }

    fn check_at(&self, depth: usize, nodes: &mut usize) -> Result<(), Rejection> {
        *nodes += 1;
        if depth > limits::FILTER_DEPTH {
            return Err(refused("max_depth", limits::FILTER_DEPTH));
        }
        if *nodes > limits::FILTER_NODES {
            return Err(refused("max_nodes", limits::FILTER_NODES));
        }
        match self {
            Self::All(children) | Self::Any(children) => {
                children.iter().try_for_each(|child| child.check_at(depth + 1, nodes))
            }
            Self::Not(child) => child.check_at(depth + 1, nodes),
            Self::Status(list) => list_within(list.len()),
            Self::Priority(list) => list_within(list.len()),
            Self::ChannelKind(list) => list_within(list.len()),
            Self::Tag(text) | Self::Language(text) | Self::Text(text) => text_within(text),
            Self::Assignee(_)
            | Self::Team(_)
            | Self::Channel(_)
            | Self::Reason(_)
            | Self::Customer(_)
            | Self::Unanswered(_)
            | Self::OpenedAfter(_)
            | Self::OpenedBefore(_) => Ok(()),
        }
    }
}

fn refused(key: &'static str, max: usize) -> Rejection {
    Rejection::new(Code::InvalidFilter).with(key, max).on("filter")
}

fn list_within(len: usize) -> Result<(), Rejection> {
    if (1..=limits::FILTER_LIST).contains(&len) { Ok(()) } else { Err(refused("max_list", limits::FILTER_LIST)) }
}

fn text_within(text: &str) -> Result<(), Rejection> {
    let fits = !text.trim().is_empty() && text.chars().count() <= limits::FILTER_TEXT_CHARS && !text.contains('\0');
    if fits { Ok(()) } else { Err(refused("max_chars", limits::FILTER_TEXT_CHARS)) }
}

/// Whether a case belongs into the view.
#[must_use]
pub fn matches(filter: &Filter, facts: &Facts<'_>, viewer: &Viewer) -> bool {
    let case = facts.case;
    match filter {
        Filter::All(children) => children.iter().all(|child| matches(child, facts, viewer)),
        Filter::Any(children) => children.iter().any(|child| matches(child, facts, viewer)),
        Filter::Not(child) => !matches(child, facts, viewer),
        Filter::Status(list) => list.iter().any(|key| key.rank() == case.status.rank()),
        Filter::Assignee(Who::Me) => case.assignee.is_some() && case.assignee == viewer.user,
        Filter::Assignee(Who::Nobody) => case.assignee.is_none(),
        Filter::Assignee(Who::User(user)) => case.assignee == Some(*user),
        Filter::Team(Whose::Mine) => case.team.is_some_and(|team| viewer.teams.contains(&team)),
        Filter::Team(Whose::Nobody) => case.team.is_none(),
        Filter::Team(Whose::Team(team)) => case.team == Some(*team),
        Filter::Priority(list) => list.contains(&case.priority),
        Filter::ChannelKind(list) => list.contains(&case.channel_kind),
        Filter::Channel(channel) => case.channel == *channel,
        Filter::Reason(reason) => case.reason == Some(*reason),
        Filter::Tag(tag) => case.tags.contains(&normalise_tag(tag)),
        Filter::Customer(customer) => case.customer == *customer,
        Filter::Unanswered(wanted) => case.waiting_since.is_some() == *wanted,
        Filter::Language(language) => case.language.as_deref().is_some_and(|have| speaks(have, language)),
        Filter::Text(text) => has_text(facts, text),
        Filter::OpenedAfter(time) => case.opened_at > *time,
        Filter::OpenedBefore(time) => case.opened_at < *time,
    }
}

/// The form in which tags are stored and compared.
#[must_use]
pub fn normalise_tag(tag: &str) -> String {
    tag.trim().to_lowercase()
}

/// `zh` is spoken by `zh` and `zh-CN`, not by `zhx`.
fn speaks(have: &str, wanted: &str) -> bool {
    let (have, wanted) = (have.to_ascii_lowercase(), wanted.trim().to_ascii_lowercase());
    have.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn has_text(facts: &Facts<'_>, text: &str) -> bool {
    let needle = text.trim().to_lowercase();
    let number = needle.trim_start_matches('#').parse::<i64>();
    number == Ok(facts.case.number)
        || facts.case.subject.to_lowercase().contains(&needle)
        || facts.texts.iter().any(|hay| hay.to_lowercase().contains(&needle))
}

impl utoipa::PartialSchema for Who {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <String as utoipa::PartialSchema>::schema()
    }
}

impl utoipa::ToSchema for Who {}

impl utoipa::PartialSchema for Whose {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <String as utoipa::PartialSchema>::schema()
    }
}

impl utoipa::ToSchema for Whose {}

impl Serialize for Who {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Me => serializer.serialize_str("me"),
            Self::Nobody => serializer.serialize_str("none"),
            Self::User(id) => serializer.collect_str(id),
        }
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "me" => Ok(Self::Me),
            "none" => Ok(Self::Nobody),
            id => id.parse().map(Self::User).map_err(serde::de::Error::custom),
        }
    }
}

impl Serialize for Whose {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Mine => serializer.serialize_str("mine"),
            Self::Nobody => serializer.serialize_str("none"),
            Self::Team(id) => serializer.collect_str(id),
        }
    }
}

impl<'de> Deserialize<'de> for Whose {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "mine" => Ok(Self::Mine),
            "none" => Ok(Self::Nobody),
            id => id.parse().map(Self::Team).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Status, WaitingOn};
    use std::collections::BTreeMap;
    use uuid::Uuid;

    fn case() -> CaseState {
        CaseState {
            number: 1042,
            customer: CustomerId(Uuid::from_u128(1)),
            channel: ChannelId(Uuid::from_u128(2)),
            channel_kind: ChannelKind::Email,
            subject: "Parcel 迟到 Again".into(),
            preview: String::new(),
            status: Status::Waiting { on: WaitingOn::Customer, reason: String::new() },
            priority: Priority::High,
            team: Some(TeamId(Uuid::from_u128(3))),
            assignee: Some(UserId(Uuid::from_u128(4))),
            reason: None,
            language: Some("zh-CN".into()),
            tags: ["vip".to_owned()].into(),
            required_skills: BTreeSet::new(),
            conversations: Vec::new(),
            outgoing: BTreeMap::new(),
            opened_at: Timestamp::from_micros(1_000_000),
            updated_at: Timestamp::from_micros(1_000_000),
            last_message_at: Timestamp::from_micros(1_000_000),
            waiting_since: None,
            first_response_at: None,
            last_answer: None,
            solved_at: None,
            closed_at: None,
            reopened: 0,
        }
    }

    fn check(json: &str, expect: bool) {
        let viewer = Viewer { user: Some(UserId(Uuid::from_u128(4))), teams: [TeamId(Uuid::from_u128(3))].into() };
        let texts = ["王芳".to_owned(), "Where is my ORDER?".to_owned()];
        let facts = Facts { case: &case(), texts: &texts };
        let filter = Filter::parse(json).unwrap();
        assert_eq!(matches(&filter, &facts, &viewer), expect, "{json}");
        let again = serde_json::to_string(&filter).unwrap();
        assert_eq!(Filter::parse(&again).unwrap(), filter, "{again}");
    }

    #[test]
    fn each_kind_of_condition() {
        check(r#"{"all":[]}"#, true);
        check(r#"{"any":[]}"#, false);
        check(r#"{"not":{"any":[]}}"#, true);
        check(r#"{"status":["open","waiting"]}"#, true);
        check(r#"{"status":["new"]}"#, false);
        check(r#"{"assignee":"me"}"#, true);
        check(r#"{"assignee":"none"}"#, false);
        check(r#"{"assignee":"00000000-0000-0000-0000-000000000004"}"#, true);
        check(r#"{"team":"mine"}"#, true);
        check(r#"{"team":"none"}"#, false);
        check(r#"{"priority":["urgent","high"]}"#, true);
        check(r#"{"channel_kind":["webchat"]}"#, false);
        check(r#"{"channel":"00000000-0000-0000-0000-000000000002"}"#, true);
        check(r#"{"not":{"reason":"00000000-0000-0000-0000-000000000009"}}"#, true);
        check(r#"{"tag":"VIP"}"#, true);
        check(r#"{"unanswered":false}"#, true);
        check(r#"{"language":"zh"}"#, true);
        check(r#"{"language":"z"}"#, false);
        check(r#"{"text":"迟到"}"#, true);
        check(r#"{"text":"my order"}"#, true);
        check(r##"{"text":"#1042"}"##, true);
        check(r#"{"text":"104"}"#, false);
        check(r#"{"opened_after":"1970-01-01T00:00:01Z"}"#, false);
        check(r#"{"opened_before":"1970-01-01T00:00:01.000001Z"}"#, true);
        check(r#"{"all":[{"status":["waiting"]},{"any":[{"tag":"x"},{"team":"mine"}]}]}"#, true);
    }

    #[test]
    fn a_token_is_nobodys_me() {
        let mut state = case();
        state.assignee = None;
        let facts = Facts { case: &state, texts: &[] };
        assert!(!matches(&Filter::Assignee(Who::Me), &facts, &Viewer::default()));
    }

    fn nested(depth: usize) -> Filter {
        (1..depth).fold(Filter::Unanswered(true), |inner, _| Filter::Not(Box::new(inner)))
    }

    fn code(result: Result<(), Rejection>) -> Option<Code> {
        result.err().map(|rejection| rejection.code)
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        assert_eq!(code(nested(limits::FILTER_DEPTH).check()), None);
        assert_eq!(code(nested(limits::FILTER_DEPTH + 1).check()), Some(Code::InvalidFilter));
        let wide = |nodes: usize| Filter::All(vec![Filter::Unanswered(true); nodes - 1]);
        assert_eq!(code(wide(limits::FILTER_NODES).check()), None);
        assert_eq!(code(wide(limits::FILTER_NODES + 1).check()), Some(Code::InvalidFilter));
        let list = |len: usize| Filter::Status(vec![StatusKey::Open; len]);
        assert_eq!(code(list(limits::FILTER_LIST).check()), None);
        assert_eq!(code(list(limits::FILTER_LIST + 1).check()), Some(Code::InvalidFilter));
        assert_eq!(code(list(0).check()), Some(Code::InvalidFilter));
        let text = |len: usize| Filter::Text("字".repeat(len));
        assert_eq!(code(text(limits::FILTER_TEXT_CHARS).check()), None);
        assert_eq!(code(text(limits::FILTER_TEXT_CHARS + 1).check()), Some(Code::InvalidFilter));
        assert_eq!(code(text(0).check()), Some(Code::InvalidFilter));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for json in ["", "[]", "null", r#"{"sql":"1=1"}"#, r#"{"assignee":"; DROP"}"#, r#"{"status":["x"]}"#] {
            assert!(Filter::parse(json).is_err(), "{json}");
        }
        let bomb = format!("{}{}", r#"{"not":"#.repeat(5_000), "1");
        assert!(Filter::parse(&bomb).is_err());
    }

    #[test]
    fn ranks_are_those_of_the_state() {
        for (key, text) in StatusKey::ALL.iter().zip(Status::KEYS) {
            assert_eq!(serde_json::to_value(key).unwrap(), text);
        }
    }
}
