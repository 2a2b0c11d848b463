//! What a workflow's expressions name outside of its document: which of the workspace's variables. For pages that say where something
//! is used; nothing is decided by it.

use crate::{Json, expr::Template, workflow::Workflow};
use std::collections::BTreeSet;

/// The names of the variables that the document's expressions read.
pub fn variables(workflow: &Workflow) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // A document that can't be written down is never stored, so there is nothing to miss.
    if let Ok(document) = serde_json::to_value(workflow) {
        look(&document, None, &mut names);
    }
    names
}

fn look(value: &Json, key: Option<&str>, names: &mut BTreeSet<String>) {
    match value {
        Json::String(text) => {
            // The advanced row of a condition is an expression without braces.
            let compiled = match key {
                Some("expression") if !text.contains("{{") => Template::expression(text),
                _ if text.contains("{{") => Template::compile(value),
                _ => return,
            };
            let paths = compiled.map(|template| template.paths()).unwrap_or_default();
            names.extend(paths.iter().filter_map(|path| of_path(path)));
        }
        Json::Array(items) => items.iter().for_each(|item| look(item, None, names)),
        Json::Object(fields) => fields.iter().for_each(|(key, value)| look(value, Some(key), names)),
        _ => {}
    }
}

/// `vars.name` and `vars["name"]` name a variable.
fn of_path(path: &str) -> Option<String> {
    let rest = path.strip_prefix("vars")?;
    if let Some(quoted) = rest.strip_prefix("[\"") {
        return quoted.split_once("\"]").map(|(name, _)| name.to_owned());
    }
    let name = rest.strip_prefix('.')?;
    Some(name[..name.find(['.', '[']).unwrap_or(name.len())].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variables_are_found_wherever_an_expression_stands() {
        let workflow: Workflow = serde_json::from_value(json!({
            "towpath": 1, "name": "x", "trigger": { "use": "manual" },
            "steps": [
                { "id": "a", "use": "set", "input": { "fields": { "to": "Hi {{ vars.support.mail | upper }}", "plain": "vars.no" } } },
                { "id": "b", "use": "branch", "cases": [{
                    "title": "", "if": { "any": [{ "expression": "vars.limit > 3" }, { "value": "{{ vars['rate'] }}", "is": "equals", "to": 1 }] },
                    "steps": [{ "id": "c", "use": "set", "input": { "fields": { "x": ["{{ steps.a.vars + trigger.body.vars.nope }}", "{{ vars.deep[0] }}"] } } }]
                }] }
            ]
        }))
        .unwrap();
        assert_eq!(variables(&workflow).into_iter().collect::<Vec<_>>(), ["deep", "limit", "rate", "support"]);
    }
}
