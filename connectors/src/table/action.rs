//! Carries the steps out: reads the input into what is wanted, and hands it to the door.

use crate::sdk::{
    Action, Call, Output,
    tables::{Asked, Wanted},
    value,
};
use futures_util::future::BoxFuture;
use serde_json::json;
use towpath_engine::{Json, Object, condition::Conditions, error::StepError, table::Unknown};

/// One of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Insert,
    Upsert,
    Find,
    Update,
    Delete,
}

/// What a step wants of its table.
enum Doing {
    Change(Wanted),
    Find(Asked),
}

impl Action for Act {
    fn run<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Output, StepError>> {
        Box::pin(async move {
            let (table, doing) = read(*self, call.input)?;
            let value = match doing {
                Doing::Change(wanted) => call.doors.tables.change(&table, wanted, call.key).await?,
                Doing::Find(asked) => call.doors.tables.find(&table, asked).await?,
            };
            Ok(Output { value })
        })
    }

    fn preview(&self, input: &Object) -> Result<Json, StepError> {
        let (table, doing) = read(*self, input)?;
        Ok(match doing {
            Doing::Change(Wanted::Insert { rows, .. }) => json!({ "table": table, "insert": rows }),
            Doing::Change(Wanted::Upsert { rows, .. }) => json!({ "table": table, "insert or change": rows }),
            Doing::Change(Wanted::Update { which, values }) => json!({ "table": table, "where": which, "set": values }),
            Doing::Change(Wanted::Delete { which }) => json!({ "table": table, "delete where": which }),
            Doing::Find(asked) => json!({ "table": table, "where": asked.which, "limit": asked.limit }),
        })
    }
}

fn read(act: Act, input: &Object) -> Result<(String, Doing), StepError> {
    let table = value::text_field(input, "table");
    if table.trim().is_empty() {
        return Err(StepError::invalid_input("Choose a table.").field("table"));
    }
    let doing = match act {
        Act::Insert => Doing::Change(Wanted::Insert { rows: rows(input)?, unknown: unknown(input) }),
        Act::Upsert => Doing::Change(Wanted::Upsert { rows: rows(input)?, unknown: unknown(input) }),
        Act::Update => Doing::Change(Wanted::Update { which: needed(input)?, values: row(input) }),
        Act::Delete => Doing::Change(Wanted::Delete { which: needed(input)? }),
        Act::Find => Doing::Find(Asked {
            which: which(input)?,
            sort: Some(value::text_field(input, "sort")).filter(|name| !name.trim().is_empty()),
            descending: input.get("descending").and_then(Json::as_bool).unwrap_or(false),
            limit: limit(input)?,
        }),
    };
    Ok((table, doing))
}

fn unknown(input: &Object) -> Unknown {
    match input.get("leave_out").and_then(Json::as_bool) {
        Some(true) => Unknown::LeaveOut,
        _ => Unknown::Refuse,
    }
}

fn row(input: &Object) -> Object {
    input.get("row").and_then(Json::as_object).cloned().unwrap_or_default()
}

fn rows(input: &Object) -> Result<Vec<Object>, StepError> {
    if input.get("from").and_then(Json::as_str) != Some("list") {
        return Ok(vec![row(input)]);
    }
    let wrong = |message: String| StepError::invalid_input(message).field("list");
    let list = match input.get("list") {
        Some(Json::Array(items)) => items.clone(),
        // One object is a list of one.
        Some(item @ Json::Object(_)) => vec![item.clone()],
        Some(Json::String(text)) => match serde_json::from_str(text) {
            Ok(Json::Array(items)) => items,
            _ => return Err(wrong("The list is a text, and no list.".into())),
        },
        _ => return Err(wrong("A list is needed here: pick one from an earlier step.".into())),
    };
    list.into_iter()
        .enumerate()
        .map(|(at, item)| match item {
            Json::Object(fields) => Ok(fields),
            _ => Err(wrong(format!("Item {} of the list has no fields, so it is no row.", at + 1))),
        })
        .collect()
}

fn which(input: &Object) -> Result<Conditions, StepError> {
    match input.get("where") {
        None | Some(Json::Null) => Ok(Conditions::All { all: Vec::new() }),
        Some(value) => serde_json::from_value(value.clone())
            .map_err(|error| StepError::invalid_input(format!("The conditions can't be read: {error}.")).field("where")),
    }
}

/// Conditions without which every row would be meant: that is never what somebody forgot to say.
fn needed(input: &Object) -> Result<Conditions, StepError> {
    let conditions = which(input)?;
    if says_nothing(&conditions) {
        return Err(StepError::invalid_input("Say which rows are meant: without a condition it would be all of them.")
            .hint("To mean all rows, ask that “id” is not empty.")
            .field("where"));
    }
    Ok(conditions)
}

fn says_nothing(conditions: &Conditions) -> bool {
    match conditions {
        Conditions::All { all } => all.iter().all(says_nothing),
        Conditions::Any { any } => any.iter().any(says_nothing),
        Conditions::Expression { .. } | Conditions::Test(_) => false,
    }
}

fn limit(input: &Object) -> Result<u32, StepError> {
    let wrong = || StepError::invalid_input("“At most” is a whole number from 1 to 1,000.").field("limit");
    match input.get("limit") {
        None | Some(Json::Null) => Ok(100),
        Some(value) => {
            let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
            number.and_then(|number| u32::try_from(number).ok()).filter(|number| (1..=1000).contains(number)).ok_or_else(wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(act: Act, input: Json) -> String {
        read(act, input.as_object().unwrap()).err().map(|error| error.message).unwrap_or_default()
    }

    #[test]
    fn rows_come_from_fields_or_from_a_list() {
        let rows = |input: Json| rows(input.as_object().unwrap()).map(|rows| json!(rows)).map_err(|error| error.message);
        assert_eq!(rows(json!({ "row": { "a": 1 } })).unwrap(), json!([{ "a": 1 }]));
        assert_eq!(rows(json!({ "from": "list", "list": [{ "a": 1 }, {}] })).unwrap(), json!([{ "a": 1 }, {}]));
        assert_eq!(rows(json!({ "from": "list", "list": { "a": 1 } })).unwrap(), json!([{ "a": 1 }]));
        assert_eq!(
            rows(json!({ "from": "list", "list": [{}, 2] })).unwrap_err(),
            "Item 2 of the list has no fields, so it is no row."
        );
        assert!(rows(json!({ "from": "list" })).unwrap_err().contains("A list is needed"));
    }

    #[test]
    fn a_change_of_all_rows_has_to_be_said() {
        let all = json!({ "table": "t", "where": { "all": [{ "any": [{ "all": [] }] }] } });
        assert!(refused(Act::Delete, all).contains("all of them"));
        assert!(refused(Act::Update, json!({ "table": "t" })).contains("all of them"));
        assert_eq!(refused(Act::Delete, json!({ "table": "t", "where": { "value": "id", "is": "is_not_empty" } })), "");
        assert_eq!(refused(Act::Find, json!({ "table": "t" })), "");
    }

    #[test]
    fn what_is_missing_is_said() {
        assert_eq!(refused(Act::Insert, json!({ "table": " " })), "Choose a table.");
        assert!(refused(Act::Find, json!({ "table": "t", "limit": 0 })).contains("from 1 to 1,000"));
        assert!(refused(Act::Find, json!({ "table": "t", "where": "x" })).contains("can't be read"));
    }
}
