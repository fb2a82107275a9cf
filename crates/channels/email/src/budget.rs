//! The wall against mail loops that holds without any header (SECURITY P14).
//!
//! Pure: the caller counts automatic mails it has sent and asks here before each next one.

/// Most automatic mails to one address in one conversation per 24 hours.
pub const PER_CONVERSATION_DAY: u32 = 3;
/// Most automatic mails to one address per hour, over all conversations of a workspace.
pub const PER_ADDRESS_HOUR: u32 = 10;
/// Most automatic mails to one unverified address per 24 hours, over the whole instance.
pub const PER_UNVERIFIED_DAY: u32 = 1;

/// Automatic mails already sent (or queued) to one address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// In this conversation during the last 24 hours.
    pub conversation_day: u32,
    /// In any conversation of the workspace during the last hour.
    pub address_hour: u32,
    /// In any workspace of the instance during the last 24 hours.
    pub instance_day: u32,
}

/// Why no automatic mail goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denied {
    /// The mail that would be answered was sent by a machine.
    Automatic,
    /// [`PER_CONVERSATION_DAY`] is used up.
    Conversation,
    /// [`PER_ADDRESS_HOUR`] is used up.
    Address,
    /// [`PER_UNVERIFIED_DAY`] is used up.
    Unverified,
}

/// May one more automatic mail go to this address?
///
/// `answers_machine`: it would answer a mail that [`crate::automatic`] recognised.
/// `verified`: the address belongs to a customer who has proven it.
///
/// # Errors
/// The first rule that forbids it.
pub fn decide(counts: Counts, answers_machine: bool, verified: bool) -> Result<(), Denied> {
    if answers_machine {
        return Err(Denied::Automatic);
    }
    if !verified && counts.instance_day >= PER_UNVERIFIED_DAY {
        return Err(Denied::Unverified);
    }
    if counts.conversation_day >= PER_CONVERSATION_DAY {
        return Err(Denied::Conversation);
    }
    if counts.address_hour >= PER_ADDRESS_HOUR {
        return Err(Denied::Address);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let counts =
            |conversation_day, address_hour, instance_day| Counts { conversation_day, address_hour, instance_day };
        for (counts, machine, verified, expect) in [
            (counts(0, 0, 0), false, false, Ok(())),
            (counts(0, 0, 0), true, true, Err(Denied::Automatic)),
            (counts(0, 0, 1), false, false, Err(Denied::Unverified)),
            (counts(1, 1, 1), false, true, Ok(())),
            (counts(2, 9, 50), false, true, Ok(())),
            (counts(3, 0, 3), false, true, Err(Denied::Conversation)),
            (counts(0, 10, 10), false, true, Err(Denied::Address)),
        ] {
            assert_eq!(decide(counts, machine, verified), expect, "{counts:?}");
        }
    }

    #[test]
    fn two_machines_that_ignore_every_header_stop() {
        let (mut sent, mut hour) = (0, 0);
        for _ in 0..1_000 {
            if decide(Counts { conversation_day: sent, address_hour: hour, instance_day: 0 }, false, true).is_ok() {
                (sent, hour) = (sent + 1, hour + 1);
            }
        }
        assert_eq!(sent, PER_CONVERSATION_DAY);
        // A forwarder that opens a new conversation each time.
        let sent = (0..1_000).fold(0, |hour, _| {
            hour + u32::from(decide(Counts { address_hour: hour, ..Counts::default() }, false, true).is_ok())
        });
        assert_eq!(sent, PER_ADDRESS_HOUR);
    }
}
