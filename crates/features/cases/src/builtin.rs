//! The views everybody has.

use crate::wire::{Sort, View, ViewScope};
use domain::filter::{Filter, StatusKey, Who, Whose};

/// Id, filter and order of every built-in view, in the order of the desk. Their names are the interface's.
pub(crate) fn views() -> Vec<View> {
    let active = || Filter::Status(vec![StatusKey::New, StatusKey::Open]);
    let with = |filter| Filter::All(vec![active(), filter]);
    let only = |key| Filter::Status(vec![key]);
    [
        ("mine", with(Filter::Assignee(Who::Me)), Sort::Waiting),
        ("unassigned", with(Filter::Assignee(Who::Nobody)), Sort::Waiting),
        ("team", with(Filter::Team(Whose::Mine)), Sort::Waiting),
        ("all_open", active(), Sort::Waiting),
        ("waiting", only(StatusKey::Waiting), Sort::Newest),
        ("snoozed", only(StatusKey::Snoozed), Sort::Newest),
        ("solved", only(StatusKey::Solved), Sort::Newest),
        ("all", Filter::All(Vec::new()), Sort::Newest),
    ]
    .into_iter()
    .map(|(id, filter, sort)| View {
        id: id.to_owned(),
        name: String::new(),
        scope: ViewScope::Builtin,
        team_id: None,
        filter,
        sort,
        count: None,
        editable: false,
    })
    .collect()
}
