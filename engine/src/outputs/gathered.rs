//! What the lines of one step gave so far, until the step is done.

use crate::{
    Json, Object,
    record::{LineEnd, LinesKind},
};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// How many failed rounds are told one by one in a step's output; the counts are of all.
const MAX_FAILURES: usize = 1_000;

#[derive(Debug)]
pub(super) struct Gathered {
    pub kind: LinesKind,
    /// The list of a for-each; none until it is needed.
    pub list: Option<Arc<Vec<Json>>>,
    /// What `now` meant when the step was opened.
    pub opened: DateTime<Utc>,
    /// The time of the last thing that happened outside on its lines.
    pub last: DateTime<Utc>,
    /// What the rounds of a for-each gave, in the order of the list.
    items: BTreeMap<u32, Json>,
    failures: BTreeMap<u32, Json>,
    /// The size of what they gave.
    pub bytes: usize,
    /// What the lanes of a parallel step leave to the line around them.
    pub left: Object,
}

impl Gathered {
    pub fn new(kind: LinesKind, opened: DateTime<Utc>) -> Self {
        let (items, failures) = (BTreeMap::new(), BTreeMap::new());
        Self { kind, list: None, opened, last: opened, items, failures, bytes: 0, left: Object::new() }
    }

    pub fn line_ended(&mut self, number: u32, end: &LineEnd, result: Option<&Json>) {
        match end {
            LineEnd::Done if self.kind == LinesKind::Each => {
                let value = result.cloned().unwrap_or(Json::Null);
                self.bytes += crate::json::size(&value);
                self.items.insert(number, value);
            }
            LineEnd::Failed { failed } if self.failures.len() < MAX_FAILURES => {
                let error = json!({ "kind": failed.error.kind, "message": failed.error.message });
                let item = self.list.as_ref().and_then(|list| list.get(number as usize)).cloned();
                let mut failure = json!({ "index": number, "step": failed.step.id(), "error": error });
                if let (Some(item), Json::Object(failure)) = (item, &mut failure) {
                    failure.insert("item".into(), item);
                }
                self.failures.insert(number, failure);
            }
            _ => {}
        }
    }

    /// Puts what was gathered into the step's output, and says which values go to the line around it.
    pub fn finish(self, output: Option<&mut Json>) -> Object {
        if self.kind == LinesKind::Each
            && let Some(Json::Object(output)) = output
            && !output.contains_key("error")
        {
            output.insert("items".into(), self.items.into_values().collect());
            output.insert("failures".into(), self.failures.into_values().collect());
        }
        self.left
    }
}
