//! From a filter and a caller's rights to SQL. Nothing reads cases but with a [`Sight`], and a sight always holds a
//! scope (SECURITY row 11); no text from outside becomes SQL, only bound values (row 14).

use db::{Builder, Connection, Query, params, sql};
use domain::access::{Access, Scope};
use domain::filter::{Filter, Viewer, Who, Whose, normalise_tag};
use domain::{ChannelId, Permission, TeamId, UserId, WorkspaceId};
use spine::Refusal;

sql!(TEAMS_OF = "SELECT team_id FROM view_team_member WHERE workspace_id = $1 AND user_id = $2", params: 2);

/// Which cases a caller may see, and who they are. There is no way to read a case without one.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    pub(crate) workspace: WorkspaceId,
    pub(crate) scope: Scope,
    pub(crate) viewer: Viewer,
}

impl Sight {
    /// The sight that `case.read` gives.
    pub(crate) fn of(
        q: &mut impl Connection,
        workspace: WorkspaceId,
        user: Option<UserId>,
        access: &Access,
    ) -> Result<Self, Refusal> {
        let teams: Vec<TeamId> = match user {
            Some(user) => q.query(&TEAMS_OF, params![workspace, user])?,
            None => Vec::new(),
        };
        let viewer = Viewer { user, teams: teams.into_iter().collect() };
        Ok(Self { workspace, scope: access.scope(Permission::CaseRead), viewer })
    }
}

/// Appends the condition on rows of `c` (`case_record` or `view_case_row`). It is never NULL.
pub(crate) fn push(b: &mut Builder, sight: &Sight, filter: &Filter) {
    b.push("c.workspace_id = ").bind(sight.workspace).push(" AND ");
    within(b, &sight.scope);
    b.push(" AND ");
    condition(b, filter, &sight.viewer);
}

fn within(b: &mut Builder, scope: &Scope) {
    match scope {
        Scope::Everywhere => {
            b.push("TRUE");
        }
        Scope::Nowhere => {
            b.push("FALSE");
        }
        Scope::Within(pairs) => any(b, pairs, |b, (team, channel)| place(b, *team, *channel)),
    }
}

fn place(b: &mut Builder, team: Option<TeamId>, channel: Option<ChannelId>) {
    b.push("(TRUE");
    if let Some(team) = team {
        b.push(" AND c.team_id IS NOT NULL AND c.team_id = ").bind(team);
    }
    if let Some(channel) = channel {
        b.push(" AND c.channel_id = ").bind(channel);
    }
    b.push(")");
}

/// `(a OR b OR ..)`; none is FALSE.
fn any<T>(b: &mut Builder, items: &[T], each: impl Fn(&mut Builder, &T)) {
    joined(b, items, ("FALSE", " OR "), each);
}

fn joined<T>(
    b: &mut Builder,
    items: &[T],
    (none, link): (&'static str, &'static str),
    each: impl Fn(&mut Builder, &T),
) {
    if items.is_empty() {
        b.push(none);
        return;
    }
    b.push("(");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            b.push(link);
        }
        each(b, item);
    }
    b.push(")");
}

fn condition(b: &mut Builder, filter: &Filter, viewer: &Viewer) {
    match filter {
        Filter::All(children) => joined(b, children, ("TRUE", " AND "), |b, child| condition(b, child, viewer)),
        Filter::Any(children) => any(b, children, |b, child| condition(b, child, viewer)),
        Filter::Not(child) => {
            b.push("NOT (");
            condition(b, child, viewer);
            b.push(")");
        }
        Filter::Status(list) => one_of(b, "c.status_rank IN ", list.iter().map(|key| key.rank())),
        Filter::Priority(list) => one_of(b, "c.priority IN ", list.iter().map(|priority| priority.rank())),
        Filter::ChannelKind(list) => one_of(b, "c.channel_kind IN ", list.iter().map(|kind| kind.as_str())),
        Filter::Assignee(who) => assignee(b, *who, viewer),
        Filter::Team(whose) => team(b, *whose, viewer),
        Filter::Channel(channel) => {
            b.push("c.channel_id = ").bind(*channel);
        }
        Filter::Reason(reason) => {
            b.push("(c.reason_id IS NOT NULL AND c.reason_id = ").bind(*reason).push(")");
        }
        Filter::Tag(tag) => {
            b.push("EXISTS (SELECT 1 FROM case_tag g WHERE g.workspace_id = c.workspace_id AND g.case_id = c.id AND g.tag = ");
            b.bind(normalise_tag(tag)).push(")");
        }
        Filter::Customer(customer) => {
            b.push("c.customer_id = ").bind(*customer);
        }
        Filter::Unanswered(true) => {
            b.push("c.waiting_since IS NOT NULL");
        }
        Filter::Unanswered(false) => {
            b.push("c.waiting_since IS NULL");
        }
        Filter::Language(language) => speaks(b, language),
        Filter::Text(text) => has_text(b, text),
        Filter::OpenedAfter(time) => {
            b.push("c.opened_at > ").bind(*time);
        }
        Filter::OpenedBefore(time) => {
            b.push("c.opened_at < ").bind(*time);
        }
    }
}

fn one_of<V: Into<db::Value>>(b: &mut Builder, test: &'static str, values: impl ExactSizeIterator<Item = V>) {
    if values.len() == 0 {
        b.push("FALSE");
    } else {
        b.push(test).in_list(values);
    }
}

fn assignee(b: &mut Builder, who: Who, viewer: &Viewer) {
    let user = match who {
        Who::Nobody => {
            b.push("c.assignee_id IS NULL");
            return;
        }
        Who::User(user) => Some(user),
        Who::Me => viewer.user,
    };
    match user {
        Some(user) => b.push("(c.assignee_id IS NOT NULL AND c.assignee_id = ").bind(user).push(")"),
        None => b.push("FALSE"),
    };
}

fn team(b: &mut Builder, whose: Whose, viewer: &Viewer) {
    match whose {
        Whose::Nobody => {
            b.push("c.team_id IS NULL");
        }
        Whose::Team(team) => {
            b.push("(c.team_id IS NOT NULL AND c.team_id = ").bind(team).push(")");
        }
        Whose::Mine if viewer.teams.is_empty() => {
            b.push("FALSE");
        }
        Whose::Mine => {
            b.push("(c.team_id IS NOT NULL AND c.team_id IN ").in_list(viewer.teams.iter().copied()).push(")");
        }
    }
}

fn speaks(b: &mut Builder, language: &str) {
    let language = language.trim().to_ascii_lowercase();
    b.push("(c.language IS NOT NULL AND (lower(c.language) = ").bind(language.as_str());
    b.push(" OR lower(c.language) LIKE ").starts_with(&format!("{language}-")).push("))");
}

/// The engines' `lower` knows ASCII only for certain; Chinese has no case, so this is enough until full-text search.
fn has_text(b: &mut Builder, text: &str) {
    let needle = text.trim().to_lowercase();
    b.push("(");
    if let Ok(number) = needle.trim_start_matches('#').parse::<i64>() {
        b.push("c.number = ").bind(number).push(" OR ");
    }
    b.push("lower(c.subject) LIKE ").contains(&needle);
    b.push(" OR EXISTS (SELECT 1 FROM view_customer u WHERE u.workspace_id = c.workspace_id AND u.id = c.customer_id AND lower(u.name) LIKE ");
    b.contains(&needle);
    b.push(") OR EXISTS (SELECT 1 FROM view_customer_address i WHERE i.workspace_id = c.workspace_id AND i.customer_id = c.customer_id AND lower(i.address) LIKE ");
    b.contains(&needle);
    b.push(") OR EXISTS (SELECT 1 FROM message m WHERE m.workspace_id = c.workspace_id AND m.case_id = c.id AND lower(m.body_text) LIKE ");
    b.contains(&needle).push("))");
}
