//! Table of the case's rules: what was, what is asked, what happens or why not.
//! `tests/properties.rs` gives random commands to the same rules.

mod properties;

use super::*;
use crate::actor::{Actor, Policies};
use crate::channel::ChannelKind;
use crate::ids::*;
use crate::limits;
use crate::rejection::Code;
use crate::time::{Span, Timestamp};
use std::collections::BTreeSet;
use uuid::Uuid;

const LI: Actor = Actor::Agent(UserId(Uuid::from_u128(1)));
const WANG: Actor = Actor::Agent(UserId(Uuid::from_u128(2)));
const CUSTOMER: Actor = Actor::Customer(CustomerId(Uuid::from_u128(50)));

fn id<T: Id>(n: u128) -> T {
    T::from_uuid(Uuid::from_u128(n))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(0) + Span::seconds(seconds)
}

fn ctx(seconds: i64, actor: Actor) -> Ctx {
    Ctx { workspace: id(9), actor, now: at(seconds), policies: Policies::default() }
}

fn conversation() -> NewConversation {
    NewConversation {
        id: id(60),
        channel: id(70),
        channel_kind: ChannelKind::Email,
        customer: id(50),
        thread_key: "k".to_owned(),
    }
}

fn open_command() -> CaseCommand {
    CaseCommand::Open {
        number: 7,
        conversation: conversation(),
        subject: "  Where is my parcel?  ".to_owned(),
        priority: Priority::Normal,
        team: Some(id(80)),
        reason: None,
        language: Some("en".to_owned()),
        required_skills: BTreeSet::new(),
    }
}

fn message(n: u128, text: &str) -> NewMessage {
    NewMessage {
        id: id(n),
        conversation: id(60),
        sent_at: at(0),
        author_name: String::new(),
        automatic: false,
        text: text.to_owned(),
        html: None,
        quoted: String::new(),
        meta: serde_json::Value::Null,
        attachments: Vec::new(),
        inbox: None,
        references: Vec::new(),
    }
}

fn receive(n: u128) -> CaseCommand {
    CaseCommand::Receive { message: message(n, "hello") }
}

fn answer(n: u128, then: Then) -> CaseCommand {
    CaseCommand::Reply { message: message(n, "answer"), route: Route::Queue, then, seen_at: None, force: false }
}

/// An answer that is held for the undo delay of 8 s.
fn held(n: u128, then: Then) -> CaseCommand {
    CaseCommand::Reply { message: message(n, "answer"), route: Route::Hold, then, seen_at: None, force: false }
}

fn assign(assignee: Option<u128>, by: AssignedBy) -> CaseCommand {
    CaseCommand::Assign { team: Some(id(80)), assignee: assignee.map(id), by, note: String::new() }
}

fn waiting() -> CaseCommand {
    CaseCommand::SetWaiting { on: WaitingOn::ThirdParty, reason: " courier ".to_owned() }
}

fn snooze(until: i64) -> CaseCommand {
    CaseCommand::Snooze { until: at(until) }
}

type Step = (i64, Actor, CaseCommand);

/// A case opened at 0 in which the given commands were obeyed.
fn after(steps: &[Step]) -> CaseState {
    let opening = (0, CUSTOMER, open_command());
    let mut state = None;
    for (seconds, actor, command) in std::iter::once(&opening).chain(steps) {
        let ctx = ctx(*seconds, *actor);
        let events = Case::decide(state.as_ref(), command, &ctx).expect("a step of the table");
        state = fold(state, &events, &ctx);
    }
    state.expect("opened")
}

fn fold(state: Option<CaseState>, events: &[CaseEvent], ctx: &Ctx) -> Option<CaseState> {
    events.iter().fold(state, |s, e| Case::apply(s, e, Happened { at: ctx.now, actor: ctx.actor }))
}

/// What a command is expected to do: kinds of events, or a refusal with its code.
enum Expect<'a> {
    Events(&'a [&'a str]),
    Refused(Code),
}
use Expect::{Events, Refused};

/// Gives the command at the time by the actor and compares; answers the state after.
fn check(name: &str, given: &[Step], (seconds, actor, command): Step, expect: Expect<'_>) -> CaseState {
    let state = after(given);
    let ctx = ctx(seconds, actor);
    match (Case::decide(Some(&state), &command, &ctx), expect) {
        (Ok(events), Events(kinds)) => {
            let got: Vec<String> = events.iter().cloned().map(|e| Case::wrap(e).kind()).collect();
            let wanted: Vec<String> = kinds.iter().map(|k| format!("case.{k}")).collect();
            assert_eq!(got, wanted, "{name}");
            fold(Some(state), &events, &ctx).expect("a case does not vanish")
        }
        (Err(rejection), Refused(code)) => {
            assert_eq!(rejection.code, code, "{name}");
            state
        }
        (Ok(events), Refused(code)) => panic!("{name}: wanted {code:?}, got {events:?}"),
        (Err(rejection), Events(_)) => panic!("{name}: refused with {rejection:?}"),
    }
}

#[test]
fn opening() {
    let events = Case::decide(None, &open_command(), &ctx(0, CUSTOMER)).unwrap();
    assert_eq!(events.len(), 2, "opened and conversation joined");
    let state = fold(None, &events, &ctx(0, CUSTOMER)).unwrap();
    assert_eq!((state.subject.as_str(), &state.status, state.number), ("Where is my parcel?", &Status::New, 7));
    assert_eq!((state.team, state.assignee, state.conversations.as_slice()), (Some(id(80)), None, &[id(60)][..]));
    assert_eq!((state.opened_at, state.waiting_since), (at(0), None), "nothing said yet");

    let mut long = open_command();
    if let CaseCommand::Open { subject, .. } = &mut long {
        *subject = "字".repeat(limits::SUBJECT_CHARS + 1);
    }
    let state = fold(None, &Case::decide(None, &long, &ctx(0, CUSTOMER)).unwrap(), &ctx(0, CUSTOMER)).unwrap();
    assert_eq!(state.subject.chars().count(), limits::SUBJECT_CHARS, "cut, never refused");

    check("open twice", &[], (1, CUSTOMER, open_command()), Refused(Code::AlreadyExists));
    let refusal = Case::decide(None, &CaseCommand::Solve, &ctx(0, LI)).unwrap_err();
    assert_eq!(refusal.code, Code::NotFound, "every other command needs a case");
}

#[test]
fn joining() {
    let other = NewConversation { id: id(61), channel_kind: ChannelKind::Webchat, ..conversation() };
    let state = check("join", &[], (1, CUSTOMER, CaseCommand::Join(other.clone())), Events(&["conversation_joined"]));
    assert_eq!(state.conversations, [id(60), id(61)]);
    let closed = [(1, LI, CaseCommand::Solve), (2, LI, CaseCommand::Close)];
    check("join a closed case", &closed, (3, CUSTOMER, CaseCommand::Join(other)), Refused(Code::CaseClosed));
}

#[test]
fn receiving() {
    let state = check("first word", &[], (5, CUSTOMER, receive(1)), Events(&["message_received"]));
    assert_eq!((state.waiting_since, state.last_message_at, state.preview.as_str()), (Some(at(5)), at(5), "hello"));
    let state =
        check("second word", &[(5, CUSTOMER, receive(1))], (9, CUSTOMER, receive(2)), Events(&["message_received"]));
    assert_eq!(state.waiting_since, Some(at(5)), "a burst is one turn");

    let wakes = ["message_received", "status_changed"];
    for (name, command) in [("waiting", waiting()), ("snoozed", snooze(900)), ("solved", CaseCommand::Solve)] {
        let state = check(name, &[(1, LI, command.clone())], (5, CUSTOMER, receive(1)), Events(&wakes));
        assert_eq!(state.status, Status::Open, "{name}");
        let automatic = CaseCommand::Receive { message: NewMessage { automatic: true, ..message(1, "away") } };
        let state = check(name, &[(1, LI, command)], (5, CUSTOMER, automatic), Events(&["message_received"]));
        assert_eq!((state.status.key(), state.waiting_since), (name, None), "automatic mail is no sign of life");
    }
    let solved = [(1, LI, CaseCommand::Solve)];
    let state = check("reopened", &solved, (5, CUSTOMER, receive(1)), Events(&wakes));
    assert_eq!((state.reopened, state.solved_at), (1, None));
    let closed = [(1, LI, CaseCommand::Solve), (2, LI, CaseCommand::Close)];
    check("closed is final", &closed, (5, CUSTOMER, receive(1)), Refused(Code::CaseClosed));

    let long = CaseCommand::Receive { message: message(1, &format!("a\n b {}", "字".repeat(500))) };
    let state = check("preview", &[], (5, CUSTOMER, long), Events(&["message_received"]));
    assert!(state.preview.starts_with("a b 字") && state.preview.ends_with('…'));
    assert_eq!(state.preview.chars().count(), 141);
}

#[test]
fn replying() {
    let asked = [(1, CUSTOMER, receive(1))];
    let first = ["message_sent", "assigned", "status_changed"];
    let state = check("takes a free case", &asked, (9, LI, answer(2, Then::Stay)), Events(&first));
    assert_eq!((state.assignee, &state.status), (LI.agent(), &Status::Open));
    assert_eq!((state.waiting_since, state.first_response_at), (None, Some(at(9))));
    assert_eq!(state.last_answer, Some(Answer { by: LI.agent().unwrap(), at: at(9), message: id(2) }));
    assert_eq!(state.outgoing.get(&id(2)).map(|o| o.delivery.clone()), Some(Delivery::Queued));

    let mine = [(1, CUSTOMER, receive(1)), (2, LI, assign(Some(1), AssignedBy::Pick))];
    let state =
        check("and waits", &mine, (9, LI, answer(2, Then::Waiting)), Events(&["message_sent", "status_changed"]));
    assert_eq!(state.status, Status::Waiting { on: WaitingOn::Customer, reason: String::new() });
    let state =
        check("and solves", &mine, (9, LI, answer(2, Then::Solved)), Events(&["message_sent", "status_changed"]));
    assert_eq!((&state.status, state.solved_at), (&Status::Solved, Some(at(9))));
    let state = check("of another's case", &mine, (9, WANG, answer(2, Then::Stay)), Events(&["message_sent"]));
    assert_eq!(state.assignee, LI.agent(), "answering does not take it away");

    let by_system = CaseCommand::Reply {
        message: NewMessage { automatic: true, ..message(2, "we got it") },
        route: Route::Queue,
        then: Then::Stay,
        seen_at: None,
        force: false,
    };
    let state = check("acknowledgement", &asked, (2, Actor::System, by_system), Events(&["message_sent"]));
    assert_eq!((&state.status, state.assignee, state.first_response_at), (&Status::New, None, None));
    assert_eq!(state.waiting_since, Some(at(1)), "a machine's word is no answer");
}

#[test]
fn ways_of_replies() {
    let by =
        |route| CaseCommand::Reply { message: message(2, "a"), route, then: Then::Stay, seen_at: None, force: false };
    let mine = [(1, LI, assign(Some(1), AssignedBy::Pick))];
    let delivery = |state: &CaseState| state.outgoing.get(&id(2)).map(|o| o.delivery.clone());
    let state = check("held", &mine, (9, LI, by(Route::Hold)), Events(&["message_sent"]));
    assert_eq!(delivery(&state), Some(Delivery::Held { until: at(17) }));
    let state = check("a machine is never held", &mine, (9, Actor::System, by(Route::Hold)), Events(&["message_sent"]));
    assert_eq!(delivery(&state), Some(Delivery::Queued));
    let state = check("chat", &mine, (9, LI, by(Route::Direct)), Events(&["message_sent"]));
    assert_eq!(delivery(&state), None, "stored is delivered");
    check("no way", &mine, (9, LI, by(Route::None)), Refused(Code::NoWayToReply));

    let no_delay = Ctx { policies: Policies { undo_seconds: 0, ..Policies::default() }, ..ctx(9, LI) };
    let state = after(&mine);
    let events = Case::decide(Some(&state), &by(Route::Hold), &no_delay).unwrap();
    assert_eq!(delivery(&fold(Some(state), &events, &no_delay).unwrap()), Some(Delivery::Queued), "delay switched off");
}

#[test]
fn limits_of_replies_and_notes() {
    let reply =
        |message| CaseCommand::Reply { message, route: Route::Queue, then: Then::Stay, seen_at: None, force: false };
    let note = |message| CaseCommand::Note { message, mentions: Vec::new() };
    let with_files = |n: usize| NewMessage { attachments: (0..n).map(|n| id(n as u128)).collect(), ..message(2, "") };
    let html = |n| NewMessage { html: Some("h".repeat(n)), ..message(2, "a") };
    let mine = [(1, LI, assign(Some(1), AssignedBy::Pick))];
    let (max_text, max_html, max_files) =
        (limits::MESSAGE_BYTES, limits::MESSAGE_HTML_BYTES, limits::ATTACHMENTS_PER_MESSAGE);
    let table: [(&str, NewMessage, Option<Code>); 8] = [
        ("blank", message(2, " \n "), Some(Code::EmptyMessage)),
        ("only a file", with_files(1), None),
        ("most files", with_files(max_files), None),
        ("one file more", with_files(max_files + 1), Some(Code::TooMany)),
        ("longest text", message(2, &"a".repeat(max_text)), None),
        ("one byte more", message(2, &"a".repeat(max_text + 1)), Some(Code::TooLarge)),
        ("longest html", html(max_html), None),
        ("one html byte more", html(max_html + 1), Some(Code::TooLarge)),
    ];
    for (name, message, refusal) in table {
        let expect = |kinds: &'static [&'static str]| refusal.map_or(Events(kinds), Refused);
        check(name, &mine, (9, LI, reply(message.clone())), expect(&["message_sent"]));
        check(name, &mine, (9, LI, note(message)), expect(&["note_added"]));
    }
    let closed = [(1, LI, CaseCommand::Solve), (2, LI, CaseCommand::Close)];
    check("reply to a closed case", &closed, (3, LI, answer(2, Then::Stay)), Refused(Code::CaseClosed));
    let before = after(&closed);
    let state = check("note on a closed case", &closed, (3, LI, note(message(2, "fyi"))), Events(&["note_added"]));
    assert_eq!(
        (state.last_message_at, state.preview),
        (before.last_message_at, before.preview),
        "a note is no message"
    );
}

#[test]
fn collision() {
    let answered = [(1, CUSTOMER, receive(1)), (10, LI, answer(2, Then::Stay))];
    let reply = |seen: Option<i64>, force| CaseCommand::Reply {
        message: message(3, "b"),
        route: Route::Queue,
        then: Then::Stay,
        seen_at: seen.map(at),
        force,
    };
    check("not seen", &answered, (13, WANG, reply(None, false)), Refused(Code::AnsweredMeanwhile));
    check("seen only the question", &answered, (13, WANG, reply(Some(1), false)), Refused(Code::AnsweredMeanwhile));
    let refusal = Case::decide(Some(&after(&answered)), &reply(Some(1), false), &ctx(13, WANG)).unwrap_err();
    assert_eq!(refusal.params["seconds_ago"], 3);
    assert_eq!(refusal.params["agent"], LI.agent().unwrap().to_string());
    check("send anyway", &answered, (13, WANG, reply(Some(1), true)), Events(&["message_sent"]));
    check("seen", &answered, (13, WANG, reply(Some(10), false)), Events(&["message_sent"]));
    check("my own answer", &answered, (13, LI, reply(Some(1), false)), Events(&["message_sent"]));
    check("at the edge", &answered, (610, WANG, reply(Some(1), false)), Refused(Code::AnsweredMeanwhile));
    check("long ago", &answered, (611, WANG, reply(Some(1), false)), Events(&["message_sent"]));
    check("a machine is not asked", &answered, (13, Actor::System, reply(None, false)), Events(&["message_sent"]));
    let held_and_undone =
        [(1, CUSTOMER, receive(1)), (10, LI, held(2, Then::Stay)), (12, LI, CaseCommand::Undo { message: id(2) })];
    let opens = ["message_sent", "status_changed"];
    check("taken back", &held_and_undone, (13, WANG, reply(Some(1), false)), Events(&opens));
}

#[test]
fn undoing() {
    let undo = || CaseCommand::Undo { message: id(2) };
    let asked = (1, CUSTOMER, receive(1));
    let sent = [asked.clone(), (10, LI, held(2, Then::Solved))];
    check("another's", &sent, (12, WANG, undo()), Refused(Code::NotYours));
    check("unknown", &sent, (12, LI, CaseCommand::Undo { message: id(99) }), Refused(Code::NothingToUndo));
    check("too late by the clock", &sent, (18, LI, undo()), Refused(Code::UndoTooLate));
    let state = check("in time", &sent, (17, LI, undo()), Events(&["message_cancelled", "status_changed"]));
    assert_eq!((&state.status, state.solved_at, state.reopened), (&Status::New, None, 0), "as if never said");
    assert_eq!((state.waiting_since, state.first_response_at, state.last_answer), (Some(at(1)), None, None));
    assert!(state.outgoing.is_empty());
    let mut gone = sent.to_vec();
    gone.push((12, LI, undo()));
    check("twice", &gone, (13, LI, undo()), Refused(Code::NothingToUndo));
    let released =
        [asked.clone(), (10, LI, held(2, Then::Stay)), (11, Actor::System, CaseCommand::Release { message: id(2) })];
    check("already on its way", &released, (12, LI, undo()), Refused(Code::UndoTooLate));

    let two = [
        asked.clone(),
        (10, LI, held(2, Then::Waiting)),
        (
            12,
            WANG,
            CaseCommand::Reply {
                message: message(3, "b"),
                route: Route::Queue,
                then: Then::Solved,
                seen_at: None,
                force: true,
            },
        ),
    ];
    let state = check("not the latest", &two, (13, LI, undo()), Events(&["message_cancelled"]));
    assert_eq!((&state.status, state.last_answer.map(|a| a.message)), (&Status::Solved, Some(id(3))));

    let reopened_by_answer = [(1, LI, CaseCommand::Solve), (10, LI, held(2, Then::Waiting))];
    let state = check(
        "back to solved",
        &reopened_by_answer,
        (12, LI, undo()),
        Events(&["message_cancelled", "status_changed"]),
    );
    assert_eq!((&state.status, state.solved_at), (&Status::Solved, Some(at(1))), "with its own time");
    assert_eq!((state.reopened, state.outgoing.len()), (0, 0));

    let spoke = [(1, LI, CaseCommand::Solve), (10, LI, held(2, Then::Waiting)), (11, CUSTOMER, receive(4))];
    let state = check("the customer spoke since", &spoke, (12, LI, undo()), Events(&["message_cancelled"]));
    assert_eq!((&state.status, state.waiting_since), (&Status::Open, Some(at(11))), "stays in sight");
}

#[test]
fn delivering() {
    let queued = [(1, LI, answer(2, Then::Stay))];
    let delivery = |delivery| CaseCommand::Delivery { message: id(2), delivery };
    let failed = || Delivery::Failed { code: "delivery_rejected".to_owned() };
    let state = check("sent", &queued, (2, Actor::System, delivery(Delivery::Sent)), Events(&["delivery_changed"]));
    assert!(state.outgoing.is_empty(), "what ended well needs no memory");
    let state = check("failed", &queued, (2, Actor::System, delivery(failed())), Events(&["delivery_changed"]));
    assert_eq!(state.outgoing[&id(2)].delivery, failed());
    check("same again", &queued, (2, Actor::System, delivery(Delivery::Queued)), Events(&[]));
    let unknown = CaseCommand::Delivery { message: id(99), delivery: Delivery::Sent };
    check("unknown message", &queued, (2, Actor::System, unknown), Events(&[]));
    let sent = [queued[0].clone(), (2, Actor::System, delivery(Delivery::Sent))];
    let state = check("came back", &sent, (3, Actor::System, delivery(failed())), Events(&["delivery_changed"]));
    assert_eq!(state.outgoing[&id(2)].delivery, failed(), "and can be tried again");

    let retry = || CaseCommand::Retry { message: id(2) };
    let broken = [(1, LI, answer(2, Then::Stay)), (2, Actor::System, delivery(failed()))];
    let state = check("retry", &broken, (3, LI, retry()), Events(&["delivery_changed"]));
    assert_eq!(state.outgoing[&id(2)].delivery, Delivery::Queued);
    check("retry what has not failed", &queued, (3, LI, retry()), Refused(Code::NotFailed));
    let unknown = CaseCommand::Retry { message: id(99) };
    check("retry the unknown", &queued, (3, LI, unknown), Refused(Code::NotFailed));

    let release = || CaseCommand::Release { message: id(2) };
    let state =
        check("release", &[(1, LI, held(2, Then::Stay))], (9, Actor::System, release()), Events(&["delivery_changed"]));
    assert_eq!(state.outgoing[&id(2)].delivery, Delivery::Queued);
    check("release twice", &queued, (9, Actor::System, release()), Events(&[]));
}

#[test]
fn moves_between_states() {
    // from, then: open, waiting, snoozed, solved, closed. ok = happens, no = refused, same = nothing to do
    let states: [(&str, Vec<Step>, [&str; 5]); 6] = [
        ("new", vec![], ["ok", "ok", "ok", "ok", "no"]),
        ("open", vec![(1, LI, CaseCommand::SetOpen)], ["same", "ok", "ok", "ok", "no"]),
        ("waiting", vec![(1, LI, waiting())], ["ok", "same", "ok", "ok", "no"]),
        ("snoozed", vec![(1, LI, snooze(900))], ["ok", "ok", "same", "ok", "no"]),
        ("solved", vec![(1, LI, CaseCommand::Solve)], ["ok", "ok", "ok", "same", "ok"]),
        ("closed", vec![(1, LI, CaseCommand::Solve), (2, LI, CaseCommand::Close)], ["no", "no", "no", "no", "same"]),
    ];
    for (name, given, row) in states {
        let commands = [CaseCommand::SetOpen, waiting(), snooze(900), CaseCommand::Solve, CaseCommand::Close];
        for ((command, to), wanted) in
            commands.into_iter().zip(["open", "waiting", "snoozed", "solved", "closed"]).zip(row)
        {
            let label = format!("{name} -> {to}");
            let refused = if name == "closed" { Code::CaseClosed } else { Code::StatusNotAllowed };
            let expect = match wanted {
                "ok" => Events(&["status_changed"]),
                "same" => Events(&[]),
                _ => Refused(refused),
            };
            let state = check(&label, &given, (3, LI, command), expect);
            assert_eq!(state.status.key(), if wanted == "no" { name } else { to }, "{label}");
            assert_eq!(
                may_become(&after(&given), to).is_ok(),
                wanted != "no" && !(wanted == "same" && name == "closed"),
                "{label}"
            );
        }
    }
    assert_eq!(may_become(&after(&[]), "new").unwrap_err().code, Code::StatusNotAllowed);
}

#[test]
fn solving_closing_reopening() {
    let asked = (1, CUSTOMER, receive(1));
    let state = check("solve", std::slice::from_ref(&asked), (5, LI, CaseCommand::Solve), Events(&["status_changed"]));
    assert_eq!((state.solved_at, state.waiting_since), (Some(at(5)), None));
    let solved = [asked, (5, LI, CaseCommand::Solve)];
    let state = check("close", &solved, (9, Actor::System, CaseCommand::Close), Events(&["status_changed"]));
    assert_eq!((state.solved_at, state.closed_at), (Some(at(5)), Some(at(9))));
    let state = check("reopen", &solved, (9, LI, CaseCommand::SetOpen), Events(&["status_changed"]));
    assert_eq!((state.reopened, state.solved_at), (1, None));
    let limit = limits::SUBJECT_CHARS;
    let waiting = |n| CaseCommand::SetWaiting { on: WaitingOn::Customer, reason: "r".repeat(n) };
    check("longest reason", &[], (1, LI, waiting(limit)), Events(&["status_changed"]));
    check("too long a reason", &[], (1, LI, waiting(limit + 1)), Refused(Code::TooLong));
}

#[test]
fn snoozing() {
    let last = 10 + limits::SNOOZE_MAX_DAYS * 86_400;
    check("now is past", &[], (10, LI, snooze(10)), Refused(Code::SnoozeInPast));
    check("a second ahead", &[], (10, LI, snooze(11)), Events(&["status_changed"]));
    check("longest", &[], (10, LI, snooze(last)), Events(&["status_changed"]));
    check("too long", &[], (10, LI, snooze(last + 1)), Refused(Code::TooLarge));
    let asleep = [(1, LI, snooze(100))];
    check("to another time", &asleep, (2, LI, snooze(200)), Events(&["status_changed"]));
    check("not yet", &asleep, (99, Actor::System, CaseCommand::Wake), Events(&[]));
    let state = check("wake", &asleep, (100, Actor::System, CaseCommand::Wake), Events(&["status_changed"]));
    assert_eq!((&state.status, state.reopened), (&Status::Open, 0));
    check("wake the awake", &[], (100, Actor::System, CaseCommand::Wake), Events(&[]));
    let closed = [(1, LI, CaseCommand::Solve), (2, LI, CaseCommand::Close)];
    check("snooze a closed case", &closed, (3, LI, snooze(900)), Refused(Code::CaseClosed));
}

#[test]
fn assigning() {
    let taken = [(1, LI, assign(Some(1), AssignedBy::Pick))];
    let state = check("pick", &[], (1, LI, assign(Some(1), AssignedBy::Pick)), Events(&["assigned", "status_changed"]));
    assert_eq!((state.assignee, &state.status), (LI.agent(), &Status::Open), "taken is open");
    for by in [AssignedBy::Pick, AssignedBy::Routing] {
        check("what is taken", &taken, (2, WANG, assign(Some(2), by)), Refused(Code::AlreadyAssigned));
        check("twice by the same", &taken, (2, LI, assign(Some(1), by)), Events(&[]));
    }
    let state = check("transfer", &taken, (2, LI, assign(Some(2), AssignedBy::Person)), Events(&["assigned"]));
    assert_eq!(state.assignee, WANG.agent());
    let state = check("release", &taken, (2, Actor::System, assign(None, AssignedBy::Released)), Events(&["assigned"]));
    assert_eq!((state.assignee, &state.status), (None, &Status::Open));
    let to_team = CaseCommand::Assign {
        team: Some(id(81)),
        assignee: None,
        by: AssignedBy::Person,
        note: " call back ".to_owned(),
    };
    let state = check("to a team", &taken, (2, LI, to_team.clone()), Events(&["assigned"]));
    assert_eq!((state.team, state.assignee), (Some(id(81)), None));
    let events = Case::decide(Some(&after(&taken)), &to_team, &ctx(2, LI)).unwrap();
    let expected = CaseEvent::Assigned {
        team: Some(id(81)),
        assignee: None,
        by: AssignedBy::Person,
        note: "call back".to_owned(),
        previous: LI.agent(),
    };
    assert_eq!(events, [expected]);
    let noted = |n| CaseCommand::Assign { team: None, assignee: None, by: AssignedBy::Person, note: "n".repeat(n) };
    check("longest note", &taken, (2, LI, noted(limits::NOTE_CHARS)), Events(&["assigned"]));
    check("too long a note", &taken, (2, LI, noted(limits::NOTE_CHARS + 1)), Refused(Code::TooLong));
    let solved = [(1, LI, CaseCommand::Solve)];
    let state = check(
        "a solved case stays solved",
        &solved,
        (2, LI, assign(Some(2), AssignedBy::Person)),
        Events(&["assigned"]),
    );
    assert_eq!(state.status, Status::Solved);
    let closed = [(1, LI, CaseCommand::Solve), (2, LI, CaseCommand::Close)];
    check("a closed case", &closed, (3, LI, assign(Some(2), AssignedBy::Person)), Refused(Code::CaseClosed));
}

#[test]
fn editing() {
    let edit = |edit| CaseCommand::Edit(edit);
    let subject = |text: &str| edit(CaseEdit { subject: Some(text.to_owned()), ..CaseEdit::default() });
    let tags = |tags: Vec<String>| edit(CaseEdit { tags: Some(tags.into_iter().collect()), ..CaseEdit::default() });
    let state = check("subject", &[], (1, LI, subject("  New ")), Events(&["edited"]));
    assert_eq!(state.subject, "New");
    check("same subject", &[], (1, LI, subject("Where is my parcel?")), Events(&[]));
    check("blank subject", &[], (1, LI, subject("  ")), Refused(Code::Required));
    check("longest subject", &[], (1, LI, subject(&"字".repeat(limits::SUBJECT_CHARS))), Events(&["edited"]));
    check("too long", &[], (1, LI, subject(&"字".repeat(limits::SUBJECT_CHARS + 1))), Refused(Code::TooLong));
    let state = check(
        "tags",
        &[],
        (1, LI, tags(vec![" VIP ".to_owned(), "vip".to_owned(), " ".to_owned()])),
        Events(&["edited"]),
    );
    assert_eq!(state.tags.into_iter().collect::<Vec<_>>(), ["vip"]);
    let many = |n: usize| tags((0..n).map(|n| format!("t{n}")).collect());
    check("most tags", &[], (1, LI, many(limits::TAGS_PER_CASE)), Events(&["edited"]));
    check("one tag more", &[], (1, LI, many(limits::TAGS_PER_CASE + 1)), Refused(Code::TooMany));
    check("longest tag", &[], (1, LI, tags(vec!["t".repeat(limits::TAG_CHARS)])), Events(&["edited"]));
    check("too long a tag", &[], (1, LI, tags(vec!["t".repeat(limits::TAG_CHARS + 1)])), Refused(Code::TooLong));
    let skills = |n: u128| edit(CaseEdit { required_skills: Some((0..n).map(id).collect()), ..CaseEdit::default() });
    check("most skills", &[], (1, LI, skills(limits::SKILLS_PER_CASE as u128)), Events(&["edited"]));
    check("one skill more", &[], (1, LI, skills(limits::SKILLS_PER_CASE as u128 + 1)), Refused(Code::TooMany));

    let all = CaseEdit {
        subject: None,
        priority: Some(Priority::Urgent),
        reason: Some(Some(id(5))),
        tags: None,
        language: Some(None),
        required_skills: None,
        customer: Some(id(51)),
    };
    let state = check("fields", &[], (1, LI, edit(all.clone())), Events(&["edited"]));
    assert_eq!(
        (state.priority, state.reason, state.language, state.customer),
        (Priority::Urgent, Some(id(5)), None, id(51))
    );
    check(
        "nothing new",
        &[(1, LI, edit(all))],
        (2, LI, edit(CaseEdit { priority: Some(Priority::Urgent), ..CaseEdit::default() })),
        Events(&[]),
    );
    let closed = [(1, LI, CaseCommand::Solve), (2, LI, CaseCommand::Close)];
    check("a closed case", &closed, (3, LI, subject("x")), Refused(Code::CaseClosed));
}

#[test]
fn moving_messages() {
    let out_and =
        |waiting_since| CaseCommand::MoveOut { message: id(1), conversation: id(61), to: id(900), waiting_since };
    let out = out_and(None);
    let into = |from_customer| CaseCommand::MoveIn {
        message: id(1),
        conversation: id(61),
        from: id(901),
        preview: "moved".to_owned(),
        from_customer,
    };
    let asked = [(1, CUSTOMER, receive(1))];
    let state = check("out", &asked, (2, LI, out.clone()), Events(&["message_moved_out"]));
    assert_eq!(state.waiting_since, None, "what was asked here was asked elsewhere");
    let twice = [(1, CUSTOMER, receive(1)), (2, CUSTOMER, receive(2))];
    let state = check("another stays", &twice, (3, LI, out_and(Some(at(2)))), Events(&["message_moved_out"]));
    assert_eq!(state.waiting_since, Some(at(2)));
    let answered = [(1, CUSTOMER, receive(1)), (2, LI, answer(2, Then::Stay))];
    let state = check("answered", &answered, (3, LI, out_and(Some(at(1)))), Events(&["message_moved_out"]));
    assert_eq!(state.waiting_since, None, "an answered case does not wait again");
    let state = check(
        "out takes its delivery along",
        &[(1, LI, answer(1, Then::Stay))],
        (2, LI, out),
        Events(&["message_moved_out"]),
    );
    assert!(state.outgoing.is_empty());
    let state = check("in", &[], (2, LI, into(true)), Events(&["message_moved_in"]));
    assert_eq!((state.conversations.as_slice(), state.waiting_since), (&[id(60), id(61)][..], Some(at(2))));
    let wakes = ["message_moved_in", "status_changed"];
    let state = check("the customer's word wakes", &[(1, LI, CaseCommand::Solve)], (2, LI, into(true)), Events(&wakes));
    assert_eq!((&state.status, state.reopened), (&Status::Open, 1));
    let state =
        check("ours does not", &[(1, LI, CaseCommand::Solve)], (2, LI, into(false)), Events(&["message_moved_in"]));
    assert_eq!((&state.status, state.waiting_since), (&Status::Solved, None));
    let closed = [(1, LI, CaseCommand::Solve), (2, LI, CaseCommand::Close)];
    check("into a closed case", &closed, (3, LI, into(true)), Refused(Code::CaseClosed));
}
