//! Refused deliveries, on their way to the store: off the hot path, in batches, and bounded. In a flood some are not written; which
//! trigger was flooded can still be seen.

use super::decide::Refusal;
use crate::{
    clock::Clock,
    live::{Change, Live},
    store::refusals::{self, NewRefused, Refused},
};
use sqlx::PgPool;
use std::{collections::HashMap, net::IpAddr, time::Duration};
use tokio::sync::mpsc;
use towpath_engine::ids::{WorkflowId, WorkspaceId};
use uuid::Uuid;

/// The most that wait to be written.
const QUEUE: usize = 1_024;
/// The least time between two batches.
const PAUSE: Duration = Duration::from_millis(500);
/// The most of one trigger in one batch.
const SHARE: usize = 20;
/// The longest detail that is kept, in characters.
const DETAIL: usize = 300;

/// Takes refusals without waiting.
#[derive(Clone)]
pub struct Log {
    queue: mpsc::Sender<NewRefused>,
    clock: Clock,
}

impl Log {
    /// Starts the writer; it ends when the last [`Log`] is gone.
    pub fn start(pool: PgPool, clock: Clock, live: Live) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write(pool, live, waiting));
        Self { queue, clock }
    }

    /// Notes a refused delivery. When too many wait, this one is let go.
    pub fn note(&self, workspace: WorkspaceId, workflow: WorkflowId, refusal: &Refusal, address: Option<IpAddr>, size: usize) {
        let refused = Refused {
            id: Uuid::now_v7(),
            reason: refusal.reason.as_str().to_owned(),
            detail: refusal.detail.chars().take(DETAIL).collect(),
            address: address.map(|address| address.to_string()).unwrap_or_default(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            refused_at: self.clock.now(),
        };
        let _ = self.queue.try_send(NewRefused { workspace, workflow, refused });
    }
}

async fn write(pool: PgPool, live: Live, mut waiting: mpsc::Receiver<NewRefused>) {
    let mut batch = Vec::with_capacity(QUEUE);
    while waiting.recv_many(&mut batch, QUEUE).await > 0 {
        let kept = share(std::mem::take(&mut batch));
        match refusals::insert_batch(&pool, &kept).await {
            Ok(()) => {
                let touched: HashMap<_, _> = kept.iter().map(|it| (it.workflow, it.workspace)).collect();
                for (workflow, workspace) in touched {
                    live.publish(Change::Event { workspace, workflow });
                }
            }
            Err(error) => tracing::warn!(?error, count = kept.len(), "refused deliveries could not be noted"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The last few of each trigger, in order.
fn share(batch: Vec<NewRefused>) -> Vec<NewRefused> {
    let mut seen: HashMap<WorkflowId, usize> = HashMap::new();
    let mut kept: Vec<_> = batch
        .into_iter()
        .rev()
        .filter(|it| {
            let count = seen.entry(it.workflow).or_default();
            *count += 1;
            *count <= SHARE
        })
        .collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn a_flooded_trigger_gets_its_share_and_others_keep_theirs() {
        let (flooded, quiet) = (WorkflowId::new(), WorkflowId::new());
        let of = |workflow, size| NewRefused {
            workspace: WorkspaceId::new(),
            workflow,
            refused: Refused {
                id: Uuid::now_v7(),
                reason: "signature".into(),
                detail: String::new(),
                address: String::new(),
                size,
                refused_at: DateTime::UNIX_EPOCH,
            },
        };
        let mut batch: Vec<_> = (0..500).map(|size| of(flooded, size)).collect();
        batch.insert(3, of(quiet, 0));
        let kept = share(batch);
        assert_eq!(kept.iter().filter(|it| it.workflow == quiet).count(), 1);
        let sizes: Vec<_> = kept.iter().filter(|it| it.workflow == flooded).map(|it| it.refused.size).collect();
        assert_eq!(sizes, (480..500).collect::<Vec<_>>());
    }
}
