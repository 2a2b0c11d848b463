//! Workflows, runs, triggers and connections, as the document has them. What a service's data look like inside is not repeated here:
//! those are open objects.

use super::operation::{Operation, operation};
use crate::{
    api::{
        attempts, catalogue, connections,
        page::{Asking, Page},
        rounds, run_list, runs, tables, triggers, variables, workflows,
    },
    ingest::replay::Replayed,
};
use axum::http::Method;
use serde_json::json;
use uuid::Uuid;

const WORKFLOWS: &str = "Workflows";
const TRIGGERS: &str = "Triggers";
const RUNS: &str = "Runs";
const CONNECTIONS: &str = "Connections";
const CATALOGUE: &str = "Catalogue";
const VARIABLES: &str = "Variables";
const TABLES: &str = "Data tables";

pub fn operations() -> Vec<Operation> {
    let mut all = workflows();
    all.extend(drafts());
    all.extend(triggers());
    all.extend(runs());
    all.extend(connections());
    all.extend(variables());
    all.extend(tables());
    all
}

fn workflows() -> Vec<Operation> {
    use workflows::{WorkflowView, create, export, list::ListedWorkflow, state, versions};
    let by_hand = json!({
        "document": {
            "towpath": 1,
            "name": "Greet",
            "trigger": { "use": "manual" },
            "steps": [{ "id": "set", "use": "set", "input": { "fields": { "greeting": "Hello {{ trigger.name }}" } } }],
        },
    });
    vec![
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows", "List the workflows")
            .text("The newest first.")
            .asks::<Asking<Uuid>>()
            .answers::<Page<ListedWorkflow>>(200),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows", "Make a workflow")
            .text("Empty, from a starter, or from a document. It is a draft; connections that are not yours are left out.")
            .takes::<create::New>(by_hand)
            .answers::<create::MadeWorkflow>(201),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}", "Read a workflow")
            .text("The draft, and what is wrong with it.")
            .answers::<WorkflowView>(200),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}/export", "Export a workflow")
            .text("The draft as a file has it: connections by their names, which mean something elsewhere; never a secret. Making a workflow from a document takes it back.")
            .answers::<export::Exported>(200),
        operation(WORKFLOWS, Method::DELETE, "/api/v1/workflows/{id}", "Delete a workflow")
            .text("Its addresses lead nowhere from now on; its runs stay until they are too old."),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/duplicate", "Copy a workflow")
            .answers::<create::MadeWorkflow>(201),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/rename", "Rename a workflow")
            .takes::<state::Rename>(json!({ "name": "Orders to the warehouse" }))
            .answers::<WorkflowView>(200),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/publish", "Publish the draft")
            .text("It becomes the next version, and the one that runs. A paused workflow resumes. Name the revision that you saw, and a draft that was edited since is refused. What is still wrong with the draft stands under `fields`.")
            .takes::<state::Publish>(json!({ "revision": 0 }))
            .answers::<WorkflowView>(200),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/pause", "Pause a workflow")
            .text("Events are kept in its inbox; runs that began go on.")
            .answers::<WorkflowView>(200),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/resume", "Resume a workflow").answers::<WorkflowView>(200),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}/versions", "List what was published")
            .text("The newest first.")
            .asks::<Asking<i32>>()
            .answers::<Page<versions::ListedVersion>>(200),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}/versions/{version}", "Read one version")
            .answers::<versions::Version>(200),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/versions/{version}/restore", "Take a version back into the draft")
            .text("What runs does not change until it is published.")
            .answers::<WorkflowView>(200),
    ]
}

fn drafts() -> Vec<Operation> {
    use workflows::{edits, options, resolve, trial};
    vec![
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/edits", "Edit the draft")
            .text("All of the operations or none. An edit of an older revision is answered with what was missed; the same edit sent twice counts once.")
            .takes::<edits::Edit>(json!({ "base": 0, "operations": [{ "op": "set_name", "name": "Orders" }] }))
            .answers::<edits::Edited>(200)
            .also::<edits::Stale>(409, "The draft was edited elsewhere since, or does not take these operations."),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/resolve", "Try expressions")
            .text("Evaluated over samples; nothing is stored or sent.")
            .takes::<resolve::Resolve>(json!({ "samples": { "trigger": { "total": 12 } }, "values": { "text": "{{ trigger.total }} EUR" } }))
            .answers::<resolve::Resolved>(200),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/steps/{step}/test", "Try one step of the draft")
            .text("Without `send` it only says what would be done.")
            .takes::<trial::Trial>(json!({ "samples": { "trigger": { "name": "Ada" } }, "send": false }))
            .answers::<trial::Tried>(200),
        operation(WORKFLOWS, Method::POST, "/api/v1/workflows/{id}/steps/{step}/options", "List what can be picked in a field")
            .text("Asked of the service with the step's connection; nothing is kept. `trigger` is the trigger.")
            .takes::<options::Asked>(json!({ "field": "channel", "query": "gen" }))
            .answers::<options::Found>(200),
        operation(WORKFLOWS, Method::GET, "/api/v1/workflows/{id}/live", "Hear what changes on a workflow")
            .streams("`ready`, `workflow`, `event`, `run` and `missed`, as they happen."),
    ]
}

fn triggers() -> Vec<Operation> {
    let ids = json!({ "ids": ["0199a8f0-0000-7000-8000-000000000001"] });
    vec![
        operation(TRIGGERS, Method::GET, "/api/v1/workflows/{id}/trigger", "Read a trigger's state")
            .text("Its address, who may call, what arrived, what was refused.")
            .answers::<triggers::TriggerView>(200),
        operation(TRIGGERS, Method::GET, "/api/v1/workflows/{id}/trigger/examples", "Read programs that call a webhook")
            .text("In curl and five languages, signed as the webhook wants it; the secret is read from the environment.")
            .answers::<triggers::Examples>(200),
        operation(TRIGGERS, Method::GET, "/api/v1/workflows/{id}/trigger/events", "Hear what arrives at a trigger")
            .streams("`trigger` with its whole state, now and whenever something arrives or is refused."),
        operation(TRIGGERS, Method::PUT, "/api/v1/workflows/{id}/trigger/secret", "Set the secret of a trigger's address")
            .text("A secret goes in and never comes out; a generated one is in this answer only.")
            .takes::<triggers::SecretChange>(json!({ "generate": true }))
            .answers::<triggers::Changed>(200),
        operation(TRIGGERS, Method::POST, "/api/v1/workflows/{id}/trigger/rotate", "Give a trigger a new address")
            .text("The old one answers as one that never was.")
            .answers::<triggers::Rotated>(200),
        operation(TRIGGERS, Method::GET, "/api/v1/workflows/{id}/trigger/samples/{sample}", "Read an event that arrived")
            .answers::<triggers::Sample>(200),
        operation(TRIGGERS, Method::POST, "/api/v1/workflows/{id}/trigger/parked/replay", "Start what waits in the inbox")
            .takes::<triggers::Chosen>(ids)
            .body_is_optional()
            .answers::<Replayed>(200),
        operation(TRIGGERS, Method::POST, "/api/v1/workflows/{id}/trigger/check", "Look for news at once")
            .answers::<triggers::Checked>(200),
        operation(TRIGGERS, Method::POST, "/api/v1/schedules/preview", "Read a schedule in words, with its next five times")
            .takes::<triggers::Preview>(json!({ "input": { "every": "days", "at": "09:00", "zone": "Europe/Berlin" } }))
            .answers::<triggers::Previewed>(200),
    ]
}

fn runs() -> Vec<Operation> {
    vec![
        operation(RUNS, Method::GET, "/api/v1/runs", "List the runs")
            .text("The newest first, with the filters of the page.")
            .asks::<run_list::Wanted>()
            .answers::<Page<run_list::ListedRun>>(200),
        operation(RUNS, Method::POST, "/api/v1/workflows/{id}/run", "Start a workflow by hand")
            .text("Of a workflow that isn't published the inputs are kept, as a sample to build on.")
            .takes::<triggers::Inputs>(json!({ "inputs": {} }))
            .body_is_optional()
            .answers::<triggers::Begun>(202),
        operation(RUNS, Method::GET, "/api/v1/runs/{run}", "Read a run")
            .text("With the state of each step.")
            .answers::<runs::RunView>(200),
        operation(RUNS, Method::GET, "/api/v1/runs/{run}/event", "Read what started a run").answers::<attempts::Arrived>(200),
        operation(RUNS, Method::GET, "/api/v1/runs/{run}/attempts", "List what a run's steps got, did and gave")
            .text(
                "Every attempt that is over, in the order in which it happened: input, request, response, output, error and log.",
            )
            .asks::<attempts::Wanted>()
            .answers::<Page<attempts::Attempt>>(200),
        operation(RUNS, Method::GET, "/api/v1/runs/{run}/rounds", "List the rounds of a loop")
            .text("Those that are over, in the order of the list that the loop goes through.")
            .asks::<rounds::Wanted>()
            .answers::<Page<rounds::Round>>(200),
        operation(RUNS, Method::POST, "/api/v1/runs/{run}/cancel", "Cancel a run").answers::<runs::Done>(200),
        operation(RUNS, Method::POST, "/api/v1/runs/{run}/replay", "Start a new run from a run's event")
            .answers::<runs::Replayed>(201),
        operation(RUNS, Method::POST, "/api/v1/runs/{run}/decide", "Say what became of an effect that nobody knows")
            .takes::<runs::Decided>(json!({ "step": "charge", "decision": "went_through", "output": { "id": "ch_1" } }))
            .answers::<runs::Done>(200),
        operation(RUNS, Method::GET, "/api/v1/workflows/{workflow}/runs/live", "Hear a workflow's runs move")
            .streams("`run` with the run, for every run that moves."),
    ]
}

fn connections() -> Vec<Operation> {
    use connections::{Change, Filter, New, Services, Test, Tested, View, Whole};
    let new = json!({
        "connector": "http", "auth": "bearer", "name": "Shop", "fields": { "token": "the-token-of-the-shop" },
        "hosts": ["api.example.com"], "sharing": "everybody",
    });
    vec![
        operation(CONNECTIONS, Method::GET, "/api/v1/connections", "List the connections")
            .text("By name; only one connector's with `connector`.")
            .asks::<Filter>()
            .answers::<Page<View>>(200),
        operation(CONNECTIONS, Method::POST, "/api/v1/connections", "Make a connection")
            .text("It belongs to whoever makes it. Secrets go in and never come out.")
            .takes::<New>(new)
            .answers::<Whole>(201),
        operation(CONNECTIONS, Method::GET, "/api/v1/connections/{connection}", "Read a connection").answers::<Whole>(200),
        operation(CONNECTIONS, Method::PUT, "/api/v1/connections/{connection}", "Change a connection")
            .text("What is left out stays. A secret that is null is taken away; another host asks for the secrets again.")
            .takes::<Change>(json!({ "name": "The shop" }))
            .answers::<Whole>(200),
        operation(CONNECTIONS, Method::DELETE, "/api/v1/connections/{connection}", "Delete a connection")
            .text("Steps that use it fail from now on, and say why."),
        operation(CONNECTIONS, Method::POST, "/api/v1/connections/{connection}/test", "Try a connection")
            .takes::<Test>(json!({ "url": "https://api.example.com/me" }))
            .body_is_optional()
            .answers::<Tested>(200),
        operation(CATALOGUE, Method::GET, "/api/v1/connectors", "List the services and what their connections ask for")
            .answers::<Services<'static>>(200),
        operation(CATALOGUE, Method::GET, "/api/v1/catalogue", "List the operations and the functions of expressions")
            .answers::<catalogue::Catalogue<'static>>(200),
    ]
}

fn variables() -> Vec<Operation> {
    let content = json!({ "kind": "text", "value": "support@example.com", "note": "Where customers write to" });
    let new = json!({ "name": "support_address", "kind": "text", "value": "support@example.com" });
    vec![
        operation(VARIABLES, Method::GET, "/api/v1/variables", "List the variables")
            .text("Named values that expressions read as `vars.name`. They are no secrets.")
            .answers::<variables::VariableList>(200),
        operation(VARIABLES, Method::POST, "/api/v1/variables", "Make a variable")
            .takes::<crate::variables::Variable>(new)
            .answers::<crate::variables::Variable>(201),
        operation(VARIABLES, Method::GET, "/api/v1/variables/{variable}", "Read a variable")
            .text("With the workflows that read it.")
            .answers::<variables::VariableWithUse>(200),
        operation(VARIABLES, Method::PUT, "/api/v1/variables/{variable}", "Set a variable")
            .text("Makes it if it isn't there. Runs that begin from now on see the new value; those under way keep the one they began with.")
            .takes::<variables::Content>(content)
            .answers::<crate::variables::Variable>(200),
        operation(VARIABLES, Method::DELETE, "/api/v1/variables/{variable}", "Delete a variable"),
    ]
}

fn tables() -> Vec<Operation> {
    use crate::tables::Done;
    use tables::{Change, New, TableView, TableWithUse, csv, rows};
    let columns = json!([{ "name": "email", "kind": "text" }, { "name": "plan", "kind": "choice", "options": ["free", "paid"] }]);
    vec![
        operation(TABLES, Method::GET, "/api/v1/tables", "List the data tables")
            .text("By name.")
            .asks::<Asking<String>>()
            .answers::<Page<TableView>>(200),
        operation(TABLES, Method::POST, "/api/v1/tables", "Make a data table")
            .takes::<New>(json!({ "name": "Customers", "columns": columns, "key": ["email"] }))
            .answers::<TableView>(201),
        operation(TABLES, Method::GET, "/api/v1/tables/{table}", "Read a data table")
            .text("Its columns, and the workflows that name it.")
            .answers::<TableWithUse>(200),
        operation(TABLES, Method::PUT, "/api/v1/tables/{table}", "Change a data table")
            .text("Its name, its columns, its key. What doesn't fit the rows that are there is refused as a whole.")
            .takes::<Change>(json!({ "name": "Clients" }))
            .answers::<TableView>(200),
        operation(TABLES, Method::DELETE, "/api/v1/tables/{table}", "Delete a data table").text("With its rows."),
        operation(TABLES, Method::GET, "/api/v1/tables/{table}/rows", "List the rows")
            .text("In the order in which they were added; those for which the conditions hold.")
            .asks::<rows::Wanted>()
            .answers::<Page<rows::RowShape>>(200),
        operation(TABLES, Method::POST, "/api/v1/tables/{table}/rows", "Add rows")
            .text("All of them or none.")
            .takes::<rows::NewRows>(json!({ "rows": [{ "email": "ada@example.com", "plan": "free" }], "upsert": true }))
            .answers::<Done>(200),
        operation(TABLES, Method::GET, "/api/v1/tables/{table}/rows/{row}", "Read a row").answers::<rows::RowShape>(200),
        operation(TABLES, Method::PUT, "/api/v1/tables/{table}/rows/{row}", "Change a row")
            .text("The columns that are sent; the others stay.")
            .takes::<rows::RowShape>(json!({ "plan": "paid" }))
            .answers::<rows::RowShape>(200),
        operation(TABLES, Method::DELETE, "/api/v1/tables/{table}/rows/{row}", "Delete a row"),
        operation(TABLES, Method::POST, "/api/v1/tables/{table}/import", "Import a CSV file")
            .text("Every line or none; `preview` only says what would come of it.")
            .takes::<csv::Import>(json!({ "csv": "email,plan\nada@example.com,free\n", "preview": true }))
            .answers::<csv::Imported>(200),
        operation(TABLES, Method::GET, "/api/v1/tables/{table}/export", "Export the rows as CSV")
            .text("Texts that a spreadsheet would take for formulas get an apostrophe in front.")
            .downloads("The file."),
    ]
}
