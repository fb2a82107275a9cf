//! Who takes a case.

use super::explanation::{Chosen, Decision, Explanation, OTHERS_MAX, Other, Reason, Why};
use super::{AgentState, Presence, RoutingPolicies, TeamPolicy, WaitingCase, primary_language, rank_at};
use crate::access::Place;
use crate::channel::ChannelKind;
use crate::ids::UserId;
use crate::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Gives out the waiting cases, each to the best agent left, in the order of [`rank_at`].
///
/// An agent can take a case who is active, online and connected, a member of its team, may answer there,
/// has every required skill and the language (see [`TeamPolicy::language_relax_seconds`]) and has room in
/// its channel kind, counting what this very call has given out already.
/// Among these wins: the language if it was relaxed, then the previous agent of the customer (if the policy
/// says so), then the least relative load `load / capacity` in the kind, then over all kinds, then the
/// longest time since the last assignment, then the smaller id.
/// Answers one decision per case, in the order in which they were made.
#[must_use]
pub fn route(
    waiting: &[WaitingCase],
    agents: &[AgentState],
    policies: &RoutingPolicies,
    now: Timestamp,
) -> Vec<Decision> {
    let mut cases: Vec<&WaitingCase> = waiting.iter().collect();
    cases.sort_by_key(|c| (rank_at(c), c.waiting_since, c.id));
    let mut seats: Vec<Seat<'_>> = agents.iter().map(Seat::of).collect();
    seats.sort_by_key(|s| s.agent.user);
    seats.dedup_by_key(|s| s.agent.user);
    cases
        .into_iter()
        .map(|case| {
            let explanation = choose(&Question { case, policy: policies.of(case.team), now }, &seats);
            let agent = explanation.chosen.as_ref().map(|c| c.user);
            if let Some(seat) = seats.iter_mut().find(|s| Some(s.agent.user) == agent) {
                *seat.given.entry(case.channel_kind).or_default() += 1;
                seat.idle_since = now;
            }
            Decision { case: case.id, agent, explanation }
        })
        .collect()
}

/// How many cases with the demands of `case` could be given out now. Zero spares looking at the queue.
#[must_use]
pub fn free_slots(case: &WaitingCase, agents: &[AgentState], policies: &RoutingPolicies, now: Timestamp) -> u32 {
    let question = Question { case, policy: policies.of(case.team), now };
    let kind = case.channel_kind;
    agents
        .iter()
        .map(Seat::of)
        .filter(|seat| hindrance(&question, seat).is_none())
        .map(|seat| seat.agent.capacity_of(kind).saturating_sub(seat.load(kind)))
        .fold(0, u32::saturating_add)
}

/// An agent while cases are given out.
struct Seat<'a> {
    agent: &'a AgentState,
    /// What this call has given them.
    given: BTreeMap<ChannelKind, u32>,
    idle_since: Timestamp,
}

impl<'a> Seat<'a> {
    const fn of(agent: &'a AgentState) -> Self {
        Self { agent, given: BTreeMap::new(), idle_since: agent.idle_since }
    }
    fn load(&self, kind: ChannelKind) -> u32 {
        self.agent.load_of(kind).saturating_add(self.given.get(&kind).copied().unwrap_or(0))
    }
    /// Load and capacity over all kinds.
    fn overall(&self) -> (u32, u32) {
        let sum =
            |of: &dyn Fn(ChannelKind) -> u32| ChannelKind::ALL.iter().fold(0, |n: u32, k| n.saturating_add(of(*k)));
        (sum(&|k| self.load(k)), sum(&|k| self.agent.capacity_of(k)))
    }
}

/// The case at hand and what decides about it.
struct Question<'a> {
    case: &'a WaitingCase,
    policy: &'a TeamPolicy,
    now: Timestamp,
}

/// The rank of an agent who can take the case; the least one wins. Compared in the order of the fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    speaks_not: bool,
    not_previous: bool,
    /// Millionths of the capacity.
    load: u64,
    overall: u64,
    idle_since: Timestamp,
    user: UserId,
}

fn choose(question: &Question<'_>, seats: &[Seat<'_>]) -> Explanation {
    let mut able = Vec::new();
    let mut others = Vec::new();
    for seat in seats {
        match hindrance(question, seat) {
            Some(why) => others.push((distance(why), seat, why)),
            None => able.push((rank(question, seat), seat)),
        }
    }
    able.sort_by_key(|(rank, _)| *rank);
    let mut able = able.into_iter();
    let chosen = able.next().map(|(best, seat)| {
        let second = able.as_slice().first().map(|(rank, _)| *rank);
        let because = because(question, seat, best, second);
        others.extend(able.map(|(rank, other)| (0, other, against(best, rank))));
        Chosen { user: seat.agent.user, because }
    });
    others.sort_by_key(|(distance, seat, _)| (*distance, seat.agent.user));
    let omitted = u32::try_from(others.len().saturating_sub(OTHERS_MAX)).unwrap_or(u32::MAX);
    let others = others
        .into_iter()
        .take(OTHERS_MAX)
        .map(|(_, seat, why)| {
            let Reason { code, params } = reason(why, question, seat);
            Other { user: seat.agent.user, code, params }
        })
        .collect();
    Explanation { chosen, others, omitted, at: question.now }
}

/// The first wall between this agent and this case, lasting ones before passing ones.
fn hindrance(question: &Question<'_>, seat: &Seat<'_>) -> Option<Why> {
    let Question { case, policy, now } = *question;
    let (agent, kind) = (seat.agent, case.channel_kind);
    if !policy.automatic.contains(&kind) {
        return Some(Why::AutomaticOff);
    }
    if !agent.active {
        return Some(Why::Inactive);
    }
    if case.team.is_some_and(|team| !agent.teams.contains(&team)) {
        return Some(Why::NotInTeam);
    }
    if !agent.reach.covers(&Place { team: case.team, channel: case.channel }) {
        return Some(Why::NoPermission);
    }
    if !case.required_skills.is_subset(&agent.skills) {
        return Some(Why::MissingSkill);
    }
    if is_foreign(case, agent) && !policy.relaxes_language(now.since(case.waiting_since)) {
        return Some(Why::Language);
    }
    let capacity = agent.capacity_of(kind);
    if capacity == 0 {
        return Some(Why::NotThisKind);
    }
    match agent.presence {
        Presence::Offline => Some(Why::Offline),
        Presence::Away => Some(Why::Away),
        Presence::Busy => Some(Why::Busy),
        Presence::Online if !agent.connected => Some(Why::Disconnected),
        Presence::Online => (seat.load(kind) >= capacity).then_some(Why::Full),
    }
}

/// Whether the agent has listed languages and the case's is not among them.
fn is_foreign(case: &WaitingCase, agent: &AgentState) -> bool {
    let Some(wanted) = case.language.as_deref().map(primary_language).filter(|l| !l.is_empty()) else { return false };
    !agent.languages.is_empty() && !agent.languages.iter().any(|l| primary_language(l) == wanted)
}

fn rank(question: &Question<'_>, seat: &Seat<'_>) -> Rank {
    let (case, agent) = (question.case, seat.agent);
    let (load, capacity) = seat.overall();
    Rank {
        speaks_not: is_foreign(case, agent),
        not_previous: !(question.policy.previous_agent && case.previous_agent == Some(agent.user)),
        load: millionths(seat.load(case.channel_kind), agent.capacity_of(case.channel_kind)),
        overall: millionths(load, capacity),
        idle_since: seat.idle_since,
        user: agent.user,
    }
}

fn millionths(load: u32, capacity: u32) -> u64 {
    u64::from(load) * 1_000_000 / u64::from(capacity.max(1))
}

/// Facts first, then what decided against the runner-up.
fn because(question: &Question<'_>, seat: &Seat<'_>, best: Rank, second: Option<Rank>) -> Vec<Reason> {
    let case = question.case;
    let mut whys = Vec::new();
    if !case.required_skills.is_empty() {
        whys.push(Why::HasSkills);
    }
    if best.speaks_not {
        whys.push(Why::LanguageRelaxed);
    } else if case.language.is_some() && (!seat.agent.languages.is_empty() || second.is_some_and(|s| s.speaks_not)) {
        whys.push(Why::Speaks);
    }
    if !best.not_previous {
        whys.push(Why::PreviousAgent);
    }
    match second {
        None => whys.push(Why::OnlyOne),
        // The language or the previous agent has decided, and both are told above.
        Some(second) if (second.speaks_not, second.not_previous) != (best.speaks_not, best.not_previous) => {}
        Some(second) if second.load != best.load => whys.push(Why::LeastLoad),
        Some(second) if second.overall != best.overall => whys.push(Why::LeastLoadOverall),
        Some(second) if second.idle_since != best.idle_since => whys.push(Why::LongestIdle),
        Some(_) => whys.push(Why::Tie),
    }
    whys.into_iter().map(|why| reason(why, question, seat)).collect()
}

/// Why an agent who could have taken it came after the chosen one: the first field that differs.
fn against(best: Rank, rank: Rank) -> Why {
    if rank.speaks_not != best.speaks_not {
        Why::Language
    } else if rank.not_previous != best.not_previous {
        Why::NotPreviousAgent
    } else if rank.load != best.load {
        Why::MoreLoaded
    } else if rank.overall != best.overall {
        Why::MoreLoadedOverall
    } else if rank.idle_since != best.idle_since {
        Why::LessIdle
    } else {
        Why::TieLost
    }
}

/// The code with what its text needs.
fn reason(why: Why, question: &Question<'_>, seat: &Seat<'_>) -> Reason {
    let Question { case, policy, now } = *question;
    let kind = case.channel_kind;
    let reason = Reason::new(why);
    let filled = |reason: Reason, load: u32, capacity: u32| reason.with("load", load).with("capacity", capacity);
    let language = || case.language.as_deref().map(primary_language).unwrap_or_default();
    match why {
        Why::LeastLoad | Why::MoreLoaded | Why::Full => filled(reason, seat.load(kind), seat.agent.capacity_of(kind)),
        Why::LeastLoadOverall | Why::MoreLoadedOverall => {
            let (load, capacity) = seat.overall();
            filled(reason, load, capacity)
        }
        Why::LongestIdle | Why::LessIdle => reason.with("idle_seconds", now.since(seat.idle_since).as_seconds()),
        Why::NotThisKind | Why::AutomaticOff => reason.with("channel_kind", kind.as_str()),
        Why::Speaks | Why::Language => reason.with("language", language()),
        Why::LanguageRelaxed => {
            let after = policy.language_relax_seconds.unwrap_or(0);
            reason.with("language", language()).with("after_seconds", after)
        }
        Why::HasSkills => {
            let skills: Vec<Value> = case.required_skills.iter().map(|s| Value::from(s.to_string())).collect();
            reason.with("skills", skills)
        }
        Why::MissingSkill => {
            let missing = case.required_skills.difference(&seat.agent.skills).next();
            reason.with("skill", missing.map(ToString::to_string))
        }
        Why::PreviousAgent
        | Why::OnlyOne
        | Why::Tie
        | Why::NotPreviousAgent
        | Why::TieLost
        | Why::Busy
        | Why::Away
        | Why::Offline
        | Why::Disconnected
        | Why::NotInTeam
        | Why::NoPermission
        | Why::Inactive => reason,
    }
}

/// How near somebody came: 0 could have taken it, the largest number is farthest away.
const fn distance(code: Why) -> u8 {
    match code {
        Why::Full => 1,
        Why::Busy | Why::Away | Why::Disconnected => 2,
        Why::Offline | Why::NotThisKind => 3,
        Why::Language => 4,
        Why::MissingSkill => 5,
        Why::NotInTeam => 6,
        Why::NoPermission => 7,
        Why::Inactive => 8,
        _ => 9,
    }
}
