//! What may be heard, by table.

use crate::frame::{Said, may_hear};
use crate::viewers::{CONNECTIONS_PER_USER, Viewers};
use domain::access::{Access, Grant, Place};
use domain::event::{AccessEvent, ConfigAction, ConfigChanged};
use domain::{Actor, CaseId, ChannelId, Event, EventId, Permission, TeamId, Timestamp, UserId, WorkspaceId};
use spine::LoggedEvent;
use uuid::Uuid;

fn event(subject_kind: &str, event: Event) -> LoggedEvent {
    LoggedEvent {
        workspace: WorkspaceId(Uuid::nil()),
        part: 0,
        position: 1,
        id: EventId(Uuid::nil()),
        at: Timestamp::from_micros(0),
        actor: Actor::System,
        subject_kind: subject_kind.to_owned(),
        subject: Uuid::nil(),
        version: 1,
        kind: event.kind(),
        event,
    }
}

fn access(permission: Permission, team: Option<u128>) -> Access {
    let team = team.map(|t| TeamId(Uuid::from_u128(t)));
    Access { owner: false, grants: vec![Grant { permissions: [permission].into(), team, channel: None }] }
}

#[test]
fn an_event_is_heard_only_where_its_subject_may_be_seen() {
    let place = |team: u128| Place { team: Some(TeamId(Uuid::from_u128(team))), channel: ChannelId(Uuid::nil()) };
    let config = |object: &str| {
        Event::Config(ConfigChanged {
            object: object.to_owned(),
            id: Uuid::nil(),
            action: ConfigAction::Changed,
            before: serde_json::Value::Null,
            after: serde_json::Value::Null,
        })
    };
    let case = event("case", config("x"));
    let table = [
        (access(Permission::CaseRead, None), &case, Some(place(1)), true),
        (access(Permission::CaseRead, Some(1)), &case, Some(place(1)), true),
        (access(Permission::CaseRead, Some(2)), &case, Some(place(1)), false),
        (access(Permission::CustomerRead, None), &case, Some(place(1)), false),
        (Access::owner(), &case, None, false),
        (access(Permission::CaseRead, None), &event("user", Event::Access(AccessEvent::SignInFailed)), None, false),
        (access(Permission::CaseRead, None), &event("team", config("team")), None, true),
        (access(Permission::CaseRead, None), &event("customer", config("x")), None, false),
    ];
    for (index, (access, event, place, expected)) in table.into_iter().enumerate() {
        assert_eq!(may_hear(&access, event, place.as_ref()), expected, "line {index}");
    }
}

#[test]
fn only_the_listed_frames_are_understood() {
    for good in [r#"{"t":"hello","resume":null,"csrf":"desk"}"#, r#"{"t":"viewing","case_id":null}"#, r#"{"t":"pong"}"#]
    {
        assert!(serde_json::from_str::<Said>(good).is_ok(), "{good}");
    }
    for bad in ["", "x", "[]", "{}", r#"{"t":"drop_table"}"#, r#"{"t":"viewing","case_id":"1"}"#, r#"{"t":"typing"}"#] {
        assert!(serde_json::from_str::<Said>(bad).is_err(), "{bad}");
    }
}

#[test]
fn viewers_are_counted_by_window_and_connections_are_limited() {
    let (viewers, ws, case) = (Viewers::default(), WorkspaceId(Uuid::nil()), CaseId(Uuid::nil()));
    let (li, wang) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    assert!(viewers.look(ws, case, li, "Li").is_empty());
    assert!(viewers.look(ws, case, li, "Li").is_empty());
    assert_eq!(viewers.look(ws, case, wang, "Wang"), vec![(li, "Li".to_owned())]);
    assert!(!viewers.leave(ws, case, li));
    assert!(viewers.leave(ws, case, li));
    assert!(!viewers.leave(ws, case, li));
    for n in 0..CONNECTIONS_PER_USER {
        assert_eq!(viewers.connect(ws, li), Some(n == 0));
    }
    assert_eq!(viewers.connect(ws, li), None);
}
