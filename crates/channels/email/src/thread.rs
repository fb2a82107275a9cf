//! What a mail proves about the case it belongs to, tokens checked.
//!
//! Every path a token can come in by is checked with the same key (a peer once forgot
//! one, SECURITY row 4): plus address, Message-IDs in In-Reply-To and References, subject.
//! Which case it joins, and as whom, is decided with the database by the intake.

use crate::address;
use crate::parse::ParsedMail;
use crate::subject;
use crate::token::{ID_BYTES, Signer};

/// Proof and hints, strongest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Case proven by a reply token in a recipient address or a Message-ID of ours.
    pub reply_token: Option<[u8; ID_BYTES]>,
    /// Case number proven by a subject token.
    pub subject_number: Option<i64>,
    /// In-Reply-To, lower case, without brackets.
    pub in_reply_to: Vec<String>,
    /// References, oldest first, lower case, without brackets.
    pub references: Vec<String>,
    /// Sender's address; empty when there is none.
    pub from: String,
    /// Subject without prefixes and tokens.
    pub subject: String,
    /// Recipients other than the mailbox itself: (address, true when in Cc).
    pub others: Vec<(String, bool)>,
}

/// Gathers the evidence of `mail`, received at `mailbox` (`support@example.com`).
pub fn find(mail: &ParsedMail, mailbox: &str, signer: &Signer) -> Evidence {
    let mailbox = address::normalise(mailbox).unwrap_or_default();
    let is_ours = |address: &str| address::split_plus(address).0 == mailbox;
    let from_address = mail.recipients().into_iter().filter(|recipient| is_ours(recipient)).find_map(|recipient| {
        let (_, tag) = address::split_plus(recipient);
        tag.and_then(|tag| signer.verify_reply(tag))
    });
    // The nearest ancestor first: a forwarded thread may carry tokens of several cases.
    let ids = mail.in_reply_to.iter().chain(mail.references.iter().rev());
    let from_ids = || ids.take(crate::limits::REFERENCES).find_map(|id| signer.verify_message_id(id));
    let lower = |ids: &[String]| ids.iter().map(|id| id.to_lowercase()).collect();
    let others = mail.to.iter().map(|to| (to, false)).chain(mail.cc.iter().map(|cc| (cc, true)));
    Evidence {
        reply_token: from_address.or_else(from_ids),
        subject_number: signer.verify_subject(&mail.subject),
        in_reply_to: lower(&mail.in_reply_to),
        references: lower(&mail.references),
        from: mail.from.as_ref().map(|from| from.address.clone()).unwrap_or_default(),
        subject: subject::bare(&mail.subject),
        others: others
            .filter(|(other, _)| !is_ours(&other.address))
            .map(|(other, copied)| (other.address.clone(), copied))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    const CASE: [u8; 16] = *b"0123456789abcdef";

    fn signer(workspace: u8) -> Signer {
        Signer::new([1; 32], [workspace; 16], [3; 16])
    }

    fn evidence(head: &str) -> Evidence {
        find(&parse(format!("{head}\r\n\r\nx").as_bytes(), None), "Support@our.cn", &signer(2))
    }

    #[test]
    fn each_token_on_each_path_from_each_sender() {
        let ours = signer(2).reply_token(CASE);
        let foreign = signer(9).reply_token(CASE);
        let old = "0123456789abcdef0123456789abcdef";
        for sender in ["requester@x.cn", "copied@x.cn", "stranger@y.cn", "agent@our.cn"] {
            for (kind, token, expect) in [
                ("valid", ours.as_str(), Some(CASE)),
                ("truncated", &ours[..50], None),
                ("other tenant", &foreign, None),
                ("old", old, None),
                ("none", "", None),
            ] {
                let plus = if token.is_empty() { String::new() } else { format!("+{token}") };
                for head in [
                    format!("To: support{plus}@our.cn"),
                    format!("Cc: x@y.z, Support{plus}@OUR.cn"),
                    format!("Delivered-To: support{plus}@our.cn"),
                    format!("In-Reply-To: <aa.{token}@our.cn>"),
                    format!("References: <q@r> <aa.{token}@our.cn> <s@t>"),
                ] {
                    let found = evidence(&format!("From: {sender}\r\n{head}"));
                    assert_eq!(found.reply_token, expect, "{kind} {sender} {head}");
                    assert_eq!(found.from, sender);
                }
            }
        }
        // A token proves nothing at somebody else's address.
        assert_eq!(evidence(&format!("From: a@b.c\r\nTo: other+{ours}@our.cn")).reply_token, None);
    }

    #[test]
    fn subject_and_recipients() {
        let token = signer(2).subject_token(77);
        let found = evidence(&format!(
            "From: a@b.c\r\nTo: support@our.cn, second@x.cn\r\nCc: third@x.cn, support+x@our.cn\r\nSubject: Re: Order {token}\r\nIn-Reply-To: <AbC@D>"
        ));
        assert_eq!((found.subject_number, found.subject.as_str()), (Some(77), "Order"));
        assert_eq!(found.others, [("second@x.cn".to_owned(), false), ("third@x.cn".to_owned(), true)]);
        assert_eq!(found.in_reply_to, ["abc@d"]);
        assert_eq!(evidence(&format!("Subject: {}", signer(9).subject_token(77))).subject_number, None);
        assert_eq!(evidence("Subject: Re: Order [#77-aaaaaaaa]").subject_number, None);
    }
}
