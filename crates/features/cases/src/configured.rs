//! Configured things (views, reasons, canned replies) go to the audit trail as before and after.

use domain::Event;
use domain::event::{ConfigAction, ConfigChanged};
use serde::Serialize;
use serde_json::{Value, json};
use spine::{Refusal, Unit};
use uuid::Uuid;

/// Records a change of one configured object; `None` before is a creation, `None` after a deletion.
pub(crate) fn record<T: Serialize>(
    unit: &mut Unit<'_, '_>,
    (object, id): (&'static str, Uuid),
    before: Option<&T>,
    after: Option<&T>,
) -> Result<(), Refusal> {
    let action = match (before, after) {
        (None, _) => ConfigAction::Created,
        (Some(_), Some(_)) => ConfigAction::Changed,
        (Some(_), None) => ConfigAction::Deleted,
    };
    let value = |side: Option<&T>| side.map_or(Value::Null, |side| json!(side));
    let changed = ConfigChanged { object: object.to_owned(), id, action, before: value(before), after: value(after) };
    unit.record(Event::Config(changed), object, id)
}
