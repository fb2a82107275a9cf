//! What was worked out from configuration, kept until any configuration changes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Entries kept; one more empties it, which costs a few reads and needs no order of use.
const ENTRIES: usize = 4_096;

/// Configuration is read on every request and changes twice a day. A change made by this process is seen by the next
/// look; one made by another process as soon as this one has read the log.
pub struct Kept<K, V>(Mutex<HashMap<K, (u64, V)>>);

impl<K: Eq + Hash, V: Clone> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// What is kept under a key, if it was read under this number of [`Spine::configuration`](crate::Spine::configuration).
    pub fn get(&self, number: u64, key: &K) -> Option<V> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|(of, _)| *of == number).map(|(_, value)| value.clone())
    }

    /// Keeps a value under the number there was before it was read.
    pub fn keep(&self, number: u64, key: K, value: V) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= ENTRIES {
            kept.clear();
        }
        kept.insert(key, (number, value));
    }
}
