//! The spine on real storage: atomicity, the log, consumers, jobs, idempotency, crashes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use db::{CrashPoint, Query, params, sql};
use domain::customer::{Customer, CustomerCommand, CustomerState};
use domain::{Actor, Aggregate, Code, CommandId, CustomerId, Happened, Rejection, Span, WorkspaceId};
use spine::{Consumer, Feature, Job, JobRow, LoggedEvent, NewJob, Order, Outcome, Refusal, Running, Spine, Unit};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use testkit::{Ground, on_both_engines};
use uuid::Uuid;

sql!(POSITIONS = "SELECT position FROM event WHERE workspace_id = $1 AND part = $2 ORDER BY position", params: 2);
sql!(CUSTOMERS = "SELECT COUNT(*) FROM customer WHERE workspace_id = $1", params: 1);

fn create(name: &str) -> CustomerCommand {
    CustomerCommand::Create { name: name.to_owned(), language: None, identities: Vec::new() }
}

fn customer(n: u128) -> CustomerId {
    CustomerId(Uuid::from_u128(n))
}

fn add(spine: &Spine, ws: WorkspaceId, n: u128) -> Result<CustomerState, Refusal> {
    spine
        .execute_blocking(Order::new(ws, Actor::System), move |unit| unit.decide::<Customer>(customer(n), create("Li")))
}

fn count(ground: &Ground, ws: WorkspaceId) -> i64 {
    ground.db.read_blocking(move |r| r.query_one(&CUSTOMERS, params![ws])).unwrap()
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_refused_command_leaves_nothing_behind() {
    on_both_engines(|ground| {
        let (ws, spine) = (ground.workspace(1), ground.spine(vec![customers::feature()]));
        let result: Result<(), _> = spine.execute_blocking(Order::new(ws, Actor::System), |unit| {
            unit.decide::<Customer>(customer(1), create("Li"))?;
            unit.job(NewJob { queue: "q", key: "k".into(), payload: serde_json::json!({}), run_at: unit.now() })?;
            Err(Rejection::new(Code::Invalid).into())
        });
        assert!(matches!(result, Err(Refusal::Rejected(_))));
        assert_eq!(count(&ground, ws), 0);
        assert_eq!(block(spine.unfinished_jobs()).unwrap(), vec![]);
        assert_eq!(ground.db.read_blocking(move |r| spine::heads_of(r, ws)).unwrap(), vec![]);
    });
}

#[test]
fn positions_have_no_gaps_and_folding_gives_the_stored_state() {
    on_both_engines(|ground| {
        let (ws, spine) = (ground.workspace(1), ground.spine(vec![customers::feature()]));
        std::thread::scope(|scope| {
            for thread in 0..4_u128 {
                let spine = spine.clone();
                scope.spawn(move || {
                    for n in 0..10 {
                        add(&spine, ws, thread * 100 + n).unwrap();
                    }
                });
            }
        });
        let heads = ground.db.read_blocking(move |r| spine::heads_of(r, ws)).unwrap();
        assert_eq!(heads.iter().map(|(_, head)| head).sum::<i64>(), 40);
        for (part, head) in heads {
            let positions: Vec<i64> = ground.db.read_blocking(move |r| r.query(&POSITIONS, params![ws, part])).unwrap();
            assert_eq!(positions, (1..=head).collect::<Vec<_>>());
        }
        let id = customer(203);
        let history = ground.db.read_blocking(move |r| spine::events_of(r, ws, Customer::KIND, id.0)).unwrap();
        let folded = history.into_iter().fold(None, |state, logged| {
            let happened = Happened { at: logged.at, actor: logged.actor };
            Customer::apply(state, &Customer::unwrap(logged.event).unwrap(), happened)
        });
        let stored =
            spine.execute_blocking(Order::new(ws, Actor::System), move |unit| unit.load::<Customer>(id)).unwrap();
        assert_eq!(folded, stored);
    });
}

#[test]
fn the_same_key_is_done_once_and_another_request_under_it_is_refused() {
    on_both_engines(|ground| {
        let (ws, spine) = (ground.workspace(1), ground.spine(vec![customers::feature()]));
        let key = CommandId(Uuid::from_u128(5));
        let send = |fingerprint: [u8; 32]| {
            let order = Order::new(ws, Actor::System).idempotent(key, fingerprint);
            spine.execute_blocking(order, |unit| {
                let id: CustomerId = unit.next_id();
                unit.decide::<Customer>(id, create("Li"))?;
                Ok(id)
            })
        };
        let first = send([1; 32]).unwrap();
        assert_eq!(send([1; 32]).unwrap(), first);
        assert!(matches!(send([2; 32]), Err(Refusal::Rejected(r)) if r.code == Code::IdempotencyKeyReused));
        assert_eq!(count(&ground, ws), 1);
    });
}

/// Notes every event it is given; refuses the ones named "poison" and fails on the way for "stumble".
struct Notebook {
    seen: Arc<Mutex<Vec<(i16, i64)>>>,
}

impl Consumer for Notebook {
    fn name(&self) -> &'static str {
        "test.notebook"
    }
    fn wants(&self, kind: &str) -> bool {
        kind == "customer.created"
    }
    fn consume(&self, unit: &mut Unit<'_, '_>, event: &LoggedEvent) -> Result<(), Refusal> {
        if event.event.to_json()["name"] == "poison" {
            return Err(Code::Invalid.into());
        }
        self.seen.lock().unwrap().push((event.part, event.position));
        let (key, run_at) = (event.id.to_string(), unit.now());
        unit.job(NewJob { queue: "count", key, payload: serde_json::json!({}), run_at })
    }
}

struct Count(Arc<AtomicU32>);

impl Job for Count {
    fn queue(&self) -> &'static str {
        "count"
    }
    fn run<'a>(&'a self, _: &'a Spine, job: &'a JobRow) -> Running<'a> {
        Box::pin(async move {
            if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
                return Outcome::back_off(job.attempts, "the first attempt fails");
            }
            Outcome::Done
        })
    }
}

#[test]
fn consumers_take_each_event_once_pass_over_poison_and_jobs_are_tried_again() {
    on_both_engines(|ground| {
        let ws = ground.workspace(1);
        let (seen, counted) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU32::new(0)));
        let features = || {
            let feature = Feature::new().consumer(Notebook { seen: seen.clone() }).job(Count(counted.clone()));
            vec![customers::feature(), feature]
        };
        let spine = ground.spine(features());
        for n in 0..20 {
            let name = if n == 7 { "poison" } else { "Li" };
            let order = Order::new(ws, Actor::System);
            spine.execute_blocking(order, move |unit| unit.decide::<Customer>(customer(n), create(name))).unwrap();
        }
        block(spine.run_due()).unwrap();
        let taken = seen.lock().unwrap().clone();
        let unique: std::collections::BTreeSet<_> = taken.iter().collect();
        assert_eq!(unique.len(), 19);
        assert_eq!(counted.load(Ordering::SeqCst), 19);
        ground.clock.advance(Span::seconds(10));
        block(spine.run_due()).unwrap();
        assert_eq!(counted.load(Ordering::SeqCst), 20, "the failed one again, no other");
        // After a restart nothing is taken twice.
        let before = seen.lock().unwrap().len();
        block(ground.spine(features()).run_due()).unwrap();
        assert_eq!(seen.lock().unwrap().len(), before);
        assert_eq!(block(spine.unfinished_jobs()).unwrap(), vec![]);
    });
}

#[test]
fn a_timer_moves_and_can_be_cancelled() {
    on_both_engines(|ground| {
        let ws = ground.workspace(1);
        let counted = Arc::new(AtomicU32::new(1));
        let spine = ground.spine(vec![Feature::new().job(Count(counted.clone()))]);
        let set = |key: &'static str, minutes: i64| {
            spine
                .execute_blocking(Order::new(ws, Actor::System), move |unit| {
                    let run_at = unit.now() + Span::minutes(minutes);
                    unit.job(NewJob { queue: "count", key: key.into(), payload: serde_json::json!({}), run_at })
                })
                .unwrap();
        };
        set("a", 5);
        set("b", 5);
        set("a", 30);
        spine.execute_blocking(Order::new(ws, Actor::System), |unit| unit.cancel_job("count", "b")).unwrap();
        ground.clock.advance(Span::minutes(10));
        block(spine.run_due()).unwrap();
        assert_eq!(counted.load(Ordering::SeqCst), 1);
        ground.clock.advance(Span::minutes(20));
        block(spine.run_due()).unwrap();
        assert_eq!(counted.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_crash_at_the_commit_is_all_or_nothing() {
    for (point, expected) in [(CrashPoint::BeforeCommit, 1), (CrashPoint::AfterCommit, 2)] {
        let ground = Ground::sqlite();
        let (ws, spine) = (ground.workspace(1), ground.spine(vec![customers::feature()]));
        add(&spine, ws, 1).unwrap();
        ground.db.arm(point);
        assert!(add(&spine, ws, 2).is_err(), "nobody is told of success");
        let path = ground.folder.path().join("steward.db");
        let again = db::Db::open(&db::Settings::Sqlite { path, readers: 1 }).unwrap();
        let customers: i64 = again.read_blocking(move |r| r.query_one(&CUSTOMERS, params![ws])).unwrap();
        let heads = again.read_blocking(move |r| spine::heads_of(r, ws)).unwrap();
        assert_eq!((customers, heads), (expected, vec![(0, expected)]), "{point:?}");
    }
}
