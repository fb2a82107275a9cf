//! May one more automatic mail go out? The wall against mail loops that holds without any header (SECURITY P14).
//!
//! Pure: the caller counts the automatic mails it has sent and asks here before each next one. All spans and counts
//! are those of P14; an address is counted over all workspaces of the instance.

/// Most automatic mails to one address in one case within [`DAY`].
pub const PER_CONVERSATION_DAY: u32 = 3;
/// Most automatic mails to one address within [`HOUR`].
pub const PER_ADDRESS_HOUR: u32 = 10;
/// Most automatic mails to one address that nobody has proven, within [`DAY`].
pub const PER_UNVERIFIED_DAY: u32 = 1;
pub const HOUR: crate::time::Span = crate::time::Span::hours(1);
pub const DAY: crate::time::Span = crate::time::Span::days(1);

/// Automatic mails already sent, or promised, to one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// About this case during the last 24 hours.
    pub conversation_day: u32,
    /// About anything during the last hour.
    pub address_hour: u32,
    /// About anything during the last 24 hours, in any workspace.
    pub instance_day: u32,
}

/// Why no automatic mail goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denied {
    /// A machine wrote what would be answered.
    Machine,
    /// [`PER_CONVERSATION_DAY`] is used up.
    Conversation,
    /// [`PER_ADDRESS_HOUR`] is used up.
    Address,
    /// [`PER_UNVERIFIED_DAY`] is used up.
    Unverified,
}

/// May one more automatic mail go to this address?
///
/// # Errors
/// The first rule that forbids it.
pub fn decide(counts: Counts, answers_machine: bool, verified: bool) -> Result<(), Denied> {
    if answers_machine {
        return Err(Denied::Machine);
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
            (counts(0, 0, 0), true, true, Err(Denied::Machine)),
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
    fn peers_that_ignore_every_header_are_bounded() {
        let mut sent = 0;
        for _ in 0..1_000 {
            let counts = Counts { conversation_day: sent, address_hour: sent, instance_day: sent };
            sent += u32::from(decide(counts, false, true).is_ok());
        }
        assert_eq!(sent, PER_CONVERSATION_DAY);
        // A forwarder that opens a new case each time.
        let mut sent = 0;
        for _ in 0..1_000 {
            let counts = Counts { conversation_day: 0, address_hour: sent, instance_day: sent };
            sent += u32::from(decide(counts, false, true).is_ok());
        }
        assert_eq!(sent, PER_ADDRESS_HOUR);
    }
}
