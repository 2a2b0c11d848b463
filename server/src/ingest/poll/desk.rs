//! Who looks when: so many polls side by side, each by one at a time, and what is due waits its turn.

use super::look::{Looked, look};
use crate::{
    app::App,
    ingest::{
        alarm::{self, Alarm},
        settle,
        take::NotNow,
    },
    store::{
        self,
        polls::{self, Polled},
    },
};
use parking_lot::Mutex;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::{Notify, Semaphore};
use towpath_engine::ids::WorkflowId;
use uuid::Uuid;

/// How many look at the same time.
const SIDE_BY_SIDE: usize = 16;
/// How long to wait when nothing could be read or stored.
const AGAIN: Duration = Duration::from_secs(2);

/// Which polls are under way. One per process.
pub struct Desk {
    busy: Mutex<HashSet<WorkflowId>>,
    turns: Arc<Semaphore>,
    /// A look ended.
    pub news: Notify,
}

impl Default for Desk {
    fn default() -> Self {
        Self { busy: Mutex::default(), turns: Arc::new(Semaphore::new(SIDE_BY_SIDE)), news: Notify::new() }
    }
}

/// Somebody is looking already.
#[derive(Debug)]
pub struct Busy;

impl Desk {
    /// Looks now, out of turn.
    pub async fn look(self: &Arc<Self>, app: &App, poll: &Polled) -> Result<Result<Looked, NotNow>, Busy> {
        let _seat = self.sit(poll.workflow).ok_or(Busy)?;
        Ok(look(app, poll).await)
    }

    fn sit(self: &Arc<Self>, workflow: WorkflowId) -> Option<Seat> {
        let free = self.busy.lock().insert(workflow);
        free.then(|| Seat { desk: Arc::clone(self), workflow })
    }

    fn busy(&self) -> Vec<Uuid> {
        self.busy.lock().iter().map(|workflow| workflow.0).collect()
    }
}

/// While it is held, nobody else looks.
struct Seat {
    desk: Arc<Desk>,
    workflow: WorkflowId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.desk.busy.lock().remove(&self.workflow);
        self.desk.news.notify_one();
    }
}

/// Looks whenever it is time, until the server goes away.
pub async fn run(app: App) {
    settle::mend_polls(&app).await;
    let mut changes = app.live.subscribe_workflows();
    loop {
        let alarm = begin_due(&app).await.unwrap_or_else(|error| {
            tracing::warn!(?error, "what is to be looked at could not be read");
            Alarm::After(AGAIN)
        });
        if !alarm::wait(&app, &mut changes, &app.ingest.polls.news, alarm).await {
            return;
        }
    }
}

/// Begins as many of the due looks as there are turns.
async fn begin_due(app: &App) -> Result<Alarm, store::Error> {
    let desk = &app.ingest.polls;
    let free = desk.turns.available_permits();
    if free == 0 {
        // Somebody who ends gives news.
        return Ok(Alarm::At(None));
    }
    let most = i64::try_from(free).unwrap_or(i64::MAX);
    for poll in polls::due(&app.pool, app.clock.now(), &desk.busy(), most).await? {
        let Ok(turn) = Arc::clone(&desk.turns).try_acquire_owned() else { break };
        let Some(seat) = desk.sit(poll.workflow) else { continue };
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = look(&app, &poll).await {
                tracing::warn!(%error, workflow = %poll.workflow, "what a look found could not be stored; it is looked at again");
                // Still due: not at once, though.
                tokio::time::sleep(AGAIN).await;
            }
            // The turn first: whoever hears the news finds it free.
            drop(turn);
            drop(seat);
        });
    }
    if desk.turns.available_permits() == 0 {
        return Ok(Alarm::At(None));
    }
    Ok(Alarm::At(polls::next(&app.pool, &desk.busy()).await?))
}
