//! A long queue stays cheap: what a pass reads does not grow with it.

use super::house::{CHAT, House, MAIL, Wish, id};
use crate::store::{self, NO_TEAM, QueuedRow};
use db::{Query, params, sql};
use domain::case::CaseCommand;
use domain::{CaseId, ChannelKind, Timestamp};
use testkit::{Ground, on_both_engines};

sql!(COPY_CASES = "INSERT INTO case_record (workspace_id, id, number, customer_id, channel_id, channel_kind, subject, preview, \
    status, status_rank, priority, tags, opened_at, updated_at, last_message_at, waiting_since, state, version) \
    SELECT workspace_id, $3, $4, customer_id, channel_id, channel_kind, subject, preview, status, status_rank, priority, tags, \
    opened_at, updated_at, last_message_at, waiting_since, state, version FROM case_record WHERE workspace_id = $1 AND id = $2", params: 4);
sql!(STATISTICS = "SELECT COUNT(*) FROM assignment WHERE workspace_id = $1 AND user_id IS NULL", params: 1);

/// 10,000 waiting copies of a case that nobody here can take, and then one that somebody can.
#[test]
fn ten_thousand_that_nobody_can_take_hold_up_nobody() {
    let house = House::new(Ground::sqlite());
    house.agent(1);
    house.opens(100, &Wish { skills: &[90], ..MAIL });
    house.settle();
    let ws = house.ws;
    house
        .ground
        .db
        .write_blocking(move |tx| {
            let row = store::queued(tx, ws, id(100))?.unwrap();
            for n in 0..10_000_u32 {
                let copy: CaseId = id(10_000 + u128::from(n));
                tx.execute(&COPY_CASES, params![ws, id::<CaseId>(100), copy, i64::from(10_000 + n)])?;
                store::enqueue(tx, ws, copy, &row)?;
            }
            Ok::<_, db::Error>(())
        })
        .unwrap();
    assert_eq!(house.queue_length(), 10_001);
    house.arrives(1);
    house.opens(200, &MAIL);
    house.settle();
    assert_eq!(house.holder(200), Some(1), "behind 10,000 older ones of another lane");
    let refused: i64 = house.ground.db.read_blocking(move |r| r.query_one(&STATISTICS, params![ws])).unwrap();
    assert_eq!(refused, 1, "a pass writes nothing about cases it did not come for");
    house.learn(1);
    house.settle();
    assert_eq!(house.queue_length(), 10_001 - 9, "as many as there is room for");
    house.obey(200, 1, CaseCommand::Solve);
    house.settle();
    assert_eq!(house.queue_length(), 10_001 - 10);
}

#[test]
fn lanes_and_fronts_are_read_by_index() {
    let house = House::new(Ground::sqlite());
    for (name, index) in [
        ("NEXT_LANE", "routing_queue_lane"),
        ("LANE_FRONT", "routing_queue_lane"),
        ("PLACE", "routing_queue_place"),
        ("LOADS", "case_load"),
    ] {
        let statement = db::Statement::all().find(|s| s.name() == name && s.place().0.contains("routing")).unwrap();
        let plan = db::query_plan(&house.ground.db, statement).unwrap().join("\n");
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE FOR ORDER"), "{name}: {plan}");
    }
}

#[test]
fn every_statement_is_sound_on_both_engines() {
    on_both_engines(|ground| {
        let problems = db::check_statements(&ground.db);
        assert!(problems.is_empty(), "{problems:?}");
    });
}

/// What takes place between reading the queue and giving out: the row is older than the case.
#[test]
fn a_stale_queue_gives_nothing_away() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.opens(100, &CHAT);
        house.opens(101, &CHAT);
        house.settle();
        let ws = house.ws;
        // The agent took one by hand, and the queue, by a row of old, still has it first.
        house.assigns(100, Some(1));
        house.settle();
        let row = QueuedRow {
            channel_kind: ChannelKind::Webchat.as_str().to_owned(),
            team_id: NO_TEAM,
            rank_at: Timestamp::from_micros(1),
            ..house.ground.db.read_blocking(move |r| store::queued(r, ws, id(101))).unwrap().unwrap()
        };
        house.ground.db.write_blocking(move |tx| store::enqueue(tx, ws, id(100), &row)).unwrap();
        house.capacity(1, ChannelKind::Webchat, 2);
        house.arrives(1);
        house.settle();
        assert_eq!((house.holder(100), house.holder(101), house.queue_length()), (Some(1), Some(1), 0));
    });
}
