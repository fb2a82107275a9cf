//! What runs beside the requests: the log's tail, the consumers, the jobs and timers.

use crate::refusal::Refusal;
use crate::spine::Spine;
use domain::Span;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Jobs worked on at once.
const JOBS_AT_ONCE: i64 = 16;
/// The longest sleep between looks, so that nothing depends on a wake-up alone.
const IDLE: Duration = Duration::from_millis(1_000);
/// Least time between two looks at the log and at the jobs. Under load many commits share a look; when it is calm
/// the first look comes at once.
const LOG_PACE: Duration = Duration::from_millis(2);
const JOB_PACE: Duration = Duration::from_millis(20);
/// Pause after a storage error.
const AFTER_ERROR: Duration = Duration::from_millis(500);
/// Answers to client-made keys are kept this long (SECURITY P4: at least 24 h).
const KEEP_ANSWERS: Span = Span::hours(48);

impl Spine {
    /// Runs the log's tail, the consumers and the jobs until `stop` changes. Ends when all are done.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        let (hub, consumers, jobs) = (self.clone(), self.clone(), self.clone());
        let stops = [stop.clone(), stop.clone(), stop];
        let [stop_hub, stop_consumers, stop_jobs] = stops;
        tasks.spawn(async move { hub.follow(stop_hub).await });
        tasks.spawn(async move { consumers.consume(stop_consumers).await });
        tasks.spawn(async move { jobs.work(stop_jobs).await });
        while tasks.join_next().await.is_some() {}
    }

    async fn follow(&self, mut stop: watch::Receiver<bool>) {
        let mut committed = self.db().committed();
        while !*stop.borrow() {
            committed.mark_unchanged();
            match self.follow_log().await {
                Ok(true) => tokio::time::sleep(LOG_PACE).await,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "the event log can't be read");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
            tokio::select! {
                _ = committed.changed() => {}
                () = tokio::time::sleep(IDLE) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn consume(&self, mut stop: watch::Receiver<bool>) {
        let mut grown = self.core().tail.grown();
        while !*stop.borrow() {
            grown.mark_unchanged();
            match self.consume_step().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "consumers are held up");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
            tokio::select! {
                _ = grown.changed() => {}
                () = tokio::time::sleep(IDLE) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn work(&self, mut stop: watch::Receiver<bool>) {
        let mut committed = self.db().committed();
        let mut rounds = 0_u64;
        while !*stop.borrow() {
            if rounds.is_multiple_of(3_600) {
                let old = self.now() - KEEP_ANSWERS;
                if let Err(error) = self.forget_answers(old).await {
                    tracing::warn!(%error, "old answers were not forgotten");
                }
            }
            rounds += 1;
            committed.mark_unchanged();
            match self.work_step().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "jobs are held up");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
            tokio::time::sleep(JOB_PACE).await;
            let pause = self.until_next_job().await;
            tokio::select! {
                _ = committed.changed() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn until_next_job(&self) -> Duration {
        match self.next_due().await {
            Ok(Some(at)) => {
                let micros = u64::try_from(at.since(self.now()).as_micros()).unwrap_or(0);
                Duration::from_micros(micros).clamp(Duration::from_millis(1), IDLE)
            }
            _ => IDLE,
        }
    }

    /// Claims and runs due jobs; tells whether there were any. The claim is a write, so it is made only
    /// when a read has found something due.
    async fn work_step(&self) -> Result<bool, Refusal> {
        match self.next_due().await? {
            Some(at) if at <= self.now() => {}
            _ => return Ok(false),
        }
        let jobs = self.claim(JOBS_AT_ONCE).await?;
        let any = !jobs.is_empty();
        for result in join_all(jobs.into_iter().map(|job| self.run_job(job))).await {
            result?;
        }
        Ok(any)
    }

    /// Like [`Spine::work_step`] but one job after the other, so that a seed repeats.
    async fn work_in_order(&self) -> Result<bool, Refusal> {
        let jobs = self.claim(JOBS_AT_ONCE).await?;
        let any = !jobs.is_empty();
        for job in jobs {
            self.run_job(job).await?;
        }
        Ok(any)
    }

    /// Runs everything that is due until nothing is: for tests and simulation, where no loop runs.
    ///
    /// # Errors
    /// Those of the database; [`Refusal::Internal`] when it never becomes quiet.
    pub async fn run_due(&self) -> Result<(), Refusal> {
        for _ in 0..10_000 {
            self.follow_log().await?;
            let consumed = self.consume_step().await?;
            let worked = self.work_in_order().await?;
            if !consumed && !worked {
                return Ok(());
            }
        }
        Err(Refusal::Internal("consumers and jobs feed each other without end".to_owned()))
    }
}
