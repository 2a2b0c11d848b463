//! What can be picked: a table, and one of its columns.

use crate::sdk::{
    Call,
    pick::{self, Options, Pick},
    value,
};
use futures_util::future::BoxFuture;
use towpath_engine::error::StepError;

/// The tables of the workspace.
pub struct PickTable;

impl Pick for PickTable {
    fn options<'a>(&'a self, call: Call<'a>, _query: &'a str) -> BoxFuture<'a, Result<Options, StepError>> {
        Box::pin(async move {
            let tables = call.doors.tables.list().await?;
            if tables.is_empty() {
                return Err(StepError::invalid_input("There are no tables yet. Make one under Tables."));
            }
            let options = tables.into_iter().map(|it| pick::Option { value: it.id.into(), label: it.name }).collect();
            Ok(Options { options, complete: true })
        })
    }
}

/// The columns of the table that was picked, and what every row has.
pub struct PickColumn;

impl Pick for PickColumn {
    fn options<'a>(&'a self, call: Call<'a>, _query: &'a str) -> BoxFuture<'a, Result<Options, StepError>> {
        Box::pin(async move {
            let wanted = value::text_field(call.input, "table");
            let found = call.doors.tables.list().await?.into_iter();
            let table = found
                .into_iter()
                .find(|it| it.id == wanted || it.name.eq_ignore_ascii_case(wanted.trim()))
                .ok_or_else(|| StepError::invalid_input("Choose a table first."))?;
            let names = table.schema.columns.into_iter().map(|column| (column.name.clone(), column.name));
            let own = [("created_at", "When it was added"), ("updated_at", "When it was last changed")];
            let all = names.chain(own.map(|(value, label)| (value.to_owned(), label.to_owned())));
            let options = all.map(|(value, label)| pick::Option { value: value.into(), label }).collect();
            Ok(Options { options, complete: true })
        })
    }
}
