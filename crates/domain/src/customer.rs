//! The customer: one person or company served, known by identities of different strength.

use crate::actor::Ctx;
use crate::aggregate::{Aggregate, Happened};
use crate::event::Event;
use crate::ids::CustomerId;
use crate::limits;
use crate::rejection::{Code, Rejection};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an address belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    Email,
    Phone,
    /// A browser that talks through a chat widget.
    Visitor,
    /// The shop's own user id, signed by the shop, or the id of a bring-your-own channel.
    External,
}

impl IdentityKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Visitor => "visitor",
            Self::External => "external",
        }
    }
}

/// How much an identity proves. Only `Channel` and `Verified` ever find a customer again;
/// what a visitor merely typed never opens somebody's history (SECURITY row 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Claimed,
    /// The channel itself carries messages from and to this address.
    Channel,
    /// Proven: signed by the shop, or confirmed by an agent.
    Verified,
}

impl Level {
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::Claimed => 0,
            Self::Channel => 1,
            Self::Verified => 2,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CustomerIdentity {
    pub kind: IdentityKind,
    pub address: String,
    pub level: Level,
}

/// Brings an address into the form it is compared in: mail addresses and ids trimmed and
/// mail lower-cased, phone numbers without blanks, dots, hyphens and brackets.
#[must_use]
pub fn normalise_address(kind: IdentityKind, address: &str) -> String {
    let address = address.trim();
    match kind {
        IdentityKind::Email => address.to_lowercase(),
        IdentityKind::Phone => address.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect(),
        IdentityKind::Visitor | IdentityKind::External => address.to_owned(),
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerState {
    pub name: String,
    pub language: Option<String>,
    pub time_zone: Option<String>,
    pub company: String,
    pub note: String,
    pub identities: Vec<CustomerIdentity>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug)]
pub enum CustomerCommand {
    Create {
        name: String,
        language: Option<String>,
        identities: Vec<CustomerIdentity>,
    },
    Edit {
        name: Option<String>,
        language: Option<Option<String>>,
        time_zone: Option<Option<String>>,
        company: Option<String>,
        note: Option<String>,
    },
    /// Adds an identity, or strengthens the one that is there.
    AddIdentity(CustomerIdentity),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CustomerEvent {
    Created {
        name: String,
        language: Option<String>,
    },
    Edited {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
        language: Option<Option<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
        time_zone: Option<Option<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        company: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    IdentityAdded {
        identity: CustomerIdentity,
    },
}

/// Keeps "not given" and "set to nothing" apart in JSON.
pub(crate) mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    #[allow(clippy::ref_option)]
    pub fn serialize<T: Serialize, S: Serializer>(value: &Option<Option<T>>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(serializer)
    }
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(deserializer).map(Some)
    }
}

/// The aggregate.
pub struct Customer;

impl Aggregate for Customer {
    type Id = CustomerId;
    type State = CustomerState;
    type Command = CustomerCommand;
    type Event = CustomerEvent;
    const KIND: &'static str = "customer";

    fn decide(
        state: Option<&CustomerState>,
        command: &CustomerCommand,
        _ctx: &Ctx,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        match (state, command) {
            (None, CustomerCommand::Create { name, language, identities }) => {
                limits::text_within("name", name, limits::NAME_CHARS)?;
                let mut events =
                    vec![CustomerEvent::Created { name: name.trim().to_owned(), language: language.clone() }];
                for identity in identities {
                    events.push(added(identity)?);
                }
                Ok(events)
            }
            (Some(_), CustomerCommand::Create { .. }) => Err(Code::AlreadyExists.into()),
            (None, _) => Err(Code::NotFound.into()),
            (Some(state), CustomerCommand::Edit { .. }) => edit(state, command),
            (Some(state), CustomerCommand::AddIdentity(identity)) => {
                let event = added(identity)?;
                let CustomerEvent::IdentityAdded { identity: wanted } = &event else {
                    return Ok(Vec::new());
                };
                let known = state.identities.iter().find(|i| i.kind == wanted.kind && i.address == wanted.address);
                match known {
                    Some(known) if known.level >= wanted.level => Ok(Vec::new()),
                    None if state.identities.len() >= limits::IDENTITIES_PER_CUSTOMER => {
                        Err(Rejection::new(Code::TooMany).with("max", limits::IDENTITIES_PER_CUSTOMER))
                    }
                    _ => Ok(vec![event]),
                }
            }
        }
    }

    fn apply(state: Option<CustomerState>, event: &CustomerEvent, happened: Happened) -> Option<CustomerState> {
        let mut state = state.unwrap_or_else(|| CustomerState {
            name: String::new(),
            language: None,
            time_zone: None,
            company: String::new(),
            note: String::new(),
            identities: Vec::new(),
            created_at: happened.at,
            updated_at: happened.at,
        });
        state.updated_at = happened.at;
        match event.clone() {
            CustomerEvent::Created { name, language } => {
                state.name = name;
                state.language = language;
            }
            CustomerEvent::Edited { name, language, time_zone, company, note } => {
                if let Some(name) = name {
                    state.name = name;
                }
                if let Some(language) = language {
                    state.language = language;
                }
                if let Some(time_zone) = time_zone {
                    state.time_zone = time_zone;
                }
                if let Some(company) = company {
                    state.company = company;
                }
                if let Some(note) = note {
                    state.note = note;
                }
            }
            CustomerEvent::IdentityAdded { identity } => {
                state.identities.retain(|i| i.kind != identity.kind || i.address != identity.address);
                state.identities.push(identity);
            }
        }
        Some(state)
    }

    fn wrap(event: CustomerEvent) -> Event {
        Event::Customer(event)
    }
    fn unwrap(event: Event) -> Option<CustomerEvent> {
        match event {
            Event::Customer(event) => Some(event),
            _ => None,
        }
    }
}

fn edit(state: &CustomerState, command: &CustomerCommand) -> Result<Vec<CustomerEvent>, Rejection> {
    let CustomerCommand::Edit { name, language, time_zone, company, note } = command else {
        return Ok(Vec::new());
    };
    if let Some(name) = name {
        limits::text_required("name", name, limits::NAME_CHARS)?;
    }
    if let Some(company) = company {
        limits::text_within("company", company, limits::NAME_CHARS)?;
    }
    if let Some(note) = note {
        limits::text_within("note", note, limits::NOTE_CHARS)?;
    }
    if let Some(Some(zone)) = time_zone
        && jiff::tz::TimeZone::get(zone).is_err()
    {
        return Err(Rejection::new(Code::Invalid).on("time_zone"));
    }
    let event = CustomerEvent::Edited {
        name: name.clone().filter(|n| *n != state.name),
        language: language.clone().filter(|l| *l != state.language),
        time_zone: time_zone.clone().filter(|z| *z != state.time_zone),
        company: company.clone().filter(|c| *c != state.company),
        note: note.clone().filter(|n| *n != state.note),
    };
    let nothing = CustomerEvent::Edited { name: None, language: None, time_zone: None, company: None, note: None };
    Ok(if event == nothing { Vec::new() } else { vec![event] })
}

fn added(identity: &CustomerIdentity) -> Result<CustomerEvent, Rejection> {
    let address = normalise_address(identity.kind, &identity.address);
    limits::text_required("address", &address, limits::ADDRESS_CHARS)?;
    if identity.kind == IdentityKind::Email && !looks_like_mail(&address) {
        return Err(Rejection::new(Code::InvalidAddress).on("address"));
    }
    Ok(CustomerEvent::IdentityAdded { identity: CustomerIdentity { address, ..identity.clone() } })
}

/// One `@`, something on both sides, no blanks or control characters (SECURITY row 10).
#[must_use]
pub fn looks_like_mail(address: &str) -> bool {
    let Some((local, host)) = address.rsplit_once('@') else {
        return false;
    };
    !local.is_empty()
        && !local.contains('@')
        && !host.is_empty()
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !address.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"'))
}
