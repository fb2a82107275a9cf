//! Which case a mail belongs to, and whether its sender may speak there. Pure.
//!
//! The order is that of proof: a keyed token, then the Message-IDs of the thread, then a keyed token in the
//! subject, then who took part. A sender who takes no part in the conversation is a stranger there: what they
//! write is shown as such and gives them nothing (SECURITY rows 4 and 5).

use domain::{CaseId, ConversationId};
use serde::{Deserialize, Serialize};

/// Why a mail landed where it did; shown in the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchReason {
    ReplyToken,
    InReplyTo,
    References,
    SubjectToken,
    Participants,
    NewCase,
    /// The case it answers is closed: a follow-up.
    FollowUp,
    /// An agent moved it.
    Moved,
}

/// A case a mail may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    pub case: CaseId,
    pub conversation: ConversationId,
    /// The sender takes part in this conversation.
    pub takes_part: bool,
}

/// What was found under each kind of evidence, the best candidate of each.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    pub reply_token: Option<Candidate>,
    pub in_reply_to: Option<Candidate>,
    pub references: Option<Candidate>,
    pub subject_token: Option<Candidate>,
    pub participants: Option<Candidate>,
}

/// Where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    pub candidate: Candidate,
    pub reason: MatchReason,
}

/// Decides by the strongest evidence there is. Evidence that anybody who once saw a mail can repeat (Message-IDs,
/// tokens) finds the case but does not make a stranger take part; having taken part alone is enough only
/// together with the same subject, which the caller has checked.
#[must_use]
pub fn decide(found: &Found) -> Option<Match> {
    let by = |candidate: Option<Candidate>, reason| candidate.map(|candidate| Match { candidate, reason });
    by(found.reply_token, MatchReason::ReplyToken)
        .or_else(|| by(found.in_reply_to, MatchReason::InReplyTo))
        .or_else(|| by(found.references, MatchReason::References))
        .or_else(|| by(found.subject_token, MatchReason::SubjectToken))
        .or_else(|| by(found.participants.filter(|c| c.takes_part), MatchReason::Participants))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn candidate(n: u128, takes_part: bool) -> Option<Candidate> {
        let (case, conversation) = (CaseId(Uuid::from_u128(n)), ConversationId(Uuid::from_u128(n + 100)));
        Some(Candidate { case, conversation, takes_part })
    }

    #[test]
    fn the_strongest_evidence_decides() {
        let all = Found {
            reply_token: candidate(1, true),
            in_reply_to: candidate(2, true),
            references: candidate(3, true),
            subject_token: candidate(4, true),
            participants: candidate(5, true),
        };
        let table = [
            (all, Some((1, MatchReason::ReplyToken))),
            (Found { reply_token: None, ..all }, Some((2, MatchReason::InReplyTo))),
            (Found { reply_token: None, in_reply_to: None, ..all }, Some((3, MatchReason::References))),
            (
                Found { subject_token: all.subject_token, participants: all.participants, ..Found::default() },
                Some((4, MatchReason::SubjectToken)),
            ),
            (Found { participants: all.participants, ..Found::default() }, Some((5, MatchReason::Participants))),
            (Found::default(), None),
        ];
        for (found, expected) in table {
            let got = decide(&found).map(|m| (m.candidate.case.0.as_u128(), m.reason));
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_stranger_joins_by_proof_but_stays_a_stranger_and_never_by_subject_alone() {
        let token = Found { reply_token: candidate(1, false), ..Found::default() };
        assert_eq!(decide(&token).map(|m| m.candidate.takes_part), Some(false));
        let subject = Found { participants: candidate(1, false), ..Found::default() };
        assert_eq!(decide(&subject), None);
    }
}
