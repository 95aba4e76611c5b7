//! Searches run on a bounded pool of blocking threads, and one that would wait past its deadline is turned away at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::Semaphore;

use super::IndexError;

/// The pool of one index; cheap to clone.
#[derive(Clone)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    permits: Arc<Semaphore>,
    size: usize,
    waiting: AtomicUsize,
    /// A moving mean of how long a search takes, in microseconds.
    mean: AtomicU64,
}

impl Pool {
    /// A pool that runs `size` searches at a time.
    pub(super) fn new(size: usize) -> Self {
        let size = size.max(1);
        let permits = Arc::new(Semaphore::new(size));
        Self { shared: Arc::new(Shared { permits, size, waiting: AtomicUsize::new(0), mean: AtomicU64::new(0) }) }
    }

    /// Runs `work` on a blocking thread as soon as one is free, or says [`IndexError::Busy`] as soon as it is clear that
    /// none will be before the deadline.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let shared = &self.shared;
        let queue = Waiting::new(shared);
        let expected = queue.before as u64 * shared.mean.load(Ordering::Relaxed) / shared.size as u64;
        let left = deadline.saturating_duration_since(Instant::now());
        if u128::from(expected) > left.as_micros() {
            return Err(IndexError::Busy);
        }
        let acquired = tokio::time::timeout(left, Arc::clone(&shared.permits).acquire_owned()).await;
        let Ok(Ok(permit)) = acquired else { return Err(IndexError::Busy) };
        drop(queue);
        let shared = Arc::clone(shared);
        let task = tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let outcome = work();
            let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mean = shared.mean.load(Ordering::Relaxed);
            shared.mean.store(mean - mean / 8 + took / 8, Ordering::Relaxed);
            drop(permit);
            outcome
        });
        task.await.unwrap_or_else(|error| Err(IndexError::Failed(error.to_string())))
    }
}

/// One who waits; counted until dropped.
struct Waiting<'a> {
    shared: &'a Shared,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, before: shared.waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn who_would_wait_past_the_deadline_is_turned_away() {
        let pool = Pool::new(1);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (started, running) = tokio::sync::oneshot::channel();
        let holder = tokio::spawn({
            let pool = pool.clone();
            let far = Instant::now() + Duration::from_secs(600);
            async move {
                pool.run(far, move || {
                    started.send(()).ok();
                    held.recv().ok();
                    Ok(())
                })
                .await
            }
        });
        running.await.unwrap();
        let soon = Instant::now() + Duration::from_millis(20);
        assert!(matches!(pool.run(soon, || Ok(())).await, Err(IndexError::Busy)));
        release.send(()).unwrap();
        holder.await.unwrap().unwrap();
        assert!(pool.run(Instant::now() + Duration::from_secs(600), || Ok(())).await.is_ok());
    }
}
