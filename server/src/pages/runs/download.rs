//! Whole payloads, which the run page cuts: always a download, never shown as a page of ours.

use super::show;
use crate::{app::App, auth::Actor, problem::Problem, store::run_pages};
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use towpath_engine::{Json, ids::RunId, record::Record, workflow::StepPath};

/// `GET /runs/{id}/event`: what arrived, byte for byte.
pub async fn event(State(app): State<App>, actor: Actor, Path(run): Path<RunId>) -> Result<Response, Problem> {
    let history = run_pages::history(&app.pool, actor.workspace, run, None).await?;
    let event = show::event(&history);
    if let Some(parsed) = event.head.parsed {
        return Ok(attachment(&format!("event-{run}.json"), pretty(&parsed)));
    }
    Ok(attachment(&format!("event-{run}"), event.body))
}

/// `GET /runs/{id}/steps/{step}/{attempt}/{part}`: one payload of one attempt.
pub async fn part(
    State(app): State<App>,
    actor: Actor,
    Path((run, step, attempt, part)): Path<(RunId, String, u16, String)>,
) -> Result<Response, Problem> {
    let history = run_pages::history(&app.pool, actor.workspace, run, Some(&StepPath(step.clone()).line())).await?;
    let value = history
        .entries
        .iter()
        .filter(|entry| entry.record.step().is_some_and(|path| path.0 == step))
        .find_map(|entry| payload(&entry.record, attempt, &part))
        .ok_or_else(Problem::not_found)?;
    let (name, bytes) = match value {
        Json::String(text) => (format!("{step}-{part}.txt"), text.into_bytes()),
        other => (format!("{step}-{part}.json"), pretty(&other)),
    };
    Ok(attachment(&name, bytes))
}

fn payload(record: &Record, asked: u16, part: &str) -> Option<Json> {
    let (attempt, trace, output) = match record {
        Record::Succeeded { attempt, trace, output, .. } => (*attempt, trace, Some(output)),
        Record::Failed { attempt, trace, .. } | Record::Uncertain { attempt, trace, .. } => (*attempt, trace, None),
        _ => return None,
    };
    if attempt != asked {
        return None;
    }
    match part {
        "input" => trace.input.clone(),
        "request" => trace.request.clone(),
        "response" => trace.response.clone(),
        "output" => output.cloned(),
        _ => None,
    }
}

fn pretty(value: &Json) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

fn attachment(name: &str, bytes: Vec<u8>) -> Response {
    // Ids and step slugs hold nothing that needs quoting here.
    let disposition =
        format!("attachment; filename=\"{}\"", name.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c), "_"));
    ([(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, disposition)], bytes)
        .into_response()
}
