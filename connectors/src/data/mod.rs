//! Steps that work on data: lists, tables, texts and their formats. The engine does them itself; only their descriptions live here.
//! docs/data-steps.md shows each with an example.

mod collect;
mod csv_read;
mod csv_write;
mod deduplicate;
mod filter;
mod format;
mod group;
mod join;
mod json_read;
mod json_write;
mod look_up;
mod map;
mod reconcile;
mod sort;
mod split;
#[cfg(test)]
mod tests;
mod validate;
mod xml_read;
mod xml_write;

use crate::sdk::{Entry, form::Change};
use towpath_engine::Json;
use towpath_engine::catalogue::{Category, Field, FieldKind, Operation, Role};

pub fn entries() -> Vec<Entry> {
    [
        map::operation(),
        filter::operation(),
        sort::operation(),
        deduplicate::operation(),
        group::operation(),
        join::operation(),
        reconcile::operation(),
        split::operation(),
        collect::operation(),
        look_up::operation(),
        format::operation(),
        validate::operation(),
        csv_read::operation(),
        csv_write::operation(),
        json_read::operation(),
        json_write::operation(),
        xml_read::operation(),
        xml_write::operation(),
    ]
    .map(Into::into)
    .into()
}

/// The words of a step.
struct Words {
    title: &'static str,
    sentence: &'static str,
    keywords: &'static [&'static str],
    icon: &'static str,
    help: &'static str,
}

fn step(name: &str, words: &Words, inputs: Vec<Field>, sample: Json) -> Operation {
    Operation {
        name: name.into(),
        role: Role::Action,
        connector: "towpath".into(),
        connection: None,
        title: words.title.into(),
        sentence: words.sentence.into(),
        keywords: words.keywords.iter().map(|word| (*word).into()).collect(),
        icon: words.icon.into(),
        category: Category::Data,
        inputs,
        effect: None,
        sample,
        help: words.help.into(),
    }
}

/// The list that a step works on.
fn list(name: &str, title: &str) -> Field {
    crate::sdk::form::field(name, title, FieldKind::Text).placeholder("Pick a list from the data").required()
}

fn ignore_case() -> Field {
    crate::sdk::form::switch("ignore_case", "Capital letters make no difference", false)
        .help("Blanks before and after make none either.")
        .advanced()
}
