//! Who takes a case.

use super::explanation::{Chosen, Decision, Explanation, OTHERS_MAX, Other, Reason, Why};
use super::{AgentState, Presence, RoutingPolicies, TeamPolicy, WaitingCase, primary_language, rank_at};
use crate::access::Place;
use crate::ids::UserId;
use crate::time::Timestamp;
use serde_json::Value;

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
    let mut agents = agents.to_vec();
    agents.sort_by_key(|a| a.user);
    agents.dedup_by_key(|a| a.user);
    cases
        .into_iter()
        .map(|case| {
            let explanation = choose(case, &agents, policies.of(case.team), now);
            let agent = explanation.chosen.as_ref().map(|c| c.user);
            if let Some(taken) = agents.iter_mut().find(|a| Some(a.user) == agent) {
                *taken.load.entry(case.channel_kind).or_default() += 1;
                taken.idle_since = now;
            }
            Decision { case: case.id, agent, explanation }
        })
        .collect()
}

/// How many cases with the demands of `case` could be given out now. Zero spares looking at the queue.
#[must_use]
pub fn free_slots(case: &WaitingCase, agents: &[AgentState], policies: &RoutingPolicies, now: Timestamp) -> u32 {
    let policy = policies.of(case.team);
    agents
        .iter()
        .filter(|agent| hindrance(case, agent, policy, now).is_none())
        .map(|agent| agent.capacity_of(case.channel_kind).saturating_sub(agent.load_of(case.channel_kind)))
        .fold(0, u32::saturating_add)
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

fn choose(case: &WaitingCase, agents: &[AgentState], policy: &TeamPolicy, now: Timestamp) -> Explanation {
    let mut able = Vec::new();
    let mut others = Vec::new();
    for agent in agents {
        match hindrance(case, agent, policy, now) {
            Some(reason) => others.push((distance(reason.code), agent.user, reason)),
            None => able.push((rank(case, agent, policy), agent)),
        }
    }
    able.sort_by_key(|(rank, _)| *rank);
    let mut able = able.into_iter();
    let chosen = able.next().map(|(best, agent)| {
        let second = able.as_slice().first().map(|(rank, _)| *rank);
        let because = because(case, agent, best, second, policy, now);
        others.extend(able.map(|(rank, other)| (0, other.user, against(case, other, best, rank, now))));
        Chosen { user: agent.user, because }
    });
    others.sort_by_key(|(distance, user, _)| (*distance, *user));
    let omitted = u32::try_from(others.len().saturating_sub(OTHERS_MAX)).unwrap_or(u32::MAX);
    let others = others
        .into_iter()
        .take(OTHERS_MAX)
        .map(|(_, user, reason)| Other { user, code: reason.code, params: reason.params })
        .collect();
    Explanation { chosen, others, omitted, at: now }
}

/// The first wall between this agent and this case, lasting ones before passing ones.
fn hindrance(case: &WaitingCase, agent: &AgentState, policy: &TeamPolicy, now: Timestamp) -> Option<Reason> {
    let kind = case.channel_kind;
    if !policy.automatic.contains(&kind) {
        return Some(Reason::new(Why::AutomaticOff).with("channel_kind", kind.as_str()));
    }
    if !agent.active {
        return Some(Reason::new(Why::Inactive));
    }
    if case.team.is_some_and(|team| !agent.teams.contains(&team)) {
        return Some(Reason::new(Why::NotInTeam));
    }
    if !agent.reach.covers(&Place { team: case.team, channel: case.channel }) {
        return Some(Reason::new(Why::NoPermission));
    }
    if let Some(skill) = case.required_skills.difference(&agent.skills).next() {
        return Some(Reason::new(Why::MissingSkill).with("skill", skill.to_string()));
    }
    if let Some(language) = foreign_language(case, agent)
        && !policy.relaxes_language(now.since(case.waiting_since))
    {
        return Some(Reason::new(Why::Language).with("language", language));
    }
    let (load, capacity) = (agent.load_of(kind), agent.capacity_of(kind));
    if capacity == 0 {
        return Some(Reason::new(Why::NotThisKind).with("channel_kind", kind.as_str()));
    }
    match agent.presence {
        Presence::Offline => return Some(Reason::new(Why::Offline)),
        Presence::Away => return Some(Reason::new(Why::Away)),
        Presence::Busy => return Some(Reason::new(Why::Busy)),
        Presence::Online if !agent.connected => return Some(Reason::new(Why::Disconnected)),
        Presence::Online => {}
    }
    (load >= capacity).then(|| filled(Why::Full, load, capacity))
}

/// The case's language, if the agent has listed languages and it is not among them.
fn foreign_language(case: &WaitingCase, agent: &AgentState) -> Option<String> {
    let wanted = primary_language(case.language.as_deref()?);
    let speaks = agent.languages.is_empty() || agent.languages.iter().any(|l| primary_language(l) == wanted);
    (!wanted.is_empty() && !speaks).then_some(wanted)
}

fn rank(case: &WaitingCase, agent: &AgentState, policy: &TeamPolicy) -> Rank {
    let kind = case.channel_kind;
    let (load, capacity) = overall(agent);
    Rank {
        speaks_not: foreign_language(case, agent).is_some(),
        not_previous: !(policy.previous_agent && case.previous_agent == Some(agent.user)),
        load: millionths(agent.load_of(kind), agent.capacity_of(kind)),
        overall: millionths(load, capacity),
        idle_since: agent.idle_since,
        user: agent.user,
    }
}

/// Load and capacity over all kinds.
fn overall(agent: &AgentState) -> (u32, u32) {
    let load = agent.load.values().fold(0, |sum: u32, n| sum.saturating_add(*n));
    let capacity =
        crate::channel::ChannelKind::ALL.iter().fold(0, |sum: u32, k| sum.saturating_add(agent.capacity_of(*k)));
    (load, capacity)
}

fn millionths(load: u32, capacity: u32) -> u64 {
    u64::from(load) * 1_000_000 / u64::from(capacity.max(1))
}

/// Facts first, then what decided against the runner-up.
fn because(
    case: &WaitingCase,
    agent: &AgentState,
    best: Rank,
    second: Option<Rank>,
    policy: &TeamPolicy,
    now: Timestamp,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !case.required_skills.is_empty() {
        let skills: Vec<Value> = case.required_skills.iter().map(|s| Value::from(s.to_string())).collect();
        reasons.push(Reason::new(Why::HasSkills).with("skills", skills));
    }
    if let Some(language) = case.language.as_deref().map(primary_language).filter(|l| !l.is_empty()) {
        if best.speaks_not {
            let after = policy.language_relax_seconds.unwrap_or(0);
            reasons.push(Reason::new(Why::LanguageRelaxed).with("language", language).with("after_seconds", after));
        } else if !agent.languages.is_empty() || second.is_some_and(|s| s.speaks_not) {
            reasons.push(Reason::new(Why::Speaks).with("language", language));
        }
    }
    if !best.not_previous {
        reasons.push(Reason::new(Why::PreviousAgent));
    }
    let kind = case.channel_kind;
    match second {
        None => reasons.push(Reason::new(Why::OnlyOne)),
        // The language or the previous agent has decided, and both are told above.
        Some(second) if (second.speaks_not, second.not_previous) != (best.speaks_not, best.not_previous) => {}
        Some(second) if second.load != best.load => {
            reasons.push(filled(Why::LeastLoad, agent.load_of(kind), agent.capacity_of(kind)));
        }
        Some(second) if second.overall != best.overall => {
            let (load, capacity) = overall(agent);
            reasons.push(filled(Why::LeastLoadOverall, load, capacity));
        }
        Some(second) if second.idle_since != best.idle_since => reasons.push(idle(Why::LongestIdle, agent, now)),
        Some(_) => reasons.push(Reason::new(Why::Tie)),
    }
    reasons
}

/// Why an agent who could have taken it came after the chosen one: the first field that differs.
fn against(case: &WaitingCase, other: &AgentState, best: Rank, rank: Rank, now: Timestamp) -> Reason {
    let kind = case.channel_kind;
    if rank.speaks_not != best.speaks_not {
        let language = case.language.as_deref().map(primary_language).unwrap_or_default();
        Reason::new(Why::Language).with("language", language)
    } else if rank.not_previous != best.not_previous {
        Reason::new(Why::NotPreviousAgent)
    } else if rank.load != best.load {
        filled(Why::MoreLoaded, other.load_of(kind), other.capacity_of(kind))
    } else if rank.overall != best.overall {
        let (load, capacity) = overall(other);
        filled(Why::MoreLoadedOverall, load, capacity)
    } else if rank.idle_since != best.idle_since {
        idle(Why::LessIdle, other, now)
    } else {
        Reason::new(Why::TieLost)
    }
}

fn filled(code: Why, load: u32, capacity: u32) -> Reason {
    Reason::new(code).with("load", load).with("capacity", capacity)
}

fn idle(code: Why, agent: &AgentState, now: Timestamp) -> Reason {
    Reason::new(code).with("idle_seconds", now.since(agent.idle_since).as_seconds())
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
