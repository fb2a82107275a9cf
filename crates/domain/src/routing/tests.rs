//! The rules of routing as a table, then as properties.

use super::*;
use crate::case::Priority;
use crate::ids::Id;
use proptest::prelude::*;
use uuid::Uuid;

fn id<T: Id>(n: u128) -> T {
    T::from_uuid(Uuid::from_u128(n))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(0) + Span::seconds(seconds)
}

fn chat(n: u128) -> WaitingCase {
    WaitingCase {
        id: id(n),
        channel: id(900),
        channel_kind: ChannelKind::Webchat,
        team: None,
        language: None,
        required_skills: BTreeSet::new(),
        priority: Priority::Normal,
        waiting_since: at(0),
        promise: None,
        previous_agent: None,
    }
}

fn agent(n: u128) -> AgentState {
    AgentState {
        user: id(n),
        active: true,
        presence: Presence::Online,
        connected: true,
        teams: BTreeSet::new(),
        skills: BTreeSet::new(),
        languages: Vec::new(),
        reach: Scope::Everywhere,
        capacity: BTreeMap::new(),
        load: BTreeMap::new(),
        idle_since: at(0),
    }
}

fn loaded(n: u128, load: u32) -> AgentState {
    AgentState { load: BTreeMap::from([(ChannelKind::Webchat, load)]), ..agent(n) }
}

/// Who is chosen and the last reason for them; the others and the reason against each.
type Expect<'a> = (Option<(u128, Why)>, &'a [(u128, Why)]);

/// `expect` = the chosen agent with the last reason for them, and the others with the reason against.
fn check(name: &str, case: &WaitingCase, agents: &[AgentState], policy: TeamPolicy, expect: Expect<'_>) {
    let policies =
        RoutingPolicies { default: policy.clone(), teams: case.team.map(|t| (t, policy)).into_iter().collect() };
    let decisions = route(std::slice::from_ref(case), agents, &policies, at(100));
    let explanation = &decisions[0].explanation;
    let chosen = explanation.chosen.as_ref().map(|c| (c.user, c.because.last().unwrap().code));
    assert_eq!(chosen, expect.0.map(|(n, why)| (id(n), why)), "{name}: chosen");
    assert_eq!(decisions[0].agent, chosen.map(|c| c.0), "{name}: decision");
    let others: Vec<(UserId, Why)> = explanation.others.iter().map(|o| (o.user, o.code)).collect();
    let expected: Vec<(UserId, Why)> = expect.1.iter().map(|(n, why)| (id(*n), *why)).collect();
    assert_eq!(others, expected, "{name}: others");
}

fn usual() -> TeamPolicy {
    TeamPolicy::default()
}

#[test]
fn who_gets_it() {
    check("nobody there", &chat(1), &[], usual(), (None, &[]));
    check("the only one", &chat(1), &[agent(1)], usual(), (Some((1, Why::OnlyOne)), &[]));
    check(
        "least loaded",
        &chat(1),
        &[loaded(1, 2), loaded(2, 1)],
        usual(),
        (Some((2, Why::LeastLoad)), &[(1, Why::MoreLoaded)]),
    );
    let big = AgentState { capacity: BTreeMap::from([(ChannelKind::Webchat, 10)]), ..loaded(1, 2) };
    check(
        "load is relative",
        &chat(1),
        &[big, loaded(2, 1)],
        usual(),
        (Some((1, Why::LeastLoad)), &[(2, Why::MoreLoaded)]),
    );
    let mails = AgentState { load: BTreeMap::from([(ChannelKind::Email, 5)]), ..agent(1) };
    check(
        "then over all kinds",
        &chat(1),
        &[mails, agent(2)],
        usual(),
        (Some((2, Why::LeastLoadOverall)), &[(1, Why::MoreLoadedOverall)]),
    );
    let rested = AgentState { idle_since: at(-50), ..agent(2) };
    check(
        "then longest idle",
        &chat(1),
        &[agent(1), rested],
        usual(),
        (Some((2, Why::LongestIdle)), &[(1, Why::LessIdle)]),
    );
    check("then the id", &chat(1), &[agent(2), agent(1)], usual(), (Some((1, Why::Tie)), &[(2, Why::TieLost)]));
}

#[test]
fn the_previous_agent_comes_first() {
    let case = WaitingCase { previous_agent: Some(id(1)), ..chat(1) };
    let agents = [loaded(1, 2), loaded(2, 0)];
    check("preferred", &case, &agents, usual(), (Some((1, Why::PreviousAgent)), &[(2, Why::NotPreviousAgent)]));
    let off = TeamPolicy { previous_agent: false, ..usual() };
    check("policy off", &case, &agents, off, (Some((2, Why::LeastLoad)), &[(1, Why::MoreLoaded)]));
    check(
        "but never over capacity",
        &case,
        &[loaded(1, 3), loaded(2, 0)],
        usual(),
        (Some((2, Why::OnlyOne)), &[(1, Why::Full)]),
    );
}

#[test]
fn walls() {
    let one = |name: &str, case: &WaitingCase, agent: AgentState, why: Why| {
        check(name, case, &[agent], usual(), (None, &[(1, why)]));
    };
    one("full", &chat(1), loaded(1, 3), Why::Full);
    one("over full", &chat(1), loaded(1, 9), Why::Full);
    let none = AgentState { capacity: BTreeMap::from([(ChannelKind::Webchat, 0)]), ..agent(1) };
    one("capacity zero", &chat(1), none, Why::NotThisKind);
    for (presence, why) in [(Presence::Busy, Why::Busy), (Presence::Away, Why::Away), (Presence::Offline, Why::Offline)]
    {
        one("presence", &chat(1), AgentState { presence, ..agent(1) }, why);
    }
    one("no window open", &chat(1), AgentState { connected: false, ..agent(1) }, Why::Disconnected);
    one("left the company", &chat(1), AgentState { active: false, ..agent(1) }, Why::Inactive);
    let of_team = WaitingCase { team: Some(id(5)), ..chat(1) };
    one("other team", &of_team, AgentState { teams: BTreeSet::from([id(6)]), ..agent(1) }, Why::NotInTeam);
    one("may not answer", &chat(1), AgentState { reach: Scope::Nowhere, ..agent(1) }, Why::NoPermission);
    let elsewhere = Scope::Within(vec![(None, Some(id(901)))]);
    one("may answer elsewhere", &chat(1), AgentState { reach: elsewhere, ..agent(1) }, Why::NoPermission);
    let skilled = WaitingCase { required_skills: BTreeSet::from([id(7), id(8)]), ..chat(1) };
    one("one skill of two", &skilled, AgentState { skills: BTreeSet::from([id(7)]), ..agent(1) }, Why::MissingSkill);
    let chinese = WaitingCase { language: Some("zh-CN".to_owned()), ..chat(1) };
    one("other language", &chinese, AgentState { languages: vec!["en".to_owned()], ..agent(1) }, Why::Language);
    let by_hand = TeamPolicy { automatic: BTreeSet::from([ChannelKind::Email]), ..usual() };
    check("by hand", &chat(1), &[agent(1)], by_hand, (None, &[(1, Why::AutomaticOff)]));
}

#[test]
fn language() {
    let chinese = WaitingCase { language: Some("zh-CN".to_owned()), ..chat(1) };
    let speaks = |n, languages: &[&str]| AgentState {
        languages: languages.iter().map(|l| (*l).to_owned()).collect(),
        ..agent(n)
    };
    check("primary subtag", &chinese, &[speaks(1, &["en", "ZH-tw"])], usual(), (Some((1, Why::OnlyOne)), &[]));
    check("not told is any", &chinese, &[speaks(1, &[])], usual(), (Some((1, Why::OnlyOne)), &[]));
    check("unknown language of the case", &chat(1), &[speaks(1, &["en"])], usual(), (Some((1, Why::OnlyOne)), &[]));
    let relaxed = |seconds| TeamPolicy { language_relax_seconds: Some(seconds), ..usual() };
    let english = [speaks(1, &["en"])];
    check("not yet", &chinese, &english, relaxed(101), (None, &[(1, Why::Language)]));
    check("now", &chinese, &english, relaxed(100), (Some((1, Why::OnlyOne)), &[]));
    let both = [speaks(1, &["en"]), AgentState { languages: vec!["zh".to_owned()], ..loaded(2, 2) }];
    check("still preferred", &chinese, &both, relaxed(0), (Some((2, Why::Speaks)), &[(1, Why::Language)]));
}

#[test]
fn skills_are_never_relaxed() {
    let case = WaitingCase {
        required_skills: BTreeSet::from([id(7)]),
        waiting_since: at(-10_000_000),
        previous_agent: Some(id(1)),
        ..chat(1)
    };
    let policy = TeamPolicy { language_relax_seconds: Some(0), ..usual() };
    check("waited for months", &case, &[agent(1)], policy, (None, &[(1, Why::MissingSkill)]));
}

#[test]
fn order_of_the_queue() {
    let before = |name: &str, first: WaitingCase, second: WaitingCase| {
        assert!(rank_at(&first) < rank_at(&second), "{name}");
    };
    let with = |priority, since| WaitingCase { priority, waiting_since: at(since), ..chat(1) };
    before("older first", with(Priority::Normal, 0), with(Priority::Normal, 1));
    before("urgent overtakes", with(Priority::Urgent, 299), with(Priority::Normal, 0));
    before("but not for ever", with(Priority::Normal, 0), with(Priority::Urgent, 301));
    before("low waits at most 15 minutes longer", with(Priority::Low, 0), with(Priority::Urgent, 901));
    before("high before normal", with(Priority::High, 100), with(Priority::Normal, 0));
    let promised = WaitingCase { promise: Some(at(60)), ..with(Priority::Low, 0) };
    before("a promise at risk", promised, with(Priority::High, 0));
    let late = WaitingCase { promise: Some(at(-1_000)), ..with(Priority::Low, 10) };
    assert_eq!(rank_at(&late), at(10), "a broken promise does not jump before older cases");
}

#[test]
fn one_call_counts_what_it_gives_out() {
    let cases: Vec<WaitingCase> = (1..=5).map(chat).collect();
    let decisions = route(&cases, &[loaded(1, 1), agent(2)], &RoutingPolicies::default(), at(100));
    let got: Vec<Option<UserId>> = decisions.iter().map(|d| d.agent).collect();
    assert_eq!(got, [Some(id(2)), Some(id(1)), Some(id(2)), Some(id(1)), Some(id(2))]);
    let six =
        route(&(1..=6).map(chat).collect::<Vec<_>>(), &[loaded(1, 1), agent(2)], &RoutingPolicies::default(), at(100));
    assert_eq!(six[5].agent, None);
    assert!(six[5].explanation.others.iter().all(|o| o.code == Why::Full));
}

#[test]
fn an_explanation_names_fifty_and_counts_the_rest() {
    let mut agents: Vec<AgentState> =
        (1..=60).map(|n| AgentState { presence: Presence::Offline, ..agent(n) }).collect();
    agents.push(agent(61));
    agents.push(loaded(62, 3));
    let explanation = &route(&[chat(1)], &agents, &RoutingPolicies::default(), at(0))[0].explanation;
    assert_eq!((explanation.others.len(), explanation.omitted), (OTHERS_MAX, 11));
    assert_eq!((explanation.others[0].user, explanation.others[0].code), (id(62), Why::Full), "nearest miss first");
    let text = serde_json::to_string(explanation).unwrap();
    assert_eq!(serde_json::from_str::<Explanation>(&text).unwrap(), *explanation);
}

#[test]
fn codes_are_wire_names_of_their_own() {
    let mut names: Vec<&str> = Why::ALL.iter().map(|w| w.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Why::ALL.len());
    for why in Why::ALL {
        assert_eq!(Why::parse(why.as_str()), Some(*why));
        assert!(why.as_str().starts_with("routing."));
    }
}

#[test]
fn policy_limits() {
    let policy = |seconds| TeamPolicy { language_relax_seconds: Some(seconds), ..usual() };
    assert!(policy(POLICY_SECONDS_MAX).check().is_ok());
    assert!(policy(POLICY_SECONDS_MAX + 1).check().is_err());
    assert_eq!(serde_json::from_str::<TeamPolicy>("{}").unwrap(), usual());
}

#[test]
fn forecast() {
    let served = |ago: i64, waited: i64| Served { at: at(10_000 - ago), waited: Span::seconds(waited) };
    let seconds =
        |position, online, recent: &[Served]| expected_wait(position, online, recent, at(10_000)).map(Span::as_seconds);
    assert_eq!(seconds(1, 0, &[]), None, "nobody online");
    assert_eq!(seconds(1, 1, &[]), Some(180), "no experience");
    assert_eq!(seconds(2, 4, &[]), Some(90));
    let queue = [served(300, 60), served(200, 70), served(100, 80)];
    assert_eq!(seconds(1, 4, &queue), Some(100), "three in 300 s");
    assert_eq!(seconds(5, 4, &queue), Some(500));
    let no_queue = [served(300, 0), served(200, 0), served(100, 1)];
    assert_eq!(seconds(1, 2, &no_queue), Some(90), "whoever found somebody free tells nothing of a queue");
    let yesterday = [served(9_000, 60), served(8_000, 70), served(7_000, 80)];
    assert_eq!(seconds(1, 2, &yesterday), Some(90));
    assert_eq!(seconds(1_000_000, 1, &[]), Some(4 * 3_600), "capped");
}

// ---- properties

const KINDS: [ChannelKind; 2] = [ChannelKind::Webchat, ChannelKind::Email];

fn a_case() -> impl Strategy<Value = WaitingCase> {
    let who = (0u128..4, 0usize..2, proptest::option::of(0u128..3), proptest::option::of(0usize..3));
    let what =
        (proptest::collection::btree_set(0u128..3, 0..3), 0i64..4, 0i64..5_000, proptest::option::of(0i64..9_000));
    (who, what, proptest::option::of(0u128..8)).prop_map(
        |((channel, kind, team, language), (skills, priority, since, promise), previous)| WaitingCase {
            id: id(0),
            channel: id(900 + channel),
            channel_kind: KINDS[kind],
            team: team.map(id),
            language: language.map(|l| ["zh-CN", "en", "de"][l].to_owned()),
            required_skills: skills.into_iter().map(id).collect(),
            priority: Priority::from_rank(priority),
            waiting_since: at(since),
            promise: promise.map(at),
            previous_agent: previous.map(id),
        },
    )
}

fn an_agent() -> impl Strategy<Value = AgentState> {
    let state = (prop::bool::weighted(0.9), 0usize..8, prop::bool::weighted(0.9), 0i64..5_000);
    let can = (
        proptest::collection::btree_set(0u128..3, 0..4),
        proptest::collection::btree_set(0u128..3, 0..4),
        proptest::collection::vec(prop::sample::select(vec!["zh", "en-GB", "de"]), 0..3),
        prop::bool::weighted(0.9),
    );
    let room = (proptest::collection::vec(proptest::option::of(0u32..5), 2), proptest::collection::vec(0u32..5, 2));
    (state, can, room).prop_map(
        |((active, presence, connected, idle), (teams, skills, languages, everywhere), (capacity, load))| AgentState {
            user: id(0),
            active,
            presence: Presence::ALL.get(presence).copied().unwrap_or(Presence::Online),
            connected,
            teams: teams.into_iter().map(id).collect(),
            skills: skills.into_iter().map(id).collect(),
            languages: languages.into_iter().map(str::to_owned).collect(),
            reach: if everywhere { Scope::Everywhere } else { Scope::Within(vec![(None, Some(id(900)))]) },
            capacity: KINDS.into_iter().zip(capacity).filter_map(|(k, c)| c.map(|c| (k, c))).collect(),
            load: KINDS.into_iter().zip(load).collect(),
            idle_since: at(idle),
        },
    )
}

fn cases(max: usize) -> impl Strategy<Value = Vec<WaitingCase>> {
    proptest::collection::vec(a_case(), 0..max)
        .prop_map(|list| list.into_iter().zip(1u128..).map(|(c, n)| WaitingCase { id: id(n), ..c }).collect())
}

fn agents(max: usize) -> impl Strategy<Value = Vec<AgentState>> {
    proptest::collection::vec(an_agent(), 0..max)
        .prop_map(|list| list.into_iter().zip(0u128..).map(|(a, n)| AgentState { user: id(n), ..a }).collect())
}

fn policies() -> impl Strategy<Value = RoutingPolicies> {
    let policy = || {
        (proptest::option::of(0u32..3_000), any::<bool>(), prop::bool::weighted(0.9)).prop_map(
            |(language_relax_seconds, previous_agent, chats)| {
                let automatic = KINDS.into_iter().filter(|k| chats || *k != ChannelKind::Webchat).collect();
                TeamPolicy { language_relax_seconds, previous_agent, automatic, ..usual() }
            },
        )
    };
    (policy(), policy()).prop_map(|(default, own)| RoutingPolicies { default, teams: BTreeMap::from([(id(1), own)]) })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_wall_is_ever_crossed(cases in cases(30), agents in agents(12), policies in policies(), now in 5_000i64..10_000) {
        let decisions = route(&cases, &agents, &policies, at(now));
        prop_assert_eq!(decisions.len(), cases.len());
        let mut given: BTreeMap<(UserId, ChannelKind), u32> = BTreeMap::new();
        for decision in &decisions {
            let case = cases.iter().find(|c| c.id == decision.case).unwrap();
            let Some(user) = decision.agent else { continue };
            let agent = agents.iter().find(|a| a.user == user).unwrap();
            *given.entry((user, case.channel_kind)).or_default() += 1;
            prop_assert!(case.required_skills.is_subset(&agent.skills), "a skill is missing");
            prop_assert!(case.team.is_none_or(|t| agent.teams.contains(&t)), "not in the team");
            prop_assert!(agent.is_reachable(), "not there");
            prop_assert!(agent.reach.covers(&crate::access::Place { team: case.team, channel: case.channel }), "may not answer");
            let policy = policies.of(case.team);
            prop_assert!(policy.automatic.contains(&case.channel_kind));
            let relaxed = policy.relaxes_language(at(now).since(case.waiting_since));
            let speaks = case.language.as_ref().is_none_or(|wanted| {
                agent.languages.is_empty() || agent.languages.iter().any(|l| primary_language(l) == primary_language(wanted))
            });
            prop_assert!(speaks || relaxed, "does not speak it");
        }
        for ((user, kind), count) in given {
            let agent = agents.iter().find(|a| a.user == user).unwrap();
            prop_assert!(agent.load_of(kind) + count <= agent.capacity_of(kind), "over capacity");
        }
    }

    #[test]
    fn nobody_is_left_waiting_beside_a_free_agent(cases in cases(30), agents in agents(12), policies in policies()) {
        let mut after = agents.clone();
        let decisions = route(&cases, &agents, &policies, at(9_000));
        for decision in &decisions {
            let case = cases.iter().find(|c| c.id == decision.case).unwrap();
            if let Some(agent) = after.iter_mut().find(|a| Some(a.user) == decision.agent) {
                *agent.load.entry(case.channel_kind).or_default() += 1;
            }
        }
        for decision in decisions.iter().filter(|d| d.agent.is_none()) {
            let case = cases.iter().find(|c| c.id == decision.case).unwrap();
            prop_assert_eq!(free_slots(case, &after, &policies, at(9_000)), 0);
        }
    }

    #[test]
    fn every_agent_is_named_exactly_once(cases in cases(10), agents in agents(20), policies in policies()) {
        for decision in route(&cases, &agents, &policies, at(9_000)) {
            let explanation = decision.explanation;
            let mut named: Vec<UserId> = explanation.others.iter().map(|o| o.user).collect();
            named.extend(explanation.chosen.as_ref().map(|c| c.user));
            named.sort();
            prop_assert_eq!(named, agents.iter().map(|a| a.user).collect::<Vec<_>>());
            prop_assert_eq!(explanation.omitted, 0);
            if let Some(chosen) = explanation.chosen {
                prop_assert!(!chosen.because.is_empty());
            }
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(cases in cases(20), agents in agents(10), policies in policies()) {
        let (mut turned, mut others) = (cases.clone(), agents.clone());
        turned.reverse();
        others.reverse();
        prop_assert_eq!(route(&cases, &agents, &policies, at(9_000)), route(&turned, &others, &policies, at(9_000)));
    }

    /// Customers arrive at random with random priorities and demands, some of whom overtake; the two agents
    /// end one case every `handling` seconds. As long as less work comes in than goes out, each case is taken
    /// within its patience plus the time the work in front of it needs.
    #[test]
    fn nothing_starves(
        arrivals in proptest::collection::vec((1i64..120, 0i64..4, any::<bool>(), proptest::option::of(0i64..600)), 20..120),
        handling in 20i64..50,
    ) {
        let skill = BTreeSet::from([id::<SkillId>(1)]);
        let staff: Vec<AgentState> = [1u128, 2].into_iter().map(|n| AgentState {
            skills: skill.clone(),
            capacity: BTreeMap::from([(ChannelKind::Webchat, 1)]),
            ..agent(n)
        }).collect();
        let mut clock = 0;
        let mut coming: Vec<WaitingCase> = Vec::new();
        for ((gap, priority, skilled, promise), n) in arrivals.into_iter().zip(1u128..) {
            clock += gap;
            coming.push(WaitingCase {
                priority: Priority::from_rank(priority),
                required_skills: if skilled { skill.clone() } else { BTreeSet::new() },
                waiting_since: at(clock),
                promise: promise.map(|p| at(clock + p)),
                ..chat(n)
            });
        }
        let total = i64::try_from(coming.len()).unwrap();
        let mut busy: BTreeMap<UserId, i64> = BTreeMap::new();
        let mut waiting: Vec<WaitingCase> = Vec::new();
        let mut taken: BTreeMap<crate::ids::CaseId, i64> = BTreeMap::new();
        let end = clock + total * handling + 1;
        for now in 0..=end {
            busy.retain(|_, until| *until > now);
            waiting.extend(coming.iter().filter(|c| c.waiting_since == at(now)).cloned());
            if waiting.is_empty() || busy.len() == staff.len() {
                continue;
            }
            let agents: Vec<AgentState> = staff.iter().map(|a| {
                let load = u32::from(busy.contains_key(&a.user));
                AgentState { load: BTreeMap::from([(ChannelKind::Webchat, load)]), ..a.clone() }
            }).collect();
            for decision in route(&waiting, &agents, &RoutingPolicies::default(), at(now)) {
                if let Some(user) = decision.agent {
                    busy.insert(user, now + handling);
                    taken.insert(decision.case, now);
                    waiting.retain(|c| c.id != decision.case);
                }
            }
        }
        prop_assert!(waiting.is_empty(), "left over: {}", waiting.len());
        for case in &coming {
            // Only what arrives until the virtual deadline can come before it.
            let before = coming.iter().filter(|c| c.id != case.id && c.waiting_since <= rank_at(case)).count();
            let bound = rank_at(case) + Span::seconds((i64::try_from(before).unwrap() / 2 + 2) * handling);
            let got = at(taken[&case.id]);
            prop_assert!(got <= bound, "taken {} s after its bound", got.since(bound).as_seconds());
        }
    }

    #[test]
    fn whoever_comes_after_the_virtual_deadline_never_overtakes(first in a_case(), second in a_case(), later in 1i64..100_000) {
        let second = WaitingCase { waiting_since: rank_at(&first) + Span::seconds(later), ..second };
        prop_assert!(rank_at(&first) < rank_at(&second));
    }
}
