//! Business refusals: a code with parameters, no prose. The interface translates them.

use crate::closed::closed;
use serde_json::Value;
use std::collections::BTreeMap;

closed! {
    /// Why something was refused. Every code has a text in both languages (tested).
    pub enum Code {
        // general
        NotFound = "not_found",
        Forbidden = "forbidden",
        Unauthenticated = "unauthenticated",
        TotpEnrollmentRequired = "totp_enrollment_required",
        CrossSite = "cross_site",
        Invalid = "invalid",
        InvalidJson = "invalid_json",
        Required = "required",
        TooLong = "too_long",
        TooShort = "too_short",
        TooMany = "too_many",
        TooLarge = "too_large",
        UnsupportedType = "unsupported_type",
        AlreadyExists = "already_exists",
        InUse = "in_use",
        /// Cases that are not closed demand it. `count`.
        NeededByCases = "needed_by_cases",
        RateLimited = "rate_limited",
        Busy = "busy",
        ReadOnly = "read_only",
        Internal = "internal",
        IdempotencyKeyReused = "idempotency_key_reused",
        // sign-in
        WrongCredentials = "wrong_credentials",
        WrongCode = "wrong_code",
        LinkExpired = "link_expired",
        AlreadySetUp = "already_set_up",
        LastOwner = "last_owner",
        NotYours = "not_yours",
        MoreThanYouHave = "more_than_you_have",
        BuiltinRole = "builtin_role",
        PasswordTooCommon = "password_too_common",
        // cases
        CaseClosed = "case_closed",
        StatusNotAllowed = "status_not_allowed",
        AnsweredMeanwhile = "answered_meanwhile",
        AlreadyAssigned = "already_assigned",
        SnoozeInPast = "snooze_in_past",
        NothingToUndo = "nothing_to_undo",
        UndoTooLate = "undo_too_late",
        NotFailed = "not_failed",
        NoWayToReply = "no_way_to_reply",
        EmptyMessage = "empty_message",
        SameCase = "same_case",
        OtherCustomer = "other_customer",
        InvalidFilter = "invalid_filter",
        AgentInactive = "agent_inactive",
        NotAMember = "not_a_member",
        UnknownReference = "unknown_reference",
        // channels
        ChannelInactive = "channel_inactive",
        InvalidIdentity = "invalid_identity",
        OriginNotAllowed = "origin_not_allowed",
        ProofRequired = "proof_required",
        AddressNotAllowed = "address_not_allowed",
        ConnectionFailed = "connection_failed",
        LoginFailed = "login_failed",
        InvalidAddress = "invalid_address",
        Unparsable = "unparsable",
        DeliveryRejected = "delivery_rejected",
        DeliveryGaveUp = "delivery_gave_up",
        LoopBudget = "loop_budget",
    }
}

/// A refusal: the code, what the text needs, and the field it is about (if one).
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Rejection {
    pub code: Code,
    pub params: BTreeMap<&'static str, Value>,
    pub field: Option<String>,
}

impl Rejection {
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, params: BTreeMap::new(), field: None }
    }
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.params.insert(key, value.into());
        self
    }
    #[must_use]
    pub fn on(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl From<Code> for Rejection {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}
