//! Random commands, in any order, by anybody: nothing panics, and the log alone gives the state again.

use super::*;
use proptest::prelude::*;

fn an_actor() -> impl Strategy<Value = Actor> {
    prop::sample::select(vec![LI, WANG, CUSTOMER, Actor::System, Actor::Token(ApiTokenId(Uuid::from_u128(3)))])
}

fn a_message() -> impl Strategy<Value = NewMessage> {
    (1u128..6, prop::sample::select(vec!["", "hello", "  字  \n two "]), any::<bool>(), 0usize..3).prop_map(
        |(n, text, automatic, files)| NewMessage {
            automatic,
            attachments: (0..files).map(|n| id(n as u128)).collect(),
            ..message(n, text)
        },
    )
}

fn a_delivery() -> impl Strategy<Value = Delivery> {
    let failed = Delivery::Failed { code: "delivery_gave_up".to_owned() };
    prop::sample::select(vec![
        Delivery::None,
        Delivery::Held { until: at(40) },
        Delivery::Queued,
        Delivery::Sent,
        failed,
        Delivery::Cancelled,
    ])
}

fn an_edit() -> impl Strategy<Value = CaseEdit> {
    let texts = proptest::option::of(prop::sample::select(vec!["", " a ", "字", "B"]));
    let ids = || proptest::option::of(proptest::option::of(1u128..4));
    let sets = proptest::option::of(proptest::collection::btree_set(1u128..30, 0..25));
    let tags = proptest::option::of(proptest::collection::btree_set("[ a-cA-C]{0,3}", 0..6));
    let language = proptest::option::of(proptest::option::of(prop::sample::select(vec!["zh", "en"])));
    (texts, 0i64..5, ids(), tags, language, sets, proptest::option::of(50u128..53)).prop_map(
        |(subject, priority, reason, tags, language, skills, customer)| CaseEdit {
            subject: subject.map(str::to_owned),
            priority: (priority < 4).then(|| Priority::from_rank(priority)),
            reason: reason.map(|r| r.map(id)),
            tags,
            language: language.map(|l| l.map(str::to_owned)),
            required_skills: skills.map(|s| s.into_iter().map(id).collect()),
            customer: customer.map(id),
        },
    )
}

fn a_command() -> impl Strategy<Value = CaseCommand> {
    let route = prop::sample::select(vec![Route::Hold, Route::Queue, Route::Direct, Route::None]);
    let then = prop::sample::select(vec![Then::Stay, Then::Waiting, Then::Solved]);
    let by = prop::sample::select(vec![
        AssignedBy::Person,
        AssignedBy::Pick,
        AssignedBy::Answer,
        AssignedBy::Routing,
        AssignedBy::Released,
    ]);
    let on = prop::sample::select(vec![WaitingOn::Customer, WaitingOn::ThirdParty]);
    let which = || (1u128..6).prop_map(id::<MessageId>);
    let reply = (a_message(), route, then, proptest::option::of(0i64..200), any::<bool>()).prop_map(
        |(message, route, then, seen, force)| CaseCommand::Reply { message, route, then, seen_at: seen.map(at), force },
    );
    let assign = (proptest::option::of(80u128..82), proptest::option::of(1u128..3), by).prop_map(|(team, user, by)| {
        CaseCommand::Assign { team: team.map(id), assignee: user.map(id), by, note: " n ".to_owned() }
    });
    let moved_in =
        (which(), 60u128..63, any::<bool>()).prop_map(|(message, conversation, from_customer)| CaseCommand::MoveIn {
            message,
            conversation: id(conversation),
            from: id(901),
            preview: "p".to_owned(),
            from_customer,
        });
    let joined = (60u128..63).prop_map(|n| CaseCommand::Join(NewConversation { id: id(n), ..conversation() }));
    let plain = prop::sample::select(vec![
        open_command(),
        CaseCommand::SetOpen,
        CaseCommand::Wake,
        CaseCommand::Solve,
        CaseCommand::Close,
    ]);
    let messages = prop_oneof![
        a_message().prop_map(|message| CaseCommand::Receive { message }),
        reply,
        a_message().prop_map(|message| CaseCommand::Note { message, mentions: vec![id(2)] }),
        which().prop_map(|message| CaseCommand::Undo { message }),
        which().prop_map(|message| CaseCommand::Retry { message }),
        which().prop_map(|message| CaseCommand::Release { message }),
        (which(), a_delivery()).prop_map(|(message, delivery)| CaseCommand::Delivery { message, delivery }),
        (which(), proptest::option::of(0i64..200)).prop_map(|(message, since)| CaseCommand::MoveOut {
            message,
            conversation: id(60),
            to: id(900),
            waiting_since: since.map(at),
        }),
    ];
    let states = prop_oneof![
        4 => plain,
        1 => (on, prop::sample::select(vec!["", "courier"])).prop_map(|(on, r)| CaseCommand::SetWaiting { on, reason: r.to_owned() }),
        1 => (0i64..400).prop_map(snooze),
    ];
    prop_oneof![6 => messages, 3 => states, 1 => assign, 1 => an_edit().prop_map(CaseCommand::Edit), 1 => moved_in, 1 => joined]
}

/// Through the text of the log and back.
fn logged(event: &CaseEvent) -> CaseEvent {
    let wrapped = Case::wrap(event.clone());
    let read = Event::from_parts(&wrapped.kind(), &wrapped.to_json().to_string()).expect("reads back");
    Case::unwrap(read).expect("a case's event")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_gives_the_state_again(steps in proptest::collection::vec((0i64..30, an_actor(), a_command()), 1..40)) {
        let mut clock = 0;
        let mut state: Option<CaseState> = None;
        let mut log: Vec<(Ctx, CaseEvent)> = Vec::new();
        let opening = (0, CUSTOMER, open_command());
        for (gap, actor, command) in std::iter::once(opening).chain(steps) {
            clock += gap;
            let ctx = ctx(clock, actor);
            let Ok(events) = Case::decide(state.as_ref(), &command, &ctx) else { continue };
            state = fold(state, &events, &ctx);
            log.extend(events.into_iter().map(|event| (ctx, event)));

            let state = state.as_ref().expect("opened");
            // What must hold in every state.
            prop_assert_eq!(state.status == Status::Closed, state.closed_at.is_some());
            prop_assert_eq!(matches!(state.status, Status::Solved | Status::Closed), state.solved_at.is_some());
            prop_assert!(state.outgoing.values().all(|o| !matches!(o.delivery, Delivery::None | Delivery::Sent | Delivery::Cancelled)));
            prop_assert!(state.updated_at >= state.last_message_at || state.updated_at >= state.opened_at);
            prop_assert!(state.tags.iter().all(|t| !t.trim().is_empty() && t.trim() == t));
            prop_assert!(state.required_skills.len() <= limits::SKILLS_PER_CASE);
        }
        let again = log.iter().fold(None, |s, (ctx, event)| {
            Case::apply(s, &logged(event), Happened { at: ctx.now, actor: ctx.actor })
        });
        prop_assert_eq!(&again, &state, "folded from the log");
        let text = serde_json::to_string(&state).expect("serialises");
        let stored: Option<CaseState> = serde_json::from_str(&text).expect("reads back");
        prop_assert_eq!(stored, state, "through the row");
    }
}
