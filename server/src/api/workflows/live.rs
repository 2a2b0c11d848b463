//! What changes on a workflow while somebody looks at it, as server-sent events. They carry names, never data: the page reads what
//! is committed.

use crate::{
    app::App,
    auth::Actor,
    live::{Change, Heard},
    problem::Problem,
    store::workflows,
};
use axum::{
    extract::{Path, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::Stream;
use serde_json::json;
use std::{convert::Infallible, time::Duration};
use towpath_engine::ids::WorkflowId;

/// `GET /api/v1/workflows/{id}/live`: `workflow` when the draft, state or versions changed, `event` when something arrived and
/// started no run, `run` with the run's id when one was accepted, moved on or ended, `missed` when it is best to read everything
/// again.
pub async fn get(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkflowId>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    workflows::find(&app.pool, actor.workspace, id).await?;
    let mut watcher = app.live.subscribe();
    let workspace = actor.workspace;
    let shutdown = app.shutdown.clone();
    let stream = async_stream::stream! {
        yield Ok(Event::default().event("ready").data("{}").retry(Duration::from_secs(2)));
        loop {
            let heard = tokio::select! {
                heard = watcher.next() => heard,
                () = shutdown.begun() => None,
            };
            match heard {
                None => break,
                Some(Heard::Missed) => yield Ok(Event::default().event("missed").data("{}")),
                Some(Heard::Change(change)) if change.workspace() == workspace && change.workflow() == id => {
                    yield Ok(match change {
                        Change::Workflow { .. } => Event::default().event("workflow").data("{}"),
                        Change::Event { .. } => Event::default().event("event").data("{}"),
                        Change::Run { run, .. } => Event::default().event("run").data(json!({ "run": run }).to_string()),
                    });
                }
                Some(Heard::Change(_)) => {}
            }
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))))
}
