//! The outside as arguments (I6): a clock and a source of randomness. Only here may the real ones be asked.

use domain::Timestamp;
use std::sync::Arc;

/// Tells the time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// Fills bytes with randomness; the real one is fit for secrets.
pub trait Randomness: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// Both together.
#[derive(Clone)]
pub struct Edges {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Randomness>,
}

impl Edges {
    /// The machine's clock and the operating system's randomness.
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandomness) }
    }

    /// A new time-ordered id.
    #[must_use]
    pub fn uuid(&self) -> uuid::Uuid {
        let mut random = [0; 10];
        self.random.fill(&mut random);
        domain::ids::uuid_v7(self.clock.now(), random)
    }
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine's clock")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness no secret is safe: stopping is the only honest answer.
        if getrandom::fill(bytes).is_err() {
            tracing::error!("the operating system gives no randomness");
            std::process::abort();
        }
    }
}
