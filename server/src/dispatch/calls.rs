//! The calls of one run that are under way, side by side. Each goes on until it is answered or cut off; dropping them cuts all off.

use super::{For, Standing, children, core::Core};
use crate::{
    execute::{Acting, Attempt, act},
    journal::RunRef,
    metrics::figures,
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{collections::HashMap, sync::Arc};
use tokio_util::sync::CancellationToken;
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    event::Caller,
    record::Trace,
    workflow::StepPath,
};

/// What came of a call.
pub struct Done {
    pub acting: Acting,
    pub result: Result<Json, StepError>,
    pub trace: Trace,
}

/// On whose behalf a call is made.
pub struct By {
    pub run: RunRef,
    /// The step of another run that started this one.
    pub caller: Option<Caller>,
    /// For whom doors are opened, or why they are not.
    pub whom: Result<For, StepError>,
}

#[derive(Default)]
pub struct Calls {
    calls: FuturesUnordered<BoxFuture<'static, Option<Done>>>,
    /// How to cut each of them off.
    cuts: HashMap<(StepPath, u16), CancellationToken>,
    /// Answered, and not taken yet.
    done: Vec<Done>,
}

impl Calls {
    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Begins a call.
    pub fn begin(&mut self, core: &Arc<Core>, by: By, acting: Acting) {
        let cut = CancellationToken::new();
        // A run's first call goes by the run's own slot; more of them at once share what all runs have for that.
        let shares = !self.is_empty();
        self.cuts.insert((acting.step.clone(), acting.attempt), cut.clone());
        let core = Arc::clone(core);
        self.calls.push(async move { cut.run_until_cancelled_owned(call(core, by, acting, shares)).await }.boxed());
    }

    /// Cuts off the calls that are not wanted any more.
    pub fn keep(&mut self, wanted: impl Fn(&StepPath, u16) -> bool) {
        self.cuts.retain(|(step, attempt), cut| {
            let keep = wanted(step, *attempt);
            if !keep {
                cut.cancel();
            }
            keep
        });
        let cuts = &self.cuts;
        self.done.retain(|done| cuts.contains_key(&(done.acting.step.clone(), done.acting.attempt)));
    }

    /// Waits until something is answered; for ever, when nothing is under way.
    pub async fn answered(&mut self) {
        while self.done.is_empty() {
            self.gather().await;
        }
    }

    /// Lets the calls go on, and keeps what they are answered; never comes to an end without an answer.
    pub async fn gather(&mut self) {
        match self.calls.next().await {
            Some(done) => self.note(done),
            None => std::future::pending().await,
        }
    }

    /// Takes everything that is answered by now.
    pub fn take(&mut self) -> Vec<Done> {
        while let Some(Some(done)) = self.calls.next().now_or_never() {
            self.note(done);
        }
        for done in &self.done {
            self.cuts.remove(&(done.acting.step.clone(), done.acting.attempt));
        }
        std::mem::take(&mut self.done)
    }

    fn note(&mut self, done: Option<Done>) {
        // One that was cut off before it was answered says nothing.
        self.done.extend(done.filter(|done| self.cuts.contains_key(&(done.acting.step.clone(), done.acting.attempt))));
    }
}

async fn call(core: Arc<Core>, by: By, acting: Acting, shares: bool) -> Done {
    let not_made = |acting: Acting, error| {
        let trace = Trace { input: Some(Json::Object(acting.input.clone())), ..Trace::default() };
        Done { acting, result: Err(error), trace }
    };
    let _share = match shares {
        // The semaphore is never closed.
        true => core.shares.acquire().await.ok(),
        false => None,
    };
    if acting.is_call {
        let result = children::start(&core, by.run, by.caller.as_ref(), &acting).await;
        let trace = Trace { input: Some(Json::Object(acting.input.clone())), ..Trace::default() };
        return Done { acting, result, trace };
    }
    let whom = match by.whom {
        Ok(whom) => whom,
        Err(error) => return not_made(acting, error),
    };
    let (connections, began) = (&core.parts.connections, core.parts.clock.now());
    let connected = match connections.connected(whom).await {
        Ok(connected) => connected,
        Err(error) => return not_made(acting, error),
    };
    let doors = (core.parts.doors)(whom);
    let with = Attempt {
        registry: &core.parts.registry,
        doors: &doors,
        connection: connected.as_ref(),
        key: acting.key,
        timeout: acting.timeout,
        max_output: core.parts.settings.max_output,
    };
    if acting.attempt > 1 {
        figures().retry();
    }
    let (result, trace) = act(&acting.operation, &acting.input, &with).await;
    let standing = connections.heard(whom, began, doors.http.used().refused, result.as_ref().map(drop)).await;
    let result = result.map_err(|error| about(error, whom, standing));
    Done { acting, result, trace }
}

/// A refusal of a connection that works otherwise is about this call: there is nothing to wait for.
fn about(error: StepError, whom: For, standing: Standing) -> StepError {
    if whom.connection.is_none() || error.kind != ErrorKind::Unauthorized || standing == Standing::Refused {
        return error;
    }
    StepError { kind: ErrorKind::Forbidden, ..error }.hint(
        "The connection itself works: it was tested just now. Its account may not do this, or the address asks for another one.",
    )
}
