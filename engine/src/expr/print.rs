//! How a value reads inside a text: null as nothing, booleans as `true` and `false`, whole floats as integers, lists and objects
//! as compact JSON.

use super::number::{Num, whole};
use crate::Json;

/// The value as it stands in a text.
pub(crate) fn text(value: &Json) -> String {
    let mut out = String::new();
    push(&mut out, value);
    out
}

/// Appends the value to a text.
pub(crate) fn push(out: &mut String, value: &Json) {
    match value {
        Json::Null => {}
        Json::String(text) => out.push_str(text),
        Json::Number(number) => match number.as_f64().filter(|_| number.is_f64()).map(whole) {
            Some(Num::Int(int)) => out.push_str(&int.to_string()),
            _ => out.push_str(&number.to_string()),
        },
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        // Keys are text and the depth is bounded, so writing it can't fail.
        Json::Array(_) | Json::Object(_) => out.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_in_a_text_as_people_write_them() {
        for (value, expected) in [
            (json!(null), ""),
            (json!(true), "true"),
            (json!(3.0), "3"),
            (json!(-0.5), "-0.5"),
            (json!(1e300), "1e+300"),
            (json!(9_007_199_254_740_993_u64), "9007199254740993"),
            (json!([1, "a", null]), r#"[1,"a",null]"#),
            (json!({ "b": 1, "a": {} }), r#"{"b":1,"a":{}}"#),
        ] {
            assert_eq!(text(&value), expected);
        }
    }
}
