//! The JSON shapes of this feature.

use domain::case::{Priority, WaitingOn};
use domain::customer::CustomerIdentity;
use domain::filter::StatusKey;
use domain::{CaseId, ChannelId, ChannelKind, CustomerId, ReasonId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// One line of the list of customers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CustomerRow {
    pub id: CustomerId,
    pub name: String,
    #[schema(required = true)]
    pub language: Option<String>,
    pub company: String,
    pub identities: Vec<CustomerIdentity>,
}

/// Counts of the cases that the caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseCounts {
    /// New, open, waiting or snoozed.
    pub open: i64,
    pub total: i64,
}

/// A customer as the desk shows them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Customer)]
pub struct CustomerDetail {
    pub id: CustomerId,
    pub name: String,
    #[schema(required = true)]
    pub language: Option<String>,
    #[schema(required = true)]
    pub time_zone: Option<String>,
    pub company: String,
    pub note: String,
    pub identities: Vec<CustomerIdentity>,
    pub created_at: Timestamp,
    pub cases: CaseCounts,
    /// The latest cases within the caller's sight.
    pub recent: Vec<CustomerCase>,
    /// Whether this caller may change them.
    pub editable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseChannel {
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseName {
    #[schema(value_type = String, format = "uuid")]
    pub id: Uuid,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseReason {
    pub id: ReasonId,
    pub name_zh: String,
    pub name_en: String,
}

/// One of a customer's cases: the same fields as a line of the list of cases.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CustomerCase {
    pub id: CaseId,
    pub number: i64,
    pub subject: String,
    pub preview: String,
    #[schema(value_type = StatusKey)]
    pub status: String,
    #[schema(required = true, value_type = Option<WaitingOn>)]
    pub waiting_on: Option<String>,
    #[schema(required = true)]
    pub snoozed_until: Option<Timestamp>,
    pub priority: Priority,
    pub channel: CaseChannel,
    pub customer: CaseName,
    #[schema(required = true)]
    pub assignee: Option<CaseName>,
    #[schema(required = true)]
    pub team: Option<CaseName>,
    #[schema(required = true)]
    pub reason: Option<CaseReason>,
    pub tags: Vec<String>,
    #[schema(required = true)]
    pub language: Option<String>,
    pub opened_at: Timestamp,
    pub last_message_at: Timestamp,
    #[schema(required = true)]
    pub waiting_since: Option<Timestamp>,
    #[schema(required = true)]
    pub solved_at: Option<Timestamp>,
    pub version: i64,
    /// Always false here: what is unread shows in the list of cases.
    pub unread: bool,
}
