//! One attempt of one step, within its time, its size and its own failures: a panic is an error of the step, never of the run.

use super::{resolve::resolve, trace::bounded};
use crate::metrics::figures;
use futures_util::FutureExt;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};
use towpath_connectors::{
    registry::Registry,
    sdk::{Call, Doors, StepTrace, connector::Connected},
};
use towpath_engine::{
    Json, Object,
    catalogue::{Catalogue, FieldKind},
    error::{ErrorKind, StepError},
    expr::Context,
    plan::{Kind, Plan},
    pure::{Outcome, PureStep},
    record::Trace,
    workflow::{FORMAT, Step, Workflow},
};
use uuid::Uuid;

/// How long after its deadline an action may still say in its own words that it ran out of time.
const GRACE: Duration = Duration::from_millis(250);

/// What one attempt may use.
pub struct Attempt<'a> {
    pub registry: &'a Registry,
    pub doors: &'a Doors,
    /// The step's connection, without its secrets.
    pub connection: Option<&'a Connected>,
    /// The idempotency key that the other side sees.
    pub key: Uuid,
    pub timeout: Duration,
    /// The largest output, in bytes of JSON.
    pub max_output: usize,
}

/// What came of an attempt.
#[derive(Debug)]
pub struct Attempted {
    pub result: Result<Outcome, StepError>,
    pub trace: Trace,
}

/// Does a step by itself, outside of any run: resolves its input against `context` (which stands at the step) and acts. An effect
/// is real.
pub async fn attempt(step: &Step, context: &Context, with: &Attempt<'_>) -> Attempted {
    let plan = match Plan::new(0, Workflow { steps: vec![step.clone()], ..blank() }, with.registry) {
        Ok(plan) => plan,
        Err(error) => return Attempted { result: Err(StepError::invalid_input(error.0)), trace: Trace::default() },
    };
    let failed = |error| Attempted { result: Err(error), trace: Trace::default() };
    match plan.steps().first().map(|step| &step.kind) {
        Some(Kind::Pure(pure) | Kind::Delay(pure)) => {
            let started = Instant::now();
            let result = evaluate(pure, context);
            Attempted { result, trace: Trace { micros: micros(started), ..Trace::default() } }
        }
        Some(Kind::Action(template)) => match resolve(&step.operation, template, context, with.registry) {
            Ok(input) => {
                let (result, trace) = act(&step.operation, &input, with).await;
                Attempted { result: result.map(|output| Outcome::Done { output }), trace }
            }
            Err(error) => failed(error),
        },
        // What is inside has no value by itself; a for-each shows the list that it would go through.
        Some(Kind::Lines(lines)) => {
            let result = lines.items(context).and_then(|items| match items {
                Some(items) => Ok(Outcome::Done { output: serde_json::json!({ "count": items.len(), "list": items }) }),
                None => Err(StepError::invalid_input("This step only puts others in order, so it can't be tried by itself.")
                    .hint("Try the steps inside, or run the workflow.")),
            });
            Attempted { result, trace: Trace::default() }
        }
        None => failed(StepError::new(ErrorKind::Internal, "There is no step to try.")),
    }
}

fn blank() -> Workflow {
    Workflow { towpath: FORMAT, name: String::new(), trigger: None, steps: Vec::new() }
}

/// Calls the action of an operation with its resolved input.
pub async fn act(operation: &str, input: &Object, with: &Attempt<'_>) -> (Result<Json, StepError>, Trace) {
    let started = Instant::now();
    let said = StepTrace::default();
    let result = match with.registry.action(operation) {
        Some(action) => {
            let deadline = started + with.timeout;
            let call = Call { input, key: with.key, deadline, connection: with.connection, doors: with.doors, trace: &said };
            let limited = tokio::time::timeout(with.timeout + GRACE, AssertUnwindSafe(action.run(call)).catch_unwind());
            match limited.await {
                Ok(Ok(Ok(output))) => checked(output.value, with.max_output),
                Ok(Ok(Err(error))) => Err(error),
                Ok(Err(_)) => Err(panicked()),
                Err(_) => Err(StepError::new(
                    ErrorKind::Timeout,
                    format!("The step did not finish within {}.", towpath_engine::workflow::Span(with.timeout)),
                )
                .hint("Give the step more time, or look at why the other side is slow.")),
            }
        }
        None => Err(StepError::invalid_input(format!("There is no operation \"{operation}\" in this server."))),
    };
    if with.registry.action(operation).is_some() {
        figures().step(operation, result.is_ok(), started.elapsed());
    }
    let mut result = result;
    if let Err(error) = &mut result
        && let Some(connection) = with.connection
        && error.kind == ErrorKind::Unauthorized
    {
        error.hint = Some(format!(
            "Open the connection “{}” under Connections, enter its secret again and test it. The runs that wait for it go on by themselves then.",
            connection.name
        ));
    }
    // Nothing of what is kept or shown holds a secret that was used, whatever the action made of the answer.
    let scrubber = with.doors.http.used().scrubber;
    match &mut result {
        Ok(output) => scrubber.json(output),
        Err(error) => scrubber.error(error),
    }
    let (mut shown, mut collected) = (Json::Object(without_code(operation, input, with.registry)), said.take());
    for value in [Some(&mut shown), collected.request.as_mut(), collected.response.as_mut()].into_iter().flatten() {
        scrubber.json(value);
    }
    for line in &mut collected.log {
        *line = scrubber.text(line).into_owned();
    }
    let trace = bounded(shown, collected, micros(started));
    (result, trace)
}

/// What is kept of an input. A program is part of the version, and need not be kept with every run again.
fn without_code(operation: &str, input: &Object, registry: &Registry) -> Object {
    let fields = registry.operation(operation).map(|operation| operation.inputs.as_slice()).unwrap_or_default();
    let is_code = |name: &str| fields.iter().any(|field| field.name == name && field.kind == FieldKind::Code);
    input.iter().filter(|(name, _)| !is_code(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Evaluates a step of the engine's own.
pub fn evaluate(step: &PureStep, context: &Context) -> Result<Outcome, StepError> {
    catch_unwind(AssertUnwindSafe(|| step.evaluate(context))).unwrap_or_else(|_| Err(panicked()))
}

fn checked(output: Json, most: usize) -> Result<Json, StepError> {
    // What nests deeper could be written into the journal and not be read back.
    towpath_engine::json::check_depth(&output, towpath_engine::json::STORED_DEPTH)
        .map_err(|message| StepError::invalid_input(format!("The step's output can't be kept: {message}")))?;
    let size = towpath_engine::json::size(&output);
    if size <= most {
        return Ok(output);
    }
    // The action is done: failing with this kind never repeats it.
    Err(StepError::new(
        ErrorKind::InvalidInput,
        format!("The step's output is {} KB large; a step may hand on {} KB at most.", size >> 10, most >> 10),
    )
    .hint("Ask the other side for less, for example for fewer fields or a smaller page."))
}

fn panicked() -> StepError {
    StepError::new(ErrorKind::Internal, "Towpath broke while doing this step. The details are in the server's log.")
        .hint("This is a defect of Towpath: please report it.")
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
