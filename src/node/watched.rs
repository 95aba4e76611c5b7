//! The node's background tasks, watched: each runs until the node stops, so one that ends before then is a fault that
//! the log and the ready probe must tell. Unwatched, a follower that panicked would leave a node that looks healthy and
//! goes stale.

use std::collections::BTreeSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::http::operations::Check;

/// Background tasks.
#[derive(Debug, Default)]
pub(super) struct Watched {
    tasks: JoinSet<()>,
    ended: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Watched {
    /// Starts a task that should never end by itself.
    pub(super) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let ended = Arc::clone(&self.ended);
        self.tasks.spawn(async move {
            // What panicked is not touched again.
            let panicked = AssertUnwindSafe(task).catch_unwind().await.is_err();
            tracing::error!(task = name, panicked, "a background task ended; start the node again");
            ended.lock().insert(name);
        });
    }

    /// What must hold for the node to be ready: none has ended.
    pub(super) fn check(&self) -> impl Fn() -> Check + Send + Sync + 'static {
        let ended = Arc::clone(&self.ended);
        move || {
            let names: Vec<&str> = ended.lock().iter().copied().collect();
            let wrong = (!names.is_empty()).then(|| {
                format!("background tasks ended ({}): look into the log, start the node again", names.join(", "))
            });
            Check::new("tasks", wrong)
        }
    }

    /// Stops all.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_or_returns_makes_the_node_unready_by_its_name() {
        let mut tasks = Watched::default();
        let check = tasks.check();
        tasks.spawn("steady", std::future::pending());
        assert!(check().ok);
        tasks.spawn("panicking", async { panic!("on purpose") });
        tasks.spawn("returning", async {});
        for _ in 0..500 {
            if ["panicking", "returning"].iter().all(|name| check().detail.contains(name)) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let found = check();
        assert!(!found.ok && found.detail.contains("panicking") && found.detail.contains("returning"), "{found:?}");
        assert!(!found.detail.contains("steady"), "{found:?}");
        tasks.shutdown().await;
    }
}
