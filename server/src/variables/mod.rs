//! Variables: named values of a workspace that expressions read as `vars.name`. They are no secrets.
//!
//! A run sees the variables as they were when its event was accepted, whenever it is worked out: every change is a new revision, and the
//! event names the one that counted. The newest ones are in memory, so accepting an event asks nobody. Only this process writes them.

mod check;

pub use check::{Kind, Problem as Wrong, Variable};

use crate::store::{self, live_runs, variables as stored};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::RwLock;
use sqlx::PgPool;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use towpath_engine::{
    Json,
    expr::Vars,
    ids::{PersonId, WorkspaceId},
};

/// Revisions of a workspace that are kept in memory besides the newest: runs that were accepted a moment ago still name them.
const KEPT: usize = 4;
/// A revision that was replaced less than this ago may still be named by an event that is on its way to the disk.
const GRACE: TimeDelta = TimeDelta::days(1);

/// The variables of a workspace after one change.
#[derive(Debug, Default)]
pub struct Revision {
    /// 0 before the first.
    pub number: u32,
    /// In the order of their names.
    pub list: Vec<Variable>,
    vars: Vars,
}

impl Revision {
    fn new(number: i32, list: Vec<Variable>) -> Self {
        let vars = list.iter().map(|it| (it.name.clone(), it.value.clone())).collect::<towpath_engine::Object>().into();
        Self { number: u32::try_from(number).unwrap_or_default(), list, vars }
    }

    fn read(number: i32, list: Json) -> Result<Self, serde_json::Error> {
        Ok(Self::new(number, serde_json::from_value(list)?))
    }

    /// What expressions see.
    pub fn vars(&self) -> Vars {
        self.vars.clone()
    }

    pub fn names(&self) -> Vec<String> {
        self.list.iter().map(|it| it.name.clone()).collect()
    }

    pub fn find(&self, name: &str) -> Option<&Variable> {
        self.list.iter().find(|it| it.name == name)
    }
}

/// The variables of all workspaces. Cloning it is cheap.
#[derive(Clone)]
pub struct Variables {
    pool: PgPool,
    /// The newest first.
    known: Arc<RwLock<HashMap<WorkspaceId, VecDeque<Arc<Revision>>>>>,
    none: Arc<Revision>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotChanged {
    #[error(transparent)]
    Wrong(#[from] Wrong),
    #[error("there is no such variable")]
    NotThere,
    #[error("there is one of this name already")]
    Taken,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the stored variables can't be read")]
    Unreadable(#[from] serde_json::Error),
}

/// One change of a workspace's variables.
#[derive(Clone, Debug)]
pub enum Change {
    /// Adds one; its name must be free.
    Add(Variable),
    /// Puts one in the place of the one that has this name; without `upsert` there must be one.
    Put {
        name: String,
        variable: Variable,
        upsert: bool,
    },
    Remove(String),
}

impl Variables {
    /// Reads the newest revisions.
    ///
    /// # Errors
    /// When the database doesn't answer, or holds what this build can't read.
    pub async fn start(pool: PgPool) -> anyhow::Result<Self> {
        let mut known = HashMap::new();
        for (workspace, number, list) in stored::newest(&pool).await? {
            known.insert(workspace, VecDeque::from([Arc::new(Revision::read(number, list)?)]));
        }
        Ok(Self { pool, known: Arc::new(RwLock::new(known)), none: Arc::default() })
    }

    /// The newest revision: what an event names that is accepted now.
    pub fn current(&self, workspace: WorkspaceId) -> Arc<Revision> {
        let known = self.known.read();
        known.get(&workspace).and_then(VecDeque::front).map_or_else(|| Arc::clone(&self.none), Arc::clone)
    }

    /// What a run sees whose event names this revision, if it is in memory.
    pub fn at_hand(&self, workspace: WorkspaceId, number: u32) -> Option<Vars> {
        if number == 0 {
            return Some(Vars::default());
        }
        let known = self.known.read();
        known.get(&workspace)?.iter().find(|revision| revision.number == number).map(|revision| revision.vars())
    }

    /// What a run sees whose event names this revision.
    ///
    /// # Errors
    /// `Decode` when the revision is gone or can't be read: such a run must not go on with other values.
    pub async fn of(&self, workspace: WorkspaceId, number: u32) -> sqlx::Result<Vars> {
        if let Some(vars) = self.at_hand(workspace, number) {
            return Ok(vars);
        }
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let list = stored::find(&self.pool, workspace, number).await?;
        let list = list.ok_or_else(|| sqlx::Error::Decode(format!("revision {number} of the variables is gone").into()))?;
        Revision::read(number, list).map(|revision| revision.vars()).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }

    /// Makes a change. It counts for events that are accepted from now on.
    ///
    /// # Errors
    /// See [`NotChanged`].
    pub async fn change(
        &self,
        workspace: WorkspaceId,
        change: Change,
        by: PersonId,
        now: DateTime<Utc>,
    ) -> Result<Arc<Revision>, NotChanged> {
        // A caller who hangs up must not leave what is written out of what is in memory.
        let this = self.clone();
        let writing = tokio::spawn(async move { this.write(workspace, change, by, now).await });
        writing.await.map_err(|error| store::Error::Query(sqlx::Error::Protocol(error.to_string())))?
    }

    async fn write(
        &self,
        workspace: WorkspaceId,
        change: Change,
        by: PersonId,
        now: DateTime<Utc>,
    ) -> Result<Arc<Revision>, NotChanged> {
        let mut transaction = self.pool.begin().await.map_err(store::Error::from)?;
        let (number, list) = stored::newest_for_change(&mut transaction, workspace).await?;
        let mut list: Vec<Variable> = list.map(serde_json::from_value).transpose()?.unwrap_or_default();
        apply(&mut list, change)?;
        check::whole(&list)?;
        let number = number.saturating_add(1);
        stored::insert(&mut transaction, workspace, number, &serde_json::to_value(&list)?, by, now).await?;
        let oldest = live_runs::oldest(&mut transaction, workspace).await.map_err(store::Error::from)?;
        stored::forget(&mut transaction, workspace, oldest.map_or(now, |oldest| oldest.min(now)) - GRACE).await?;
        transaction.commit().await.map_err(store::Error::from)?;
        let revision = Arc::new(Revision::new(number, list));
        let mut known = self.known.write();
        let kept = known.entry(workspace).or_default();
        let at = kept.iter().position(|it| it.number < revision.number).unwrap_or(kept.len());
        kept.insert(at, Arc::clone(&revision));
        kept.truncate(KEPT + 1);
        Ok(revision)
    }
}

fn apply(list: &mut Vec<Variable>, change: Change) -> Result<(), NotChanged> {
    let place = |list: &[Variable], name: &str| list.iter().position(|it| it.name == name);
    match change {
        Change::Add(variable) => {
            if place(list, &variable.name).is_some() {
                return Err(NotChanged::Taken);
            }
            list.push(variable);
        }
        Change::Put { name, variable, upsert } => {
            let at = place(list, &name);
            if variable.name != name && place(list, &variable.name).is_some() {
                return Err(NotChanged::Taken);
            }
            match at {
                Some(at) => list[at] = variable,
                None if upsert => list.push(variable),
                None => return Err(NotChanged::NotThere),
            }
        }
        Change::Remove(name) => {
            let at = place(list, &name).ok_or(NotChanged::NotThere)?;
            list.remove(at);
        }
    }
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

#[cfg(test)]
mod tests;
