//! Reading and writing as steps, and the smaller steps beside them, by table.

use crate::{
    Json,
    error::StepError,
    expr::tests::context,
    pure::{Outcome, PureStep},
    workflow::Step,
};
use proptest::prelude::*;
use serde_json::json;

fn over(body: &Json, operation: &str, input: Json) -> Result<Json, StepError> {
    let step: Step = serde_json::from_value(json!({ "id": "it", "use": operation, "input": input })).unwrap();
    match PureStep::compile(&step)?.expect("it is the engine's own").evaluate(&context(body.clone()))? {
        Outcome::Done { output } => Ok(output),
        other => panic!("{other:?}"),
    }
}

fn body() -> Json {
    json!({
        "csv": "name;city;no\nAda;London;007\nGrace;New York;12\n", "lines": [{ "a": 1, "b": "x,y" }, { "a": "=1+1" }],
        "country": " de ", "words": "a, b,,c", "nothing": null, "n": 5, "value": { "age": "x", "tags": [1, "b"] },
    })
}

#[test]
fn the_steps_give_what_their_forms_promise() {
    let text = "{{ trigger.body.csv }}";
    let lines = "{{ trigger.body.lines }}";
    let schema = r##"{ "type": "object", "required": ["name"], "properties": { "age": { "type": "integer" }, "tags": { "items": { "$ref": "#/$defs/tag" } } }, "$defs": { "tag": { "type": "string", "pattern": "^[a-c]$" } } }"##;
    for (operation, input, output) in [
        (
            "csv.read",
            json!({ "text": text }),
            json!({ "items": [{ "name": "Ada", "city": "London", "no": "007" }, { "name": "Grace", "city": "New York", "no": "12" }],
                "count": 2, "columns": ["name", "city", "no"] }),
        ),
        (
            "csv.read",
            json!({ "text": "a,b\n007,1.50\n-2,3.5", "numbers": true, "header": false }),
            json!({ "items": [["a", "b"], ["007", "1.50"], [-2, 3.5]], "count": 3, "columns": [] }),
        ),
        ("csv.write", json!({ "list": lines }), json!({ "text": "a,b\n1,\"x,y\"\n=1+1,\n", "count": 2 })),
        (
            "csv.write",
            json!({ "list": lines, "columns": { "First": "{{ item.a }}", "No": "{{ index + 1 }}" }, "separator": "semicolon", "safe": true }),
            json!({ "text": "First;No\n1;1\n'=1+1;2\n", "count": 2 }),
        ),
        (
            "json.read",
            json!({ "text": "[1, {\"a\": 12345678901234567890123}]" }),
            json!({ "value": [1, { "a": "12345678901234567890123" }],
            "notes": ["The number 12345678901234567890123 has more digits than can be counted with; it was kept as text."] }),
        ),
        ("json.write", json!({ "value": "{{ trigger.body.value }}" }), json!({ "text": "{\"age\":\"x\",\"tags\":[1,\"b\"]}" })),
        ("json.write", json!({ "value": "{{ [1] }}", "indent": true }), json!({ "text": "[\n  1\n]" })),
        (
            "xml.read",
            json!({ "text": "<a b='1'><c/>x</a>" }),
            json!({ "value": { "a": { "@b": "1", "c": null, "#text": "x" } } }),
        ),
        (
            "xml.write",
            json!({ "value": "{{ trigger.body.value }}", "root": "person" }),
            json!({ "text": "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<person><age>x</age><tags>1</tags><tags>b</tags></person>" }),
        ),
        ("list.split", json!({ "list": "{{ [1, 2, 3] }}", "size": 2 }), json!({ "items": [[1, 2], [3]], "count": 2 })),
        (
            "list.split",
            json!({ "what": "text", "text": "{{ trigger.body.words }}", "at": "commas" }),
            json!({ "items": ["a", "b", "c"], "count": 3 }),
        ),
        (
            "list.split",
            json!({ "what": "text", "text": "a- b -c", "at": "other", "separator": " - ", "trim": false }),
            json!({ "items": ["a- b -c"], "count": 1 }),
        ),
        (
            "list.split",
            json!({ "what": "text", "text": "a\r\nb\r\n", "trim": false }),
            json!({ "items": ["a", "b", ""], "count": 3 }),
        ),
        (
            "list.collect",
            json!({ "first": "{{ [1, null] }}", "second": "{{ trigger.body.n }}", "third": "{{ steps.gone.items }}", "fourth": "x" }),
            json!({ "items": [1, 5, "x"], "count": 3 }),
        ),
        ("list.collect", json!({ "first": "{{ [1] }}", "second": "", "flatten": false }), json!({ "items": [[1]], "count": 1 })),
        (
            "value.look_up",
            json!({ "value": "{{ trigger.body.country }}", "table": { "DE": "Germany", "FR": "France" } }),
            json!({ "value": "Germany", "found": true }),
        ),
        (
            "value.look_up",
            json!({ "value": "{{ trigger.body.n }}", "table": { "5": "{{ trigger.body.n * 2 }}" } }),
            json!({ "value": 10, "found": true }),
        ),
        (
            "value.look_up",
            json!({ "value": "it", "table": { "DE": 1 }, "otherwise": "unknown" }),
            json!({ "value": "unknown", "found": false }),
        ),
        (
            "value.look_up",
            json!({ "value": "de", "table": { "DE": 1 }, "ignore_case": false }),
            json!({ "value": null, "found": false }),
        ),
        ("text.format", json!({ "text": "No {{ trigger.body.n }}" }), json!({ "text": "No 5", "length": 4 })),
        (
            "text.format",
            json!({ "times": "each", "list": lines, "line": "{{ index + 1 }}. {{ item.a }}", "between": "comma" }),
            json!({ "text": "1. 1, 2. =1+1", "length": 13 }),
        ),
        (
            "json.validate",
            json!({ "value": "{{ trigger.body.value }}", "schema": schema }),
            json!({ "valid": false, "count": 4, "errors": [
                { "path": "age", "message": "\"x\" is not of type \"integer\"." },
                { "path": "tags[0]", "message": "1 is not of type \"string\"." },
                { "path": "", "message": "\"name\" is a required property." },
            ] }),
        ),
        (
            "json.validate",
            json!({ "value": "{{ {name: 'Ada'} }}", "schema": schema }),
            json!({ "valid": true, "errors": [], "count": 0 }),
        ),
    ] {
        let mut given = over(&body(), operation, input.clone()).unwrap_or_else(|error| panic!("{operation} {input}: {error:?}"));
        let mut output = output;
        if operation == "json.validate" {
            // The order of errors is the validator's.
            for value in [&mut given, &mut output] {
                value["errors"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
            }
            let told = output["errors"].as_array().unwrap().len();
            output["count"] = told.into();
        }
        assert_eq!(given, output, "{operation} {input}");
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    for (operation, input, field, message) in [
        ("csv.read", json!({ "text": "a,b\n1,\"2\n3,4" }), "text", "This quotation mark is never closed (line 2, column 3)."),
        (
            "csv.read",
            json!({ "text": "a,b\n1,2\n3", "uneven": "refuse" }),
            "text",
            "Line 3 has 1 cell and the first line 2 cells (line 3, cell 2).",
        ),
        ("csv.read", json!({ "text": "{{ trigger.body.lines }}" }), "text", "A text is needed here, not a list of 2 items."),
        (
            "csv.read",
            json!({ "text": "a", "separator": "dot" }),
            "separator",
            "\"dot\" is not a choice here; it is found, comma, semicolon, tab or bar.",
        ),
        ("csv.write", json!({ "list": "{{ [1] }}" }), "list", "csv needs a list of objects or of lists, not a number. It saw 1."),
        (
            "json.read",
            json!({ "text": "{\"a\": 1,\n \"b\" 2}" }),
            "text",
            "This text can't be read as JSON: After the name of a field a colon is missing. (line 2, column 6)",
        ),
        ("json.read", json!({}), "text", "“The JSON text” is missing."),
        (
            "json.write",
            json!({ "value": "{{ trigger.body.gone }}" }),
            "value",
            "{{ trigger.body.gone }}: There is no field \"gone\" in trigger.body; it has csv, lines, country, words, nothing, n, value.",
        ),
        (
            "xml.read",
            json!({ "text": "<a>\n  <b>&nbsp;</b></a>" }),
            "text",
            "This XML uses the entity “&nbsp;”, which XML itself doesn't have. (line 2, column 6)",
        ),
        ("xml.read", json!({ "text": "<a>\n<b>" }), "text", "This XML ends before <b> is closed. (line 2, column 4)"),
        (
            "xml.read",
            json!({ "text": "\u{feff}<!DOCTYPE a><a/>" }),
            "text",
            "This XML declares a document type (DOCTYPE); that is refused, because such declarations can expand without bounds. (line 1, column 1)",
        ),
        (
            "xml.write",
            json!({ "value": "{{ {'a b': 1} }}" }),
            "value",
            "This can't be the name of an XML element or attribute: it begins with a letter and has no blanks. It saw \"a b\".",
        ),
        ("list.split", json!({ "list": "{{ [1] }}", "size": 0 }), "size", "A whole number from 1 to 100000 is needed, not 0."),
        (
            "list.split",
            json!({ "what": "text", "text": "a", "at": "other", "separator": "" }),
            "separator",
            "Say what stands between the parts.",
        ),
        ("list.collect", json!({ "first": " " }), "first", "Pick at least one value."),
        (
            "value.look_up",
            json!({ "value": "it", "table": { "DE": 1 }, "missing": "fail" }),
            "value",
            "The table doesn't have \"it\".",
        ),
        ("value.look_up", json!({ "value": "it", "table": { "de": 1, "DE": 2 } }), "table.DE", "“DE” is in the table twice."),
        (
            "value.look_up",
            json!({ "value": "it" }),
            "table",
            "The table is empty: add a value to look for, and what it stands for.",
        ),
        (
            "text.format",
            json!({ "text": "Hi {{ trigger.body.gone }}" }),
            "text",
            "{{ trigger.body.gone }}: There is no field \"gone\" in trigger.body; it has csv, lines, country, words, nothing, n, value. Add | default(\"…\") if it may be missing.",
        ),
        (
            "json.validate",
            json!({ "value": "1", "schema": "{ \"type\": \"object\"," }),
            "schema",
            "The schema is not JSON: The JSON ends too early. (line 1, column 19)",
        ),
        (
            "json.validate",
            json!({ "value": "1", "schema": "{ \"$ref\": \"http://127.0.0.1/x\" }" }),
            "schema",
            "The schema refers to “http://127.0.0.1/x”; only places inside of it are possible, such as #/$defs/address.",
        ),
    ] {
        let error = over(&body(), operation, input.clone()).unwrap_err();
        assert_eq!((error.field.unwrap_or_default().as_str(), error.message.as_str()), (field, message), "{operation} {input}");
    }
}

#[test]
fn a_schema_that_is_none_and_a_pattern_that_backtracks_are_refused() {
    for schema in [r#"{ "type": "thing" }"#, r#"{ "pattern": "(?=a)b" }"#] {
        let error = over(&body(), "json.validate", json!({ "value": "1", "schema": schema })).unwrap_err();
        assert!(error.message.starts_with("This is not a JSON Schema: "), "{error:?}");
    }
}

#[test]
fn texts_that_would_grow_out_of_bounds_are_refused() {
    let names = json!({ "csv": format!("{}\n{}", "n".repeat(1_000_000), "1\n".repeat(1000)), "many": vec![1; 100_000], "name": "n".repeat(2000) });
    let refused = |operation: &str, input: Json, part: &str| {
        let error = over(&names, operation, input).unwrap_err();
        assert!(error.message.contains(part), "{error:?}");
    };
    refused("csv.read", json!({ "text": "{{ trigger.body.csv }}" }), "too long for so many lines");
    refused("xml.write", json!({ "value": "{{ {trigger.body.name: trigger.body.many} }}", "root": "r" }), "larger than 32 MB");
    refused(
        "list.map",
        json!({ "list": "{{ trigger.body.many }}", "make": "value", "value": "x".repeat(1000) }),
        "larger than 32 MB",
    );
    refused("list.sort", json!({ "list": "{{ trigger.body.many }}", "by": "x".repeat(1000) }), "larger than 32 MB");
    refused("list.map", json!({ "list": "{{ trigger.body.many }}", "fields": { "n".repeat(1000): 1 } }), "larger than 32 MB");
}

proptest! {
    #[test]
    fn a_table_comes_back_from_csv(rows in prop::collection::vec(("[a-z,;\"\n ]{1,8}", "[0-9|\t']{0,5}"), 1..6), separator in prop::sample::select(vec!["comma", "semicolon", "tab", "bar"])) {
        let list: Vec<Json> = rows.into_iter().map(|(a, b)| json!({ "a": a, "b": b })).collect();
        let written = over(&json!({ "list": list }), "csv.write", json!({ "list": "{{ trigger.body.list }}", "separator": separator })).unwrap();
        let read = over(&written, "csv.read", json!({ "text": "{{ trigger.body.text }}", "separator": separator, "uneven": "refuse" })).unwrap();
        prop_assert_eq!(&read["items"], &Json::from(list));
    }

    #[test]
    fn a_value_comes_back_from_json(value in prop::collection::vec((".{0,6}", any::<i64>(), any::<f64>()), 0..5), indent in any::<bool>()) {
        let value = json!(value);
        let written = over(&json!({ "value": value }), "json.write", json!({ "value": "{{ trigger.body.value }}", "indent": indent })).unwrap();
        let read = over(&written, "json.read", json!({ "text": "{{ trigger.body.text }}" })).unwrap();
        prop_assert_eq!(&read["value"], &value);
    }
}
