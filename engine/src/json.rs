//! Reading JSON from outside without losing anything: numbers that don't fit are kept as text digit for digit, lone surrogates
//! become U+FFFD, and whatever was changed is said. Nothing here recurses over what arrived.

mod body;
mod normal;

pub use body::{body, read_body};

use crate::Json;
use normal::{Normal, normalise};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How deep a value from outside may nest.
pub const MAX_DEPTH: usize = 128;

/// How deep a value may nest that is stored, such as a step's output. It stands inside a record, and JSON readers stop at 128.
pub const STORED_DEPTH: usize = 100;

/// A parsed value and what had to be changed to hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub value: Json,
    /// One sentence for each kind of change.
    pub notes: Vec<String>,
}

/// Why bytes are not JSON, with the place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct NotJson {
    /// A sentence with line and column.
    pub message: String,
}

/// Parses `bytes` as JSON.
///
/// Whole numbers beyond 64 bits, and numbers whose digits a double doesn't preserve, become text with the digits as they were
/// written; a lone half of a surrogate pair becomes U+FFFD. `notes` says so. The last of several fields with one name counts.
pub fn read(bytes: &[u8]) -> Result<Read, NotJson> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let at = place(&bytes[..error.valid_up_to()]);
            return Err(NotJson { message: format!("This is not UTF-8 text: a byte that doesn't belong there stands at {at}.") });
        }
    };
    let normal =
        normalise(text).map_err(|(message, at)| NotJson { message: format!("{message} ({})", place(&text.as_bytes()[..at])) })?;
    match parse(&normal) {
        Ok(value) => Ok(Read { value, notes: normal.notes() }),
        Err(error) => {
            let at = normal.original(offset(&normal.text, error.line(), error.column()));
            let message = format!("{} ({})", sentence(&error), place(&text.as_bytes()[..at.min(text.len())]));
            Err(NotJson { message })
        }
    }
}

fn parse(normal: &Normal<'_>) -> serde_json::Result<Json> {
    let text: &str = &normal.text;
    if normal.depth < MAX_DEPTH {
        return serde_json::from_str(text);
    }
    // serde_json stops right before our limit: take the outermost level apart first.
    if text.trim_start().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text)?;
        return items
            .into_iter()
            .map(|item| serde_json::from_str(item.get()))
            .collect::<serde_json::Result<Vec<Json>>>()
            .map(Json::Array);
    }
    let fields: indexmap::IndexMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text)?;
    let fields = fields.into_iter().map(|(name, value)| Ok((name.into_owned(), serde_json::from_str(value.get())?)));
    fields.collect::<serde_json::Result<crate::Object>>().map(Json::Object)
}

/// Where the last of these bytes stands, in words.
pub(crate) fn place(before: &[u8]) -> String {
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    format!("line {line}, column {column}")
}

/// The byte offset of serde_json's line and column, which count from 1 and in bytes, and point behind the trouble.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start = match line {
        0 | 1 => 0,
        line => text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').nth(line - 2).map_or(0, |(at, _)| at + 1),
    };
    (start + column.saturating_sub(1)).min(text.len())
}

/// The parser's complaint in plain words.
fn sentence(error: &serde_json::Error) -> String {
    let full = error.to_string();
    let said = full.split(" at line ").next().unwrap_or_default();
    let plain = match said {
        _ if said.starts_with("EOF") => "The JSON ends too early.",
        "trailing characters" => "There is something after the end of the JSON.",
        "trailing comma" => "There is a comma too many.",
        "key must be a string" => "The name of a field must stand in double quotation marks.",
        "expected value" | "expected ident" => "A value is missing or isn't written as JSON has it.",
        "invalid number" => "This number isn't written as JSON has it.",
        "invalid escape" => "After this backslash a letter follows that JSON doesn't know.",
        "expected `:`" => "After the name of a field a colon is missing.",
        "expected `,` or `}`" => "A comma or a closing } is missing.",
        "expected `,` or `]`" => "A comma or a closing ] is missing.",
        _ if said.starts_with("control character") => {
            "A line end or another control character inside a text must be escaped, such as \\n."
        }
        _ => "This is not valid JSON.",
    };
    plain.to_owned()
}

/// Refuses a value that nests deeper than `most` levels.
pub fn check_depth(value: &Json, most: usize) -> Result<(), String> {
    let mut open: Vec<(&Json, usize)> = Vec::new();
    let mut next = Some((value, 0));
    while let Some((value, outside)) = next {
        match value {
            Json::Array(_) | Json::Object(_) if outside == most => {
                return Err(format!("This value nests more than {most} levels deep."));
            }
            Json::Array(items) => open.extend(items.iter().map(|item| (item, outside + 1))),
            Json::Object(fields) => open.extend(fields.values().map(|item| (item, outside + 1))),
            _ => {}
        }
        next = open.pop();
    }
    Ok(())
}

/// About how many bytes the value takes as compact JSON, without writing it.
pub fn size(value: &Json) -> usize {
    let mut total = 0;
    let mut open: Vec<&Json> = Vec::new();
    let mut next = Some(value);
    while let Some(value) = next {
        total += match value {
            Json::Null | Json::Bool(_) => 4,
            Json::Number(_) => 8,
            Json::String(text) => text.len() + 2,
            Json::Array(items) => {
                open.extend(items);
                items.len() + 2
            }
            Json::Object(fields) => {
                open.extend(fields.values());
                fields.keys().map(|name| name.len() + 4).sum::<usize>() + 2
            }
        };
        next = open.pop();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn value(text: &str) -> Json {
        read(text.as_bytes()).unwrap().value
    }

    fn complaint(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().message
    }

    #[test]
    fn a_number_comes_out_with_the_digits_it_went_in_with() {
        for number in [
            "9007199254740993",
            "-9223372036854775808",
            "18446744073709551615",
            "0",
            "1.5",
            "-0.25",
            "1e300",
            "0.1",
            "123456.789",
            // As near to …281.3, which others write; the double lies in between.
            "939095524828281.2",
        ] {
            let read = read(number.as_bytes()).unwrap();
            assert!(read.value.is_number() && read.notes.is_empty(), "{number}: {read:?}");
            assert_eq!(read.value.to_string().parse::<f64>().unwrap(), number.parse::<f64>().unwrap());
        }
        assert_eq!(value("9007199254740993").to_string(), "9007199254740993");
        for number in [
            "18446744073709551616",
            "-9223372036854775809",
            "123456789012345678901234567890",
            "3.14159265358979323846",
            "0.1000000000000000055511151231257827",
            "1e400",
            "-1E+999",
            "1e-400",
            "9007199254740993.0",
        ] {
            let read = read(number.as_bytes()).unwrap();
            assert_eq!((read.value, read.notes.len()), (json!(number), 1), "{number}");
        }
        let read = read(br#"{"id": 123456789012345678901, "n": [1e999, 2]}"#).unwrap();
        assert_eq!(read.value, json!({ "id": "123456789012345678901", "n": ["1e999", 2] }));
        assert_eq!(
            read.notes,
            ["2 numbers with more digits than can be counted with were kept as text, the first of them 123456789012345678901."]
        );
    }

    #[test]
    fn zeros_that_say_nothing_do_not_make_a_number_text() {
        for number in
            ["1.00000000000000000000", "0.000000000000000000001", "100000000000000000000e-2", "0.0", "-0", "0e5", "1.50"]
        {
            assert!(value(number).is_number(), "{number}");
        }
    }

    #[test]
    fn odd_characters_are_kept_or_replaced_and_said() {
        assert_eq!(value(r#""a\u0000b""#), json!("a\0b"));
        assert_eq!(value(r#""\ud83d\ude00""#), json!("😀"));
        let lone = read(br#"["\ud800", "x\udc00y", "\ud800\u0041", "\ud83d\ud83d\ude00", "\\ud800"]"#).unwrap();
        assert_eq!(lone.value, json!(["\u{fffd}", "x\u{fffd}y", "\u{fffd}A", "\u{fffd}😀", "\\ud800"]));
        assert_eq!(lone.notes, ["4 characters that are half of a pair (lone surrogates) were replaced by U+FFFD."]);
        assert_eq!(value("\u{feff}[1]"), json!([1]));
    }

    #[test]
    fn nesting_is_bounded_and_the_limit_itself_is_allowed() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for depth in [1, 126, 127, 128] {
            assert!(read(nested(depth).as_bytes()).is_ok(), "{depth}");
            assert!(read(format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)).as_bytes()).is_ok(), "{depth}");
        }
        assert_eq!(complaint(&nested(129)), "This nests more than 128 levels deep. (line 1, column 129)");
        assert_eq!(complaint(&"[".repeat(100_000)), "This nests more than 128 levels deep. (line 1, column 129)");
        assert_eq!(complaint(&"{\"a\":".repeat(100_000)), "This nests more than 128 levels deep. (line 1, column 641)");
        assert!(value(&format!("[{},{{\"b\":1,\"a\":2}}]", nested(127))).to_string().ends_with(r#"{"b":1,"a":2}]"#));
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        for (text, message) in [
            ("", "There is nothing here. (line 1, column 1)"),
            ("{\"a\": 1,\n \"b\" 2}", "After the name of a field a colon is missing. (line 2, column 6)"),
            ("[1 2]", "A comma or a closing ] is missing. (line 1, column 4)"),
            ("{\"a\": 1", "The JSON ends too early. (line 1, column 7)"),
            ("{a: 1}", "The name of a field must stand in double quotation marks. (line 1, column 2)"),
            ("[1,]", "There is a comma too many. (line 1, column 4)"),
            ("[1] x", "There is something after the end of the JSON. (line 1, column 5)"),
            ("hello", "A value is missing or isn't written as JSON has it. (line 1, column 1)"),
            ("[123456789012345678901, oops]", "A value is missing or isn't written as JSON has it. (line 1, column 25)"),
            ("[\"\\ud800\", 01]", "This number isn't written as JSON has it. (line 1, column 13)"),
        ] {
            assert_eq!(complaint(text), message, "{text}");
        }
        assert_eq!(
            read(b"{\"a\":\n \"\xff\"}").unwrap_err().message,
            "This is not UTF-8 text: a byte that doesn't belong there stands at line 2, column 3."
        );
        for odd in
            ["\"\\", "\"", "-", "1e", "\"\\u", "\"\\ud8", "\"\\ud800\\", "nul", "[\"a\nb\"]", "\"\\x\"", "1.", "+1", ".5", "01"]
        {
            assert!(read(odd.as_bytes()).is_err(), "{odd}");
        }
    }

    #[test]
    fn depth_and_size_are_measured_without_recursion() {
        let mut deep = Json::Null;
        for _ in 0..50_000 {
            deep = Json::Array(vec![deep]);
        }
        assert!(check_depth(&deep, 100).is_err());
        assert!(size(&deep) >= 100_000);
        // Dropping it would recurse: take it apart.
        while let Json::Array(mut items) = deep {
            deep = items.pop().unwrap_or(Json::Null);
        }
        assert!(check_depth(&json!([[1], {}]), 2).is_ok() && check_depth(&json!([[1], {}]), 1).is_err());
        assert!(check_depth(&json!(1), 0).is_ok());
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::vec((".{0,6}", inner), 0..5).prop_map(|fields| Json::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read_back_unchanged(value in any_json()) {
            let read = read(value.to_string().as_bytes()).unwrap();
            prop_assert!(read.notes.is_empty(), "{:?}", read.notes);
            prop_assert_eq!(read.value, value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn almost_json_is_read_or_refused_as_serde_json_does(text in r#"[\[\]{}:, \n"\\ud8c0a1-9.eE+\-]{0,60}"#) {
            let ours = read(text.as_bytes());
            if let Ok(theirs) = serde_json::from_str::<Json>(&text) {
                let ours = ours.unwrap();
                prop_assert!(!ours.notes.is_empty() || ours.value == theirs);
            }
        }

        #[test]
        fn no_digit_of_a_number_is_lost(whole in "-?[1-9][0-9]{0,40}", fraction in "(\\.[0-9]{1,30})?", exponent in "([eE][+-]?[0-9]{1,3})?") {
            let number = format!("{whole}{fraction}{exponent}");
            match value(&number) {
                Json::String(text) => prop_assert_eq!(text, number),
                kept => {
                    let (kept, number) = (normal::decimal(&kept.to_string()), normal::decimal(&number));
                    prop_assert_eq!(kept, number);
                }
            }
        }
    }
}
