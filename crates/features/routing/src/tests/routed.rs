//! Who gets what, when, and what is remembered of it.

use super::house::{CHAT, House, MAIL, Wish, id, message};
use domain::ChannelKind;
use domain::case::{CaseCommand, CaseEdit, Priority, Route, Status, Then, WaitingOn};
use domain::routing::{TeamPolicy, Why};
use testkit::on_both_engines;

fn others(house: &House, case: u128) -> Vec<(u128, Why)> {
    let told = house.explanations(case).into_iter().next().unwrap();
    told.others.into_iter().map(|o| (o.user.0.as_u128(), o.code)).collect()
}

#[test]
fn a_new_case_is_given_out_within_one_round_and_told_why() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        for n in 1..=3 {
            house.agent(n);
        }
        house.arrives(1);
        house.arrives(2);
        house.settle();
        house.opens(100, &CHAT);
        house.settle();
        let holder = house.holder(100).unwrap();
        assert_eq!(house.case(100).status, Status::Open);
        assert_eq!(house.queue_length(), 0);
        let told = house.explanations(100);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].chosen.as_ref().unwrap().user, id(holder));
        assert_eq!(others(&house, 100), [(3 - holder, Why::TieLost), (3, Why::Offline)]);
        // The next one goes to the other.
        house.opens(101, &Wish { customer: 2, ..CHAT });
        house.settle();
        assert_eq!(house.holder(101), Some(3 - holder));
    });
}

#[test]
fn nobody_there_then_somebody_comes() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.opens(100, &CHAT);
        house.settle();
        assert_eq!((house.holder(100), house.queue_length()), (None, 1));
        assert_eq!(others(&house, 100), [(1, Why::Offline)]);
        house.wait(30);
        house.arrives(1);
        house.settle();
        assert_eq!((house.holder(100), house.queue_length()), (Some(1), 0));
        let told = house.explanations(100);
        assert_eq!(told.len(), 2, "why not before, and why now");
        assert!(told[0].chosen.is_some() && told[1].chosen.is_none());
    });
}

#[test]
fn an_agent_who_gets_room_is_given_the_next() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.capacity(1, ChannelKind::Webchat, 1);
        house.arrives(1);
        for n in 100..104 {
            house.opens(n, &CHAT);
            house.settle();
            house.ground.clock.advance(domain::Span::seconds(1));
        }
        let held = |house: &House| (100..104).filter(|n| house.holder(*n).is_some()).collect::<Vec<_>>();
        assert_eq!(held(&house), [100]);
        assert_eq!(others(&house, 103), [(1, Why::Full)]);
        house.obey(100, 1, CaseCommand::Solve);
        house.settle();
        assert_eq!(held(&house), [100, 101], "solved");
        house.obey(101, 1, CaseCommand::SetWaiting { on: WaitingOn::Customer, reason: String::new() });
        house.settle();
        assert_eq!(held(&house), [100, 101, 102], "waits for the customer");
        house.assigns(102, None);
        house.settle();
        // Given back by hand, it is the oldest that waits: it comes again before the other.
        assert_eq!((house.holder(102), house.holder(103)), (Some(1), None));
        house.says_again(101);
        house.settle();
        assert_eq!(house.case(101).status, Status::Open, "the customer's word comes to its agent over any capacity");
        house.capacity(1, ChannelKind::Webchat, 4);
        house.settle();
        assert_eq!(house.holder(103), Some(1), "more capacity");
    });
}

#[test]
fn many_at_once_never_go_over_capacity() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        for n in 1..=3 {
            house.agent(n);
            house.capacity(n, ChannelKind::Email, u32::try_from(n).unwrap());
            house.arrives(n);
        }
        house.settle();
        // All of them reach routing in one batch of events, chats between the mails.
        for n in 0..20 {
            house.opens(100 + n, if n % 2 == 0 { &MAIL } else { &CHAT });
        }
        house.settle();
        let held = |agent: u128, kind: ChannelKind| {
            (100..120).filter(|n| house.holder(*n) == Some(agent) && house.case(*n).channel_kind == kind).count()
        };
        let mails: Vec<usize> = (1..=3).map(|agent| held(agent, ChannelKind::Email)).collect();
        let chats: Vec<usize> = (1..=3).map(|agent| held(agent, ChannelKind::Webchat)).collect();
        assert_eq!((mails, chats), (vec![1, 2, 3], vec![3, 3, 3]));
        assert_eq!(house.queue_length(), 20 - 6 - 9);
    });
}

#[test]
fn priority_first_but_age_wins_in_the_end() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.capacity(1, ChannelKind::Webchat, 1);
        house.opens(100, &Wish { priority: Priority::Low, ..CHAT });
        house.wait(60);
        house.opens(101, &Wish { priority: Priority::Urgent, ..CHAT });
        house.settle();
        house.arrives(1);
        house.settle();
        assert_eq!((house.holder(100), house.holder(101)), (None, Some(1)));
        house.wait(900);
        house.opens(102, &Wish { priority: Priority::Urgent, ..CHAT });
        house.obey(101, 1, CaseCommand::Solve);
        house.settle();
        assert_eq!((house.holder(100), house.holder(102)), (Some(1), None), "low, but 16 minutes older");
    });
}

#[test]
fn team_skill_and_language_are_walls() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent_speaking(1, r#"["en"]"#);
        house.arrives(1);
        let wishes = [
            Wish { team: Some(80), ..CHAT },
            Wish { skills: &[90], ..MAIL },
            Wish { language: Some("zh-CN"), ..Wish { kind: ChannelKind::Phone, ..CHAT } },
        ];
        for (n, wish) in (100..).zip(&wishes) {
            house.opens(n, wish);
        }
        house.settle();
        let whys: Vec<Why> = (100..103).map(|n| others(&house, n)[0].1).collect();
        assert_eq!(whys, [Why::NotInTeam, Why::MissingSkill, Why::Language]);
        house.join_team(1);
        house.settle();
        assert_eq!(house.holder(100), Some(1));
        house.learn(1);
        house.settle();
        assert_eq!(house.holder(101), Some(1));
        house.agent_speaking(2, r#"["zh"]"#);
        house.arrives(2);
        house.settle();
        assert_eq!(house.holder(102), Some(2));
    });
}

#[test]
fn language_is_relaxed_when_the_policy_says_so() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.policy(TeamPolicy { language_relax_seconds: Some(120), ..TeamPolicy::default() });
        house.agent_speaking(1, r#"["en"]"#);
        house.arrives(1);
        house.opens(100, &Wish { language: Some("zh-CN"), ..CHAT });
        house.settle();
        house.wait(119);
        assert_eq!(house.holder(100), None);
        house.wait(1);
        assert_eq!(house.holder(100), Some(1), "by a timer, not by another event");
        let because = house.explanations(100).remove(0).chosen.unwrap().because;
        assert_eq!(because[0].code, Why::LanguageRelaxed);
    });
}

#[test]
fn the_previous_agent_is_preferred() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        for n in 1..=2 {
            house.agent(n);
            house.arrives(n);
        }
        house.opens(100, &CHAT);
        house.settle();
        let first = house.holder(100).unwrap();
        house.obey(100, first, CaseCommand::Solve);
        house.opens(101, &Wish { customer: 2, ..CHAT });
        house.settle();
        assert_eq!(house.holder(101), Some(3 - first), "the longest idle");
        house.opens(102, &Wish { customer: 2, ..MAIL });
        house.settle();
        assert_eq!(house.holder(102), Some(3 - first), "known to the customer, though less idle");
        let because = house.explanations(102).remove(0).chosen.unwrap().because;
        assert_eq!(because[0].code, Why::PreviousAgent);
    });
}

#[test]
fn an_edit_that_opens_a_wall_routes() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.arrives(1);
        house.opens(100, &Wish { skills: &[90], ..CHAT });
        house.settle();
        house.edits(100, CaseEdit { priority: Some(Priority::High), ..CaseEdit::default() });
        house.settle();
        assert_eq!((house.holder(100), house.explanations(100).len()), (None, 1), "only the latest refusal is kept");
        house.edits(100, CaseEdit { required_skills: Some([].into()), ..CaseEdit::default() });
        house.settle();
        assert_eq!(house.holder(100), Some(1));
    });
}

#[test]
fn what_is_given_out_by_hand_waits_for_a_hand() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.arrives(1);
        house.policy(TeamPolicy { automatic: [ChannelKind::Email].into(), ..TeamPolicy::default() });
        house.opens(100, &CHAT);
        house.opens(101, &MAIL);
        house.settle();
        assert_eq!((house.holder(100), house.holder(101)), (None, Some(1)));
        assert_eq!(others(&house, 100), [(1, Why::AutomaticOff)]);
        let reply = CaseCommand::Reply {
            message: message(100, 5),
            route: Route::Direct,
            then: Then::Stay,
            seen_at: None,
            force: false,
        };
        house.obey(100, 1, reply);
        house.settle();
        assert_eq!((house.holder(100), house.queue_length()), (Some(1), 0), "answering takes it out of the queue");
    });
}

#[test]
fn a_snoozed_or_solved_case_waits_for_nobody() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.opens(100, &CHAT);
        house.settle();
        house.obey(100, 1, CaseCommand::Solve);
        house.settle();
        assert_eq!(house.queue_length(), 0);
        house.arrives(1);
        house.settle();
        assert_eq!(house.holder(100), None);
        house.says_again(100);
        house.settle();
        assert_eq!((house.holder(100), house.case(100).reopened), (Some(1), 1), "reopened, so it waits again");
    });
}

#[test]
fn two_servers_at_once_never_go_over_capacity() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        for n in 1..=3 {
            house.agent(n);
            house.arrives(n);
        }
        house.settle();
        for n in 100..130 {
            house.opens(n, &Wish { customer: n, ..CHAT });
        }
        let other = house
            .ground
            .spine(vec![crate::feature(), spine::Feature::new().store::<domain::case::Case>(super::keeper::Keeper)]);
        std::thread::scope(|scope| {
            for spine in [&house.spine, &other] {
                scope.spawn(|| super::house::block(spine.run_due()).unwrap());
            }
        });
        house.settle();
        let held = |agent| (100..130).filter(|n| house.holder(*n) == Some(agent)).count();
        assert_eq!([held(1), held(2), held(3)], [3, 3, 3]);
        assert_eq!(house.queue_length(), 21);
    });
}
