//! The trigger for failures: a run of another workflow failed. The server's `ingest` finds them.

use serde_json::json;
use towpath_engine::catalogue::{Category, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "run_failed".into(),
        role: Role::Trigger,
        connector: "towpath".into(),
        connection: None,
        title: "Failed run".into(),
        sentence: "When a run of another workflow fails".into(),
        keywords: ["error", "failure", "alert", "problem", "on error", "error workflow", "catch", "monitor"].map(Into::into).to_vec(),
        icon: "alert".into(),
        category: Category::Start,
        inputs: vec![],
        effect: None,
        sample: json!({ "body": {
            "workflow": { "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "New order", "version": 3 },
            "run": {
                "id": "01890a5d-ac96-774b-bcce-b302099a8058",
                "url": "https://towpath.example/runs/01890a5d-ac96-774b-bcce-b302099a8058",
                "started_at": "2026-03-02T09:41:00Z",
                "ended_at": "2026-03-02T09:41:02Z",
            },
            "error": { "message": "shop.example answered 404 Not Found.", "step": "get_order", "kind": "not_found" },
        } }),
        help: "Starts once for each run in this workspace that fails, with the workflow, the step and the error. Failures of workflows that \
               start this way themselves are left out, so that they can't go round in circles."
            .into(),
    }
}
