//! What a step is called on the page of a run when nobody gave it a title: what it does, in the words of the builder.

use towpath_engine::{
    Json,
    catalogue::Operation,
    condition::{Conditions, Test},
    workflow::{Case, Step},
};

/// The longest condition, and the longest side of a comparison, in characters.
const LONGEST: usize = 90;
const LONGEST_SIDE: usize = 28;

/// A step's title, or what it does.
pub fn step(step: &Step, operation: Option<&Operation>) -> String {
    if let Some(title) = step.title.as_ref().filter(|title| !title.is_empty()) {
        return title.clone();
    }
    let own = step.condition.as_ref();
    let said = match (step.operation.as_str(), step.cases.as_slice(), own) {
        ("branch", [only], _) if is_written(&only.condition) => Some(format!("If {}", case(only))),
        ("branch", cases, _) if cases.len() > 1 => Some(format!("Branch into {} ways", cases.len() + 1)),
        ("filter", _, Some(own)) if is_written(own) => Some(format!("Go on only if {}", condition(own))),
        ("repeat", _, Some(own)) if is_written(own) => Some(format!("Repeat while {}", condition(own))),
        _ => None,
    };
    said.unwrap_or_else(|| match operation {
        // A sentence that waits for its end is none yet.
        Some(operation) if operation.sentence.is_empty() || operation.sentence.ends_with('…') || operation.name == "branch" => {
            operation.title.clone()
        }
        Some(operation) => operation.sentence.clone(),
        None => step.id.0.clone(),
    })
}

/// A case's title, or its condition when nobody gave it one.
pub fn case(case: &Case) -> String {
    if case.title.is_empty() { condition(&case.condition) } else { case.title.clone() }
}

/// A condition as a sentence without its "if".
fn condition(it: &Conditions) -> String {
    let said = match it {
        Conditions::Test(Test { value, is, to }) => {
            let to = is.needs_to().then(|| to.as_ref().map_or_else(|| "…".to_owned(), side));
            [Some(side(value)), Some(is.words().to_owned()), to].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        Conditions::Expression { expression } => expression.trim().to_owned(),
        Conditions::All { all } if all.is_empty() => "always".to_owned(),
        Conditions::Any { any } if any.is_empty() => "never".to_owned(),
        Conditions::All { all } => joined(all, " and "),
        Conditions::Any { any } => joined(any, " or "),
    };
    cut(&said, LONGEST)
}

fn joined(parts: &[Conditions], word: &str) -> String {
    let said = parts.iter().map(|part| match part {
        Conditions::Test(_) => condition(part),
        _ if parts.len() == 1 => condition(part),
        _ => format!("({})", condition(part)),
    });
    said.collect::<Vec<_>>().join(word)
}

/// Has somebody begun to write it?
fn is_written(it: &Conditions) -> bool {
    !condition(it).starts_with('…')
}

/// One side of a comparison, with its expressions named.
fn side(value: &Json) -> String {
    let said = match value {
        Json::Null => String::new(),
        Json::String(text) => named(text),
        Json::Array(parts) => parts.iter().map(side).collect::<Vec<_>>().join(" and "),
        other => other.to_string(),
    };
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    if said.is_empty() { "…".to_owned() } else { cut(&said, LONGEST_SIDE) }
}

/// A text in which the last name of a path stands for it: `{{ trigger.body.order_total }}` is "order total".
fn named(text: &str) -> String {
    let mut parts = text.split("{{");
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("}}") {
            Some((expression, after)) => {
                said.push_str(&short_name(expression.trim()));
                said.push_str(after);
            }
            None => said.push_str(part),
        }
    }
    said
}

fn short_name(expression: &str) -> String {
    let path = expression.split(['|', '(', ' ', '[']).next().unwrap_or_default();
    let last = path.rsplit('.').next().unwrap_or_default().replace('_', " ");
    if last.is_empty() { cut(expression, LONGEST_SIDE) } else { last }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use towpath_connectors::registry::Registry;
    use towpath_engine::catalogue::Catalogue;

    fn said(document: Json) -> String {
        let step: Step = serde_json::from_value(document).unwrap();
        let registry = Registry::built_in();
        super::step(&step, registry.operation(&step.operation))
    }

    #[test]
    fn a_step_without_a_title_says_what_it_does() {
        let if_offer = json!({ "all": [{ "value": "{{ trigger.body.message }}", "is": "contains", "to": "offer" }] });
        let either = json!({ "any": [{ "value": "{{ steps.a.order_total | number }}", "is": "between", "to": [1, 5] }, { "value": "x", "is": "is_empty" }] });
        let empty = json!({ "all": [{ "value": "", "is": "equals", "to": "" }] });
        for (step, expected) in [
            (json!({ "id": "a", "use": "http.request" }), "Call a web address"),
            (json!({ "id": "a", "use": "http.request", "title": "Ask the shop" }), "Ask the shop"),
            (json!({ "id": "a", "use": "nothing.known" }), "a"),
            (
                json!({ "id": "a", "use": "branch", "cases": [{ "title": "", "if": if_offer, "steps": [] }] }),
                "If message contains offer",
            ),
            (json!({ "id": "a", "use": "branch", "cases": [{ "title": "big", "if": if_offer, "steps": [] }] }), "If big"),
            (json!({ "id": "a", "use": "branch", "cases": [{ "title": "", "if": empty, "steps": [] }] }), "Branch"),
            (json!({ "id": "a", "use": "filter", "if": either }), "Go on only if order total is between 1 and 5 or x is empty"),
            (json!({ "id": "a", "use": "filter" }), "Filter"),
        ] {
            assert_eq!(said(step), expected);
        }
    }

    #[test]
    fn a_long_condition_is_cut_at_a_character() {
        let long = Conditions::Expression { expression: "ä".repeat(200) };
        assert_eq!(condition(&long).chars().count(), LONGEST + 1);
    }
}
