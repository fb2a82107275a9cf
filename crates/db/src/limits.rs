//! The limits of storage, each with its unit.

use std::time::Duration;

/// Commands waiting for the writer (or a PostgreSQL worker); one more is refused with [`crate::Error::Busy`].
pub const WRITE_QUEUE: usize = 4_096;
/// Reads waiting for a reader; one more is refused with [`crate::Error::Busy`].
pub const READ_QUEUE: usize = 4_096;
/// Commands that share one commit on SQLite.
pub const GROUP_COMMANDS: usize = 256;
/// Time after which a group takes no further command (milliseconds of execution, the commit not counted).
pub const GROUP_TIME: Duration = Duration::from_millis(50);
/// Groups that run with a savepoint for each command after one had to be undone: refusals rarely come alone.
pub const CAUTIOUS_GROUPS: u32 = 64;
/// How long SQLite waits for another process that holds the file.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection.
pub const PREPARED_STATEMENTS: usize = 256;
/// Runs of one closure on PostgreSQL when the engine asks for a retry, the first included.
pub const RUNS: u32 = 16;
