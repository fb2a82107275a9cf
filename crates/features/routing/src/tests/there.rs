//! Presence: what agents say, what their connections show, and what becomes of their cases.

use super::house::{CHAT, House, MAIL, Wish, id, message};
use crate::presence;
use domain::case::{CaseCommand, Route, Then};
use domain::routing::Presence;
use domain::{Actor, UserId};
use testkit::on_both_engines;

fn says(house: &House, n: u128, presence: Presence) {
    let user: UserId = id(n);
    house.execute(Actor::Agent(user), move |unit| presence::say(unit, user, presence).map(drop));
}

#[test]
fn who_is_busy_or_away_gets_nothing_new() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.arrives(1);
        for (n, presence) in [(100, Presence::Busy), (101, Presence::Away), (102, Presence::Offline)] {
            says(&house, 1, presence);
            house.settle();
            house.opens(n, &MAIL);
            house.settle();
            assert_eq!(house.holder(n), None, "{presence:?}");
        }
        says(&house, 1, Presence::Online);
        house.settle();
        assert!((100..103).all(|n| house.holder(n) == Some(1)), "back: everything that waited");
    });
}

#[test]
fn a_dropped_connection_has_a_minute_then_untouched_chats_go_back() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.arrives(1);
        house.settle();
        house.opens(100, &CHAT);
        house.opens(101, &CHAT);
        house.opens(102, &MAIL);
        house.settle();
        let reply = CaseCommand::Reply {
            message: message(101, 5),
            route: Route::Direct,
            then: Then::Stay,
            seen_at: None,
            force: false,
        };
        house.obey(101, 1, reply);
        house.drops_out(1);
        house.settle();
        house.opens(103, &CHAT);
        house.wait(59);
        assert_eq!((house.holder(100), house.holder(103)), (Some(1), None), "nothing new, nothing lost yet");
        house.wait(1);
        let holders: Vec<_> = (100..104).map(|n| house.holder(n)).collect();
        assert_eq!(holders, [None, Some(1), Some(1), None], "the untouched chat; not the answered one, not the mail");
        assert_eq!(house.queue_length(), 2);
        house.agent(2);
        house.arrives(2);
        house.settle();
        assert_eq!((house.holder(100), house.holder(103)), (Some(2), Some(2)));
    });
}

#[test]
fn coming_back_within_the_minute_keeps_everything() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.arrives(1);
        house.opens(100, &CHAT);
        house.settle();
        house.drops_out(1);
        house.wait(30);
        house.arrives(1);
        house.wait(120);
        assert_eq!(house.holder(100), Some(1));
    });
}

#[test]
fn going_offline_gives_chats_back_at_once() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.agent(2);
        house.arrives(1);
        house.opens(100, &CHAT);
        house.opens(101, &MAIL);
        house.settle();
        house.arrives(2);
        says(&house, 1, Presence::Offline);
        house.settle();
        assert_eq!((house.holder(100), house.holder(101)), (Some(2), Some(1)));
    });
}

#[test]
fn who_leaves_the_company_leaves_nothing_behind() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.agent(2);
        house.arrives(1);
        house.opens(100, &CHAT);
        house.opens(101, &Wish { customer: 3, ..MAIL });
        house.settle();
        house.arrives(2);
        house.leave_company(1);
        house.settle();
        assert_eq!((house.holder(100), house.holder(101)), (Some(2), Some(2)));
    });
}

#[test]
fn a_restart_asks_everybody_to_show_up_again() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.agent(2);
        house.arrives(1);
        house.arrives(2);
        house.settle();
        super::house::block(presence::restarted(&house.spine)).unwrap();
        house.opens(100, &CHAT);
        house.settle();
        assert_eq!(house.holder(100), None);
        house.arrives(2);
        house.settle();
        assert_eq!(house.holder(100), Some(2));
    });
}

#[test]
fn a_page_that_reloads_is_there_in_whatever_order_it_is_written() {
    on_both_engines(|ground| {
        let house = House::new(ground);
        house.agent(1);
        house.arrives(1);
        house.settle();
        let user = id(1);
        let closed = house.attendance.disconnected(&house.spine, house.ws, user);
        let opened = house.attendance.connected(&house.spine, house.ws, user);
        super::house::block(async {
            opened.await;
            closed.await;
        });
        house.opens(100, &CHAT);
        house.wait(120);
        assert_eq!(house.holder(100), Some(1));
    });
}
