//! Customers on both engines: the row is the folded history, and what was only claimed never finds anybody.

use crate::store::search::{self, CaseSight};
use db::{Query, params, sql};
use domain::access::Scope;
use domain::customer::{Customer, CustomerCommand, CustomerIdentity, CustomerState, IdentityKind, Level};
use domain::{Actor, Aggregate, CustomerId, Happened, Id, WorkspaceId};
use spine::{Order, Refusal, Spine};
use testkit::{Ground, on_both_engines};
use uuid::Uuid;

sql!(BY_ADDRESS = "SELECT customer_id FROM view_customer_identity WHERE workspace_id = $1 AND kind = $2 AND address = $3 \
    ORDER BY level DESC, added_at, customer_id LIMIT 1", params: 3);
sql!(ADD_CASE = "INSERT INTO case_record (workspace_id, id, number, customer_id, channel_id, channel_kind, subject, preview, status, \
    status_rank, priority, team_id, tags, opened_at, updated_at, last_message_at, state, version) \
    VALUES ($1, $2, $3, $4, $2, 'email', 'subject', '', $5, $6, 1, $7, '[]', 0, 0, 0, '{}', 1)", params: 7);

fn customer(n: u128) -> CustomerId {
    CustomerId(Uuid::from_u128(n))
}

fn identity(address: &str, level: Level) -> CustomerIdentity {
    CustomerIdentity { kind: IdentityKind::Email, address: address.to_owned(), level }
}

fn give(spine: &Spine, ws: WorkspaceId, id: CustomerId, command: CustomerCommand) -> Result<(), Refusal> {
    spine.execute_blocking(Order::new(ws, Actor::System), move |unit| {
        unit.decide::<Customer>(id, command.clone())?;
        Ok(())
    })
}

fn create(name: &str, identities: Vec<CustomerIdentity>) -> CustomerCommand {
    CustomerCommand::Create { name: name.to_owned(), language: None, identities }
}

fn opened(ground: &Ground) -> (Spine, WorkspaceId) {
    (ground.spine(vec![crate::feature()]), ground.workspace(1))
}

#[test]
fn every_statement_prepares() {
    on_both_engines(|ground| {
        let problems = db::check_statements(&ground.db);
        assert!(problems.is_empty(), "{problems:#?}");
    });
}

#[test]
fn the_row_is_the_folded_history() {
    on_both_engines(|ground| {
        let (spine, ws) = opened(&ground);
        let id = customer(1);
        give(&spine, ws, id, create("王芳", vec![identity("Fang@Example.cn", Level::Claimed)])).unwrap();
        let edit = CustomerCommand::Edit {
            name: Some("王芳芳".to_owned()),
            language: Some(Some("zh-CN".to_owned())),
            time_zone: Some(Some("Asia/Shanghai".to_owned())),
            company: Some("示例".to_owned()),
            note: Some("VIP".to_owned()),
        };
        give(&spine, ws, id, edit).unwrap();
        give(&spine, ws, id, CustomerCommand::AddIdentity(identity("fang@example.cn", Level::Verified))).unwrap();
        let clear =
            CustomerCommand::Edit { name: None, language: Some(None), time_zone: None, company: None, note: None };
        give(&spine, ws, id, clear).unwrap();
        let read = ground.db.read_blocking(move |r| {
            let events = spine::events_of(r, ws, Customer::KIND, id.uuid())?;
            Ok::<_, Refusal>((events, search::state(r, ws, id)?))
        });
        let (events, state) = read.unwrap();
        let folded: Option<CustomerState> = events.into_iter().fold(None, |folded, event| {
            let happened = Happened { at: event.at, actor: event.actor };
            Customer::apply(folded, &Customer::unwrap(event.event).unwrap(), happened)
        });
        assert_eq!(folded, state);
        let state = state.unwrap();
        assert_eq!((state.name.as_str(), state.language, state.identities.len()), ("王芳芳", None, 1));
    });
}

#[test]
fn what_was_claimed_finds_nobody() {
    on_both_engines(|ground| {
        let (spine, ws) = opened(&ground);
        let found = |address: &str| {
            let address = address.to_owned();
            let read = ground
                .db
                .read_blocking(move |r| r.query_opt::<CustomerId>(&BY_ADDRESS, params![ws, "email", address.as_str()]));
            read.unwrap()
        };
        give(&spine, ws, customer(1), create("A", vec![identity("a@x.cn", Level::Claimed)])).unwrap();
        assert_eq!(found("a@x.cn"), None);
        give(&spine, ws, customer(2), create("B", vec![identity("a@x.cn", Level::Channel)])).unwrap();
        assert_eq!(found("a@x.cn"), Some(customer(2)));
        give(&spine, ws, customer(1), CustomerCommand::AddIdentity(identity("a@x.cn", Level::Verified))).unwrap();
        assert_eq!(found("a@x.cn"), Some(customer(1)), "proof beats the channel's word");
    });
}

#[test]
fn customers_are_found_and_paged() {
    on_both_engines(|ground| {
        let (spine, ws) = opened(&ground);
        for n in 1..=9 {
            let mail = identity(&format!("c{n}@shop.cn"), Level::Claimed);
            give(&spine, ws, customer(n), create(if n % 2 == 0 { "Even" } else { "odd 100%" }, vec![mail])).unwrap();
        }
        let page = |text: &str, after: Option<(String, CustomerId)>, limit: usize| {
            let text = text.to_owned();
            let read = ground.db.read_blocking(move |r| search::page(r, ws, &text, (after.as_ref(), limit)));
            read.unwrap()
        };
        assert_eq!(page("EVEN", None, 50).len(), 4);
        assert_eq!(page("100%", None, 50).len(), 5);
        assert_eq!(page("0_%", None, 50).len(), 0);
        assert_eq!(page("c7@", None, 50).first().map(|row| row.id), Some(customer(7)));
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let mut rows = page("", after, 2);
            let more = rows.len() > 2;
            rows.truncate(2);
            after = rows.last().map(|row| (row.name.clone(), row.id));
            seen.extend(rows.into_iter().map(|row| row.id));
            if !more {
                break;
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=9).map(customer).collect::<Vec<_>>());
    });
}

#[test]
fn cases_come_from_the_callers_scope_only() {
    on_both_engines(|ground| {
        let (spine, ws) = opened(&ground);
        give(&spine, ws, customer(1), create("A", Vec::new())).unwrap();
        let add = ground.db.write_blocking(move |tx| {
            for (n, status, rank, team) in [(11_i64, "open", 1, 1_u128), (12, "solved", 4, 1), (13, "open", 1, 2)] {
                let id = Uuid::from_u128(n.unsigned_abs().into());
                let team = Uuid::from_u128(team);
                tx.execute(&ADD_CASE, params![ws, id, n, customer(1), status, rank, team])?;
            }
            Ok::<_, Refusal>(())
        });
        add.unwrap();
        let team = domain::TeamId(Uuid::from_u128(1));
        for (scope, open, total) in
            [(Scope::Everywhere, 2, 3), (Scope::Nowhere, 0, 0), (Scope::Within(vec![(Some(team), None)]), 1, 2)]
        {
            let sight = CaseSight { workspace: ws, customer: customer(1), scope };
            let read = ground
                .db
                .read_blocking(move |r| Ok::<_, Refusal>((search::counts(r, &sight)?, search::recent(r, &sight)?)));
            let (counts, recent) = read.unwrap();
            assert_eq!((counts.open, counts.total, recent.len()), (open, total, usize::try_from(total).unwrap()));
        }
    });
}
