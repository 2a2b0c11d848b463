//! `GET /runs/{id}`: one run, its picture, and what each step got, did and gave.

use super::{
    list,
    picture::{self, Drawing},
    rounds::{self, Looked, Looking},
    words,
};
use crate::{
    app::App,
    auth::{Actor, permission::Action},
    pages,
    problem::Problem,
    store::run_pages::{self, History, Row},
};
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use towpath_engine::{
    Json,
    catalogue::{Catalogue, Effect},
    event::Event,
    ids::RunId,
    record::{EndState, Entry, Record},
    workflow::{Step, StepId, Workflow},
};
use towpath_web::{
    layout::Area,
    runs::show::{ErrorView, Payload, RunBody, RunPage, RunView, TriggerView},
};

pub async fn page(
    State(app): State<App>,
    actor: Actor,
    Path(run): Path<RunId>,
    Query(looking): Query<Looking>,
) -> Result<Response, Problem> {
    let body = body(&app, &actor, run, &looking).await?;
    let title = format!("Run of {}", body.run.workflow_name);
    pages::html(&RunPage { page: actor.page(title, Area::Runs), body })
}

/// The part that moves, from what is committed now.
pub async fn body(app: &App, actor: &Actor, run: RunId, looking: &Looking) -> Result<RunBody, Problem> {
    let row = run_pages::get(&app.pool, actor.workspace, run).await?;
    let looked = rounds::look(app, actor.workspace, run, looking).await?;
    Ok(RunBody {
        run: view(&row, &looked, &*app.registry, app.clock.now())?,
        query: looking.query(),
        csrf: actor.csrf.clone(),
        may_operate: actor.role.may(Action::OperateRuns),
    })
}

fn view(row: &Row, looked: &Looked, catalogue: &dyn Catalogue, now: DateTime<Utc>) -> Result<RunView, Problem> {
    let id = row.id.to_string();
    let history = &looked.history;
    let workflow: Workflow = serde_json::from_value(history.document.clone())
        .map_err(|error| Problem::new(crate::problem::Code::Internal, "This run's version can't be read.").source(error))?;
    let event = event(history);
    let end = row.ended.as_ref().map_or(now, |ended| ended.at);
    let micros = u64::try_from((end - row.created_at).num_microseconds().unwrap_or(0)).unwrap_or(0);
    let drawing = Drawing {
        run: &id,
        workflow: &workflow,
        catalogue,
        entries: &history.entries,
        ended: row.ended.is_some(),
        rounds: &history.rounds,
        pages: Some(&looked.pages),
        round: looked.round.as_ref(),
    };
    let trigger = workflow.trigger.as_ref();
    let operation = trigger.and_then(|it| catalogue.operation(&it.operation));
    Ok(RunView {
        workflow_id: row.workflow.to_string(),
        workflow_name: row.workflow_name.clone(),
        version: row.version,
        state: list::state(row),
        live: row.ended.is_none(),
        started_by: started_by(row, &event),
        started_at: row.created_at.to_rfc3339(),
        duration: words::duration(micros),
        reason: row.ended.as_ref().and_then(|ended| ended.reason.clone()).map(|reason| match reason.as_str() {
            "filtered" => "A filter ended this run.".to_owned(),
            _ => reason,
        }),
        error: row.ended.as_ref().filter(|ended| ended.state != 1 && ended.state != 3).and_then(|ended| {
            let failed = failure(&history.entries);
            failed.or_else(|| Some(ErrorView { message: ended.reason.clone()?, hint: None, field: None }))
        }),
        replay_of: row.replay_of.map(|id| id.to_string()),
        caller: event.head.caller.as_ref().map(|caller| caller.run.to_string()),
        repeats: repeats(&workflow, catalogue, history),
        event: payload(&event, &id),
        notes: event.head.notes.clone(),
        nodes: picture::nodes(&drawing),
        trigger: TriggerView {
            title: trigger
                .and_then(|it| it.title.clone())
                .or_else(|| operation.map(|it| it.sentence.clone()))
                .unwrap_or_else(|| "Trigger".into()),
            icon: operation.map(|it| it.icon.clone()).unwrap_or_default(),
        },
        id,
    })
}

pub(crate) fn event(history: &History) -> Event {
    history.event.as_deref().and_then(|bytes| Event::from_bytes(bytes).ok()).unwrap_or_default()
}

fn payload(event: &Event, run: &str) -> Payload {
    picture::payload(&event.to_value(), format!("/runs/{run}/event"))
}

fn started_by(row: &Row, event: &Event) -> String {
    match event.head.meta.get("by") {
        Some(Json::String(name)) => name.clone(),
        _ => words::started_by(row.trigger_kind).to_owned(),
    }
}

/// The error that ended the run: that of the last failed step.
fn failure(entries: &[Entry]) -> Option<ErrorView> {
    entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Ended { end } => {
            end.error.as_ref().filter(|_| end.state != EndState::Succeeded).map(|failed| picture::error_view(&failed.error))
        }
        Record::Failed { error, .. } | Record::Uncertain { error, .. } => Some(picture::error_view(error)),
        _ => None,
    })
}

/// What a replay would do once more, in words: the steps of this run that acted outside.
fn repeats(workflow: &Workflow, catalogue: &dyn Catalogue, history: &History) -> Vec<String> {
    let acted = |entry: &&Entry| match &entry.record {
        Record::Succeeded { trace, .. } => trace.request.is_some(),
        Record::Uncertain { .. } => true,
        Record::Started { effect, .. } => effect.is_some_and(|effect| effect != Effect::Read),
        _ => false,
    };
    let mut steps: Vec<StepId> = Vec::new();
    for step in history.entries.iter().filter(acted).filter_map(|entry| entry.record.step()) {
        let id = StepId(step.id().to_owned());
        if !steps.contains(&id) {
            steps.push(id);
        }
    }
    // Of a loop only one round is read: whatever may act in it did so in the others.
    for step in
        history.rounds.iter().filter(|(_, counts)| counts.over() > 0).filter_map(|(step, _)| workflow.step(&step.id().into()))
    {
        let acts = |it: &&Step| catalogue.operation(&it.operation).is_some_and(|operation| operation.effect.is_some());
        let inside = step.within().filter(acts).map(|it| it.id.clone());
        steps.extend(inside.filter(|id| !steps.contains(id)).collect::<Vec<_>>());
    }
    steps
        .into_iter()
        .filter_map(|id| {
            let step = workflow.step(&id)?;
            let operation = catalogue.operation(&step.operation)?;
            let title = step.title.as_deref().unwrap_or(&operation.title);
            Some(format!("{title} ({})", operation.sentence.to_lowercase()))
        })
        .collect()
}
