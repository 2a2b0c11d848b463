//! A copy of a workflow's draft, as a draft with an address of its own. Secrets of the trigger are not copied.

use super::create;
use crate::{app::App, auth::Actor, problem::Problem, store::workflows};
use axum::{
    extract::{Path, State},
    response::Redirect,
};
use towpath_engine::{ids::WorkflowId, workflow::Workflow};

/// `POST /workflows/{id}/duplicate`
pub async fn submit(State(app): State<App>, actor: Actor, Path(id): Path<WorkflowId>) -> Result<Redirect, Problem> {
    let stored = workflows::find(&app.pool, actor.workspace, id).await?;
    let mut workflow: Workflow = serde_json::from_value(stored.draft).map_err(|error| {
        Problem::new(
            crate::problem::Code::Conflict,
            "This workflow was made by a newer version of Towpath and can't be copied by this one.",
        )
        .source(error)
    })?;
    workflow.name = copy_name(&stored.name);
    let copy = create::add(&app, &actor, &workflow).await?;
    Ok(Redirect::to(&format!("/workflows/{copy}?done=duplicated")))
}

/// "Orders" → "Orders (copy)", within what a name may hold.
pub(crate) fn copy_name(name: &str) -> String {
    const MARK: &str = " (copy)";
    name.chars().take(200 - MARK.len()).chain(MARK.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_s_name_says_so_and_fits() {
        assert_eq!(copy_name("Orders"), "Orders (copy)");
        assert_eq!(copy_name(&"ä".repeat(200)).chars().count(), 200);
    }
}
