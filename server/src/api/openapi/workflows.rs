//! Workflows, runs, triggers and connections, as the document has them. What a workflow's document or a service's data look like
//! inside is not repeated here: those are open objects.

use super::operation::{
    Operation, any_object, anything, flag, id, list, moment, number, number_or_null, object, object_with, operation, text,
    text_or_null,
};
use crate::api::{
    page::{Asking, Page},
    run_list,
    workflows::{list::ListedWorkflow, versions::ListedVersion},
};
use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const WORKFLOWS: &str = "Workflows";
const TRIGGERS: &str = "Triggers";
const RUNS: &str = "Runs";
const CONNECTIONS: &str = "Connections";
const CATALOGUE: &str = "Catalogue";

pub fn operations() -> Vec<Operation> {
    let mut all = workflows();
    all.extend(drafts());
    all.extend(triggers());
    all.extend(runs());
    all.extend(connections());
    all
}

fn document() -> Value {
    json!({ "$ref": "#/components/schemas/Workflow" })
}

fn issue() -> Value {
    let fields = json!({ "step": text(), "field": text(), "message": text(), "severity": { "type": "string", "enum": ["blocks", "warning"] } });
    object_with(fields, &["message", "severity"])
}

fn workflow() -> Value {
    object(json!({
        "id": id(),
        "name": text(),
        "state": { "type": "string", "enum": ["draft", "published", "paused"] },
        "document": document(),
        "revision": number(),
        "published_version": number_or_null(),
        "latest_version": number(),
        "unpublished_changes": flag(),
        "updated_at": moment(),
        "issues": list(issue()),
    }))
}

fn made() -> Value {
    object(json!({ "id": id(), "href": text(), "missing_connections": list(text()) }))
}

fn samples() -> Value {
    object_with(
        json!({ "trigger": anything("The trigger's data."), "steps": any_object("Outputs of earlier steps, by their ids.") }),
        &[],
    )
}

fn workflows() -> Vec<Operation> {
    let new = json!({
        "name": { "type": "string", "minLength": 1, "maxLength": 200, "description": "May be left out with a document, which has a name." },
        "starter": { "type": "string", "description": "The key of a starter." },
        "document": document(),
    });
    vec![
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows", "List the workflows")
            .text("The newest first.")
            .asks::<Asking<Uuid>>()
            .answers::<Page<ListedWorkflow>>(200),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows", "Make a workflow")
            .text("Empty, from a starter, or from a document. It is a draft; connections that are not yours are left out.")
            .takes_raw(object_with(new, &[]))
            .answers_raw(201, made()),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}", "Read a workflow")
            .text("The draft, and what is wrong with it.")
            .answers_raw(200, workflow()),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}/export", "Export a workflow")
            .text("The draft as a file has it: connections by their names, which mean something elsewhere; never a secret. Making a workflow from a document takes it back.")
            .answers_raw(200, object_with(json!({ "document": { "type": "object" } }), &["document"])),
        operation(WORKFLOWS, Method::DELETE, "/api/v1/workflows/{id}", "Delete a workflow")
            .text("Its addresses lead nowhere from now on; its runs stay until they are too old."),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/duplicate", "Copy a workflow").answers_raw(201, made()),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/rename", "Rename a workflow")
            .takes_raw(object(json!({ "name": { "type": "string", "minLength": 1, "maxLength": 200 } })))
            .answers_raw(200, workflow()),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/publish", "Publish the draft")
            .text("It becomes the next version, and the one that runs. A paused workflow resumes. Name the revision that you saw, and a draft that was edited since is refused.")
            .takes_raw(object_with(json!({ "revision": number_or_null() }), &[]))
            .answers_raw(200, workflow()),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/pause", "Pause a workflow")
            .text("Events are kept in its inbox; runs that began go on.")
            .answers_raw(200, workflow()),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/resume", "Resume a workflow").answers_raw(200, workflow()),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}/versions", "List what was published")
            .text("The newest first.")
            .asks::<Asking<i32>>()
            .answers::<Page<ListedVersion>>(200),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}/versions/{version}", "Read one version")
            .answers_raw(200, object(json!({ "version": number(), "issues": list(issue()), "document": document() }))),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/versions/{version}/restore", "Take a version back into the draft")
            .text("What runs does not change until it is published.")
            .answers_raw(200, workflow()),
    ]
}

fn drafts() -> Vec<Operation> {
    let operations = || list(any_object("An operation, with its name under `op`."));
    let edited = json!({
        "revision": number(),
        "operations": operations(),
        "inverse": operations(),
        "issues": list(issue()),
        "unpublished_changes": flag(),
        "repeated": flag(),
    });
    let stale = object(json!({
        "code": text(),
        "title": text(),
        "status": number(),
        "detail": text(),
        "missed": list(object(json!({ "revision": number(), "operations": operations() }))),
        "includes_yours": flag(),
        "workflow": workflow(),
    }));
    let resolved = object_with(json!({ "value": anything("What it comes to."), "missing": text(), "error": text() }), &[]);
    vec![
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/edits", "Edit the draft")
            .text("All of the operations or none. An edit of an older revision is answered with what was missed; the same edit sent twice counts once.")
            .takes_raw(object(json!({ "base": number(), "operations": { "type": "array", "minItems": 1, "maxItems": 500, "items": { "type": "object" } } })))
            .answers_raw(200, object_with(edited, &["revision", "issues"]))
            .also(409, "The draft was edited elsewhere since.", json!({ "anyOf": [stale, { "$ref": "#/components/schemas/Problem" }] })),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/resolve", "Try expressions")
            .text("Evaluated over samples; nothing is stored or sent.")
            .takes_raw(object_with(json!({ "samples": samples(), "values": { "type": "object", "maxProperties": 200 } }), &["values"]))
            .answers_raw(200, object(json!({ "results": { "type": "object", "additionalProperties": resolved } }))),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/steps/{step}/test", "Try one step of the draft")
            .text("Without `send` it only says what would be done.")
            .takes_raw(object_with(json!({ "samples": samples(), "send": flag() }), &[]))
            .answers_raw(200, any_object("`preview`, `output`, `trace` or `error`, whichever apply.")),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/steps/{step}/options", "List what can be picked in a field")
            .text("Asked of the service with the step's connection; nothing is kept. `trigger` is the trigger.")
            .takes_raw(object_with(
                json!({ "field": text(), "query": text(), "input": any_object("What differs from the draft.") }),
                &["field"],
            ))
            .answers_raw(200, any_object("`options` and `complete`, or `error`.")),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}/live", "Hear what changes on a workflow")
            .streams("`ready`, `workflow`, `event`, `run` and `missed`, as they happen."),
    ]
}

fn triggers() -> Vec<Operation> {
    let secret = json!({ "secret": text_or_null(), "generate": flag() });
    let ids = object_with(json!({ "ids": { "type": ["array", "null"], "items": id(), "uniqueItems": true } }), &[]);
    let preview = object_with(
        json!({ "input": any_object("The schedule's settings."), "after": { "type": ["string", "null"], "format": "date-time" } }),
        &["input"],
    );
    let previewed = object(json!({
        "words": text_or_null(),
        "zone": text_or_null(),
        "times": list(object(json!({ "at": moment(), "local": text() }))),
        "wrong": list(object(json!({ "field": text(), "message": text() }))),
    }));
    vec![
        operation(TRIGGERS, Method::GET, "/api/v1/workflows/{id}/trigger", "Read a trigger's state")
            .text("Its address, who may call, what arrived, what was refused.")
            .answers_raw(200, any_object("What the trigger's card shows; which fields there are follows from the kind of trigger.")),
        operation(TRIGGERS, Method::GET, "/api/v1/workflows/{id}/trigger/examples", "Read programs that call a webhook")
            .text("In curl and five languages, signed as the webhook wants it; the secret is read from the environment.")
            .answers_raw(200, any_object("`workflow`, `url`, `proof`, `secret` and `examples`.")),
        operation(TRIGGERS, Method::GET, "/api/v1/workflows/{id}/trigger/events", "Hear what arrives at a trigger")
            .streams("`trigger` with its whole state, now and whenever something arrives or is refused."),
        operation(TRIGGERS, Method::PUT, "/api/v1/workflows/{id}/trigger/secret", "Set the secret of a trigger's address")
            .text("A secret goes in and never comes out; a generated one is in this answer only.")
            .takes_raw(object_with(secret, &[]))
            .answers_raw(200, object_with(json!({ "hint": text_or_null(), "secret": text() }), &["hint"])),
        operation(TRIGGERS, Method::POST, "/api/v1/workflows/{id}/trigger/rotate", "Give a trigger a new address")
            .text("The old one answers as one that never was.")
            .answers_raw(200, object(json!({ "endpoint": id(), "url": text() }))),
        operation(TRIGGERS, Method::GET, "/api/v1/workflows/{id}/trigger/samples/{sample}", "Read an event that arrived")
            .answers_raw(200, object(json!({
                "id": id(), "at": moment(), "run": { "type": ["string", "null"], "format": "uuid" }, "value": anything("As expressions see it."), "notes": list(text()),
            }))),
        operation(TRIGGERS, Method::POST, "/api/v1/workflows/{id}/trigger/parked/replay", "Start what waits in the inbox")
            .takes_raw(ids)
            .body_is_optional()
            .answers_raw(200, object(json!({ "started": number(), "unreadable": number(), "cut": flag() }))),
        operation(TRIGGERS, Method::POST, "/api/v1/workflows/{id}/trigger/check", "Look for news at once")
            .answers_raw(200, any_object("What was found, and the trigger's state.")),
        operation(TRIGGERS, Method::POST, "/api/v1/schedules/preview", "Read a schedule in words, with its next five times")
            .takes_raw(preview)
            .answers_raw(200, previewed),
    ]
}

fn runs() -> Vec<Operation> {
    let step = object(json!({
        "path": text(), "tone": text(), "label": text(), "duration": text_or_null(), "attempts": number(), "error": text_or_null(),
        "hint": text_or_null(), "undecided": flag(),
    }));
    let run = object(json!({
        "id": id(), "workflow": id(), "version": number(),
        "state": { "type": "string", "enum": ["running", "waiting", "succeeded", "failed", "cancelled", "dead_lettered"] },
        "label": text(), "reason": text_or_null(), "started_at": moment(), "ended_at": { "type": ["string", "null"], "format": "date-time" },
        "replay_of": { "type": ["string", "null"], "format": "uuid" }, "steps": list(step),
    }));
    let started = json!({ "run": id(), "status": text(), "reason": text(), "sample": id() });
    let done = || object(json!({ "done": flag() }));
    let decision = json!({
        "step": text(),
        "decision": { "type": "string", "enum": ["went_through", "send_again", "fail"] },
        "output": anything("What the step gave, for `went_through`."),
    });
    vec![
        operation(RUNS, Method::GET, "/api/v1/runs", "List the runs")
            .text("The newest first, with the filters of the page.")
            .asks::<run_list::Wanted>()
            .answers::<Page<run_list::ListedRun>>(200),
        operation(RUNS, Method::POST, "/api/v1/workflows/{id}/run", "Start a workflow by hand")
            .takes_raw(object_with(json!({ "inputs": any_object("What the trigger asks for.") }), &[]))
            .body_is_optional()
            .answers_raw(202, object_with(started, &[])),
        operation(RUNS, Method::GET, "/api/v1/runs/{run}", "Read a run")
            .text("With the state of each step.")
            .answers_raw(200, run),
        operation(RUNS, Method::POST, "/api/v1/runs/{run}/cancel", "Cancel a run").answers_raw(200, done()),
        operation(RUNS, Method::POST, "/api/v1/runs/{run}/replay", "Start a new run from a run's event")
            .answers_raw(201, object(json!({ "run": id() }))),
        operation(RUNS, Method::POST, "/api/v1/runs/{run}/decide", "Say what became of an effect that nobody knows")
            .takes_raw(object_with(decision, &["step", "decision"]))
            .answers_raw(200, done()),
        operation(RUNS, Method::GET, "/api/v1/workflows/{workflow}/runs/live", "Hear a workflow's runs move")
            .streams("`run` with the run, for every run that moves."),
    ]
}

fn connections() -> Vec<Operation> {
    let sharing = json!({ "type": "string", "enum": ["everybody", "people"] });
    let fields = any_object("The fields of the way to authenticate, secret ones too.");
    let new = json!({
        "connector": text(), "auth": text_or_null(), "name": text(), "fields": fields, "hosts": list(text()), "sharing": sharing,
        "people": list(id()),
    });
    let change = json!({
        "name": text_or_null(), "fields": { "type": ["object", "null"] }, "hosts": { "type": ["array", "null"], "items": text() },
        "sharing": { "type": ["string", "null"], "enum": ["everybody", "people", null] }, "people": { "type": ["array", "null"], "items": id() },
    });
    let connection = any_object("A connection without its secrets, with its health, who may use it and where it is used.");
    let asked = json!({ "connector": text(), "after": text() });
    vec![
        operation(CONNECTIONS, Method::GET, "/api/v1/connections", "List the connections")
            .text("By name; only one connector's with `connector`. Send the answer's `after` as `after` for the next page.")
            .asks_raw(object_with(asked, &[]))
            .answers_raw(200, object(json!({ "connections": list(connection.clone()), "after": text_or_null() }))),
        operation(CONNECTIONS, Method::POST, "/api/v1/connections", "Make a connection")
            .text("Secrets go in and never come out.")
            .takes_raw(object_with(new, &["connector", "name"]))
            .answers_raw(201, connection.clone()),
        operation(CONNECTIONS, Method::GET, "/api/v1/connections/{connection}", "Read a connection").answers_raw(200, connection.clone()),
        operation(CONNECTIONS, Method::PUT, "/api/v1/connections/{connection}", "Change a connection")
            .text("What is left out stays. A secret that is null is taken away; another host asks for the secrets again.")
            .takes_raw(object_with(change, &[]))
            .answers_raw(200, connection),
        operation(CONNECTIONS, Method::DELETE, "/api/v1/connections/{connection}", "Delete a connection")
            .text("Steps that use it fail from now on, and say why."),
        operation(CONNECTIONS, Method::POST, "/api/v1/connections/{connection}/test", "Try a connection")
            .takes_raw(object_with(json!({ "url": text_or_null() }), &[]))
            .body_is_optional()
            .answers_raw(200, any_object("`health`, `message`, and `hint` and `account` where there are any.")),
        operation(CATALOGUE, Method::GET, "/api/v1/connectors", "List the services and what their connections ask for")
            .answers_raw(200, object(json!({ "connectors": list(any_object("A service.")) }))),
        operation(CATALOGUE, Method::GET, "/api/v1/catalogue", "List the operations and the functions of expressions")
            .answers_raw(200, object(json!({ "operations": list(any_object("An operation with its form.")), "connectors": list(any_object("A service.")), "functions": list(any_object("A filter or a function.")) }))),
    ]
}
