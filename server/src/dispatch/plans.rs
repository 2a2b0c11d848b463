//! Versions ready to run, kept in memory: a version never changes, so a plan once made stays right.

use parking_lot::RwLock;
use sqlx::PgPool;
use std::{collections::HashMap, sync::Arc};
use towpath_connectors::registry::Registry;
use towpath_engine::{ids::WorkflowId, plan::Plan, workflow::Workflow};

/// Plans that are kept; beyond it half of them are let go and made again when they are needed.
const MOST: usize = 4_000;

pub struct Plans {
    pool: PgPool,
    registry: Arc<Registry>,
    plans: RwLock<HashMap<(WorkflowId, u32), Arc<Plan>>>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum NoPlan {
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    NotRunnable(String),
}

impl Plans {
    pub fn new(pool: PgPool, registry: Arc<Registry>) -> Self {
        Self { pool, registry, plans: RwLock::default() }
    }

    /// The plan, if it is in memory.
    pub fn cached(&self, workflow: WorkflowId, version: u32) -> Option<Arc<Plan>> {
        self.plans.read().get(&(workflow, version)).cloned()
    }

    pub async fn get(&self, workflow: WorkflowId, version: u32) -> Result<Arc<Plan>, NoPlan> {
        if let Some(plan) = self.cached(workflow, version) {
            return Ok(plan);
        }
        let row = sqlx::query!(
            r#"select document::text as "document!", language from workflow_version where workflow_id = $1 and version = $2"#,
            workflow.0,
            i32::try_from(version).unwrap_or(i32::MAX)
        )
        .fetch_optional(&self.pool)
        .await?
        .ok_or_else(|| NoPlan::NotRunnable("The version of the workflow that this run follows is gone.".into()))?;
        let document: Workflow = serde_json::from_str(&row.document)
            .map_err(|error| NoPlan::NotRunnable(format!("The stored version can't be read: {error}.")))?;
        let plan = Plan::new(version, document, &*self.registry).map_err(|error| NoPlan::NotRunnable(error.0))?;
        let plan = Arc::new(plan.speaking(row.language));
        let mut plans = self.plans.write();
        if plans.len() >= MOST {
            let mut keep = false;
            plans.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
        plans.insert((workflow, version), Arc::clone(&plan));
        Ok(plan)
    }
}
