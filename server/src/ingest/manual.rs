//! Manual starts: a person presses Run and answers the trigger's questions. The event says who it was.

use super::{
    decide::Standing,
    questions,
    take::{Addressee, Arrival, Taken, take},
};
use crate::{
    app::App,
    dispatch::TriggerKind,
    problem::{Code, FieldProblem, Problem},
};
use towpath_engine::{
    Json, Object,
    event::{Event, Head},
    ids::{WorkflowId, WorkspaceId},
    workflow::Trigger,
};

/// A start by hand.
pub struct Start<'a> {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    pub standing: Standing,
    pub trigger: &'a Trigger,
    /// The person's name.
    pub by: &'a str,
    pub inputs: &'a Object,
}

/// Checks the inputs and starts the run. For a workflow that isn't published they are kept, as a sample to build on.
pub async fn start(app: &App, start: Start<'_>) -> Result<Taken, Problem> {
    let inputs = questions::typed(&questions::read(start.trigger.input.get("inputs")), start.inputs).map_err(refuse)?;
    let mut meta = Object::new();
    meta.insert("by".into(), start.by.into());
    let event = Event { head: Head { meta, parsed: Some(Json::Object(inputs)), ..Head::default() }, body: Vec::new() };
    let to = Addressee { workspace: start.workspace, workflow: start.workflow, standing: start.standing, endpoint: None };
    let arrival = Arrival {
        kind: TriggerKind::Manual,
        event,
        verified: Ok(()),
        delivery: None,
        event_key: None,
        wait: None,
        address: None,
        size: 0,
    };
    Ok(take(app, &to, arrival).await?)
}

fn refuse(wrong: Vec<(String, String)>) -> Problem {
    let fields: Vec<_> =
        wrong.into_iter().map(|(name, message)| FieldProblem { field: format!("inputs.{name}"), message }).collect();
    Problem { fields, ..Problem::new(Code::Conflict, "Some of the answers can't be used; each says why.") }
}
