//! Values as actions meet them: text out of any value, names and values, files by reference.

use serde::{Deserialize, Serialize};
use towpath_engine::{Json, Object, error::StepError, ids::FileId};

/// A value as text, as it stands in a header, an address or a form: null is empty, whole floats are integers, lists and objects are
/// compact JSON.
pub fn text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// The text of an input field; empty when it is absent.
pub fn text_field(input: &Object, name: &str) -> String {
    input.get(name).map(text).unwrap_or_default()
}

/// A switch of the input.
pub fn switch(input: &Object, name: &str, default: bool) -> Result<bool, StepError> {
    match input.get(name) {
        None | Some(Json::Null) => Ok(default),
        Some(Json::Bool(on)) => Ok(*on),
        Some(other) => {
            Err(StepError::invalid_input(format!("The switch \"{name}\" must be true or false; it is {other}.")).field(name))
        }
    }
}

/// Names and values in order. A list is the same name several times; a null leaves its name out.
pub fn pairs<'a>(input: &'a Object, name: &str) -> Result<Vec<(&'a str, &'a Json)>, StepError> {
    match input.get(name) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Object(object)) => Ok(object
            .iter()
            .flat_map(|(key, value)| {
                let values = if let Json::Array(values) = value { values.as_slice() } else { std::slice::from_ref(value) };
                values.iter().filter(|value| !value.is_null()).map(move |value| (key.as_str(), value))
            })
            .collect()),
        Some(other) => {
            let kind = match other {
                Json::Array(_) => "a list",
                Json::String(_) => "a text",
                _ => "a single value",
            };
            Err(StepError::invalid_input(format!("The field \"{name}\" takes names and values; it got {kind}.")).field(name))
        }
    }
}

/// A file by reference: what a workflow passes between steps in place of its bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileValue {
    #[serde(rename = "$file")]
    pub id: FileId,
    pub name: String,
    /// The media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

impl FileValue {
    /// The file that a value refers to; `None` when it is any other value.
    pub fn of(value: &Json) -> Option<Self> {
        if value.get("$file").is_some() { serde_json::from_value(value.clone()).ok() } else { None }
    }

    pub fn to_json(&self) -> Json {
        serde_json::json!({ "$file": self.id, "name": self.name, "type": self.media_type, "size": self.size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_value_has_a_text() {
        let table = [
            (json!(null), ""),
            (json!("a"), "a"),
            (json!(3.0), "3"),
            (json!(2.5), "2.5"),
            (json!(9007199254740993_u64), "9007199254740993"),
            (json!(true), "true"),
            (json!([1, "a"]), "[1,\"a\"]"),
        ];
        for (value, expected) in table {
            assert_eq!(text(&value), expected);
        }
    }

    #[test]
    fn lists_repeat_their_name_and_nulls_leave_it_out() {
        let input = json!({ "query": { "a": [1, null, 2], "b": null, "c": "x" } });
        let pairs = pairs(input.as_object().unwrap(), "query").unwrap();
        assert_eq!(pairs, [("a", &json!(1)), ("a", &json!(2)), ("c", &json!("x"))]);
    }

    #[test]
    fn a_file_value_comes_back_and_other_values_are_none() {
        let file = FileValue { id: FileId::new(), name: "a.csv".into(), media_type: "text/csv".into(), size: 3 };
        assert_eq!(FileValue::of(&file.to_json()), Some(file));
        for other in [json!(null), json!("x"), json!({ "name": "x" }), json!({ "$file": "not an id", "name": "x" })] {
            assert_eq!(FileValue::of(&other), None);
        }
    }
}
