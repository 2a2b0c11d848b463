//! Reading conditions from a document. Which form is meant is told by the key that is there, so that a mistake inside one is said for
//! what it is, and nothing that was written is dropped in silence.

use super::{Conditions, Test};
use crate::Json;
use serde::{Deserialize, Deserializer, de::Error};

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(Json::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn read(value: Json) -> Result<Conditions, String> {
    let Json::Object(fields) = &value else {
        return Err("a condition has the form { value, is, to }, { all: […] }, { any: […] } or { expression }".to_owned());
    };
    let Some(form) = ["all", "any", "expression"].into_iter().find(|form| fields.contains_key(*form)) else {
        return serde_json::from_value::<Test>(value).map(Conditions::Test).map_err(|error| format!("in a condition: {error}"));
    };
    if let Some(other) = fields.keys().find(|key| *key != form) {
        return Err(format!("a condition with \"{form}\" can't have \"{other}\" beside it"));
    }
    match (form, fields[form].clone()) {
        ("expression", Json::String(expression)) => Ok(Conditions::Expression { expression }),
        ("expression", _) => Err("the expression of a condition is a text".to_owned()),
        (form, Json::Array(parts)) => {
            let parts = parts.into_iter().map(read).collect::<Result<_, _>>()?;
            Ok(if form == "all" { Conditions::All { all: parts } } else { Conditions::Any { any: parts } })
        }
        (form, _) => Err(format!("\"{form}\" of a condition is a list of conditions")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_is_read_and_comes_back() {
        for written in [
            json!({ "all": [{ "value": 1, "is": "equals", "to": 1 }, { "any": [] }] }),
            json!({ "expression": "true" }),
            json!({ "value": "{{ a }}", "is": "exists" }),
        ] {
            let read: Conditions = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), written);
        }
    }

    #[test]
    fn what_is_wrong_is_said_for_what_it_is() {
        let refused = |written: Json| serde_json::from_value::<Conditions>(written).unwrap_err().to_string();
        assert!(refused(json!({ "value": 1, "is": "bigger" })).contains("unknown variant `bigger`, expected one of `equals`"));
        assert!(refused(json!({ "value": 1 })).contains("missing field `is`"));
        assert_eq!(refused(json!({ "all": [], "any": [] })), "a condition with \"all\" can't have \"any\" beside it");
        assert_eq!(refused(json!({ "any": [{ "all": 1 }] })), "\"all\" of a condition is a list of conditions");
        assert!(refused(json!("yes")).starts_with("a condition has the form"));
    }
}
