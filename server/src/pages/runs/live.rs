//! `GET /runs/{id}/live`: the moving part of the run page, rendered anew whenever something was committed.

use super::{rounds::Looking, show};
use crate::{
    app::App,
    auth::Actor,
    live::{Change, Heard},
    problem::Problem,
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::Stream;
use std::{convert::Infallible, time::Duration};
use towpath_engine::ids::RunId;

/// A run of many quick steps is shown at most this often.
const GATHER: Duration = Duration::from_millis(80);

pub async fn stream(
    State(app): State<App>,
    actor: Actor,
    Path(run): Path<RunId>,
    Query(looking): Query<Looking>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    // Subscribed before the first look, so that nothing falls between.
    let mut watcher = app.live.subscribe();
    let first = show::body(&app, &actor, run, &looking).await?;
    let stream = async_stream::stream! {
        let mut body = first;
        loop {
            let over = !body.run.live;
            match body.render() {
                Ok(html) => yield Ok(Event::default().event("body").data(html)),
                Err(error) => tracing::error!(error = %error, "the run page could not be rendered"),
            }
            if over {
                yield Ok(Event::default().event("done").data(""));
                return;
            }
            loop {
                match watcher.next().await {
                    None => return,
                    Some(Heard::Missed) => break,
                    Some(Heard::Change(Change::Run { run: changed, .. })) if changed == run => break,
                    Some(Heard::Change(_)) => {}
                }
            }
            tokio::time::sleep(GATHER).await;
            body = match show::body(&app, &actor, run, &looking).await {
                Ok(body) => body,
                Err(_) => return,
            };
        }
    };
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}
