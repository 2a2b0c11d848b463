//! Tables of values and what becomes of them.

use super::{
    filter::{Ask, Filter, Place},
    sheet::{Mistake, Sheet, cell_of, write},
    *,
};
use crate::condition::Conditions;
use serde_json::json;

fn column(name: &str, kind: ColumnKind) -> Column {
    let options = if kind == ColumnKind::Choice { vec!["New".into(), "Paid".into()] } else { vec![] };
    Column { id: String::new(), name: name.into(), kind, required: false, options }
}

fn orders() -> Schema {
    let mut columns: Vec<Column> = ColumnKind::ALL.into_iter().map(|kind| column(kind.name(), kind)).collect();
    columns[1].required = true;
    Schema { columns, key: vec![] }.tidy().unwrap()
}

fn object(value: Json) -> Object {
    value.as_object().unwrap().clone()
}

#[test]
fn a_value_is_read_as_people_write_it_and_kept_in_one_form() {
    let schema = orders();
    let table = [
        ("text", json!("  Ada "), json!("  Ada ")),
        ("text", json!(12.0), json!("12")),
        ("text", json!(true), json!("true")),
        ("text", json!(" "), json!(null)),
        ("number", json!("12.50"), json!(12.5)),
        ("number", json!(7.0), json!(7)),
        ("number", json!(" 1e3 "), json!(1000)),
        ("boolean", json!("Yes"), json!(true)),
        ("boolean", json!(0), json!(false)),
        ("date", json!("20.11.2026"), json!("2026-11-20")),
        ("date", json!("2026-11-20T23:30:00-05:00"), json!("2026-11-20")),
        ("date_time", json!("2026-11-20 10:25"), json!("2026-11-20T10:25:00.000Z")),
        ("date_time", json!("2026-11-20T10:25:00+01:00"), json!("2026-11-20T09:25:00.000Z")),
        ("date_time", json!(1_795_170_300), json!("2026-11-20T10:25:00.000Z")),
        ("choice", json!("paid "), json!("Paid")),
        ("json", json!([1, { "a": null }]), json!([1, { "a": null }])),
        ("json", json!("{\"a\": 1}"), json!("{\"a\": 1}")),
    ];
    for (name, given, kept) in table {
        assert_eq!(cell::read(schema.column(name).unwrap(), &given).unwrap(), kept, "{name} {given}");
        assert_eq!(cell::read(schema.column(name).unwrap(), &kept).unwrap(), kept, "what is kept is read as it is: {kept}");
    }
}

#[test]
fn what_can_not_be_read_is_told_with_the_column_and_the_value() {
    let schema = orders();
    let table = [
        ("text", json!([1]), "“text” takes a text, and a list can't be read as that."),
        ("number", json!("12 pieces"), "“number” takes a number, and \"12 pieces\" can't be read as that."),
        ("boolean", json!("maybe"), "“boolean” takes yes or no, and \"maybe\" can't be read as that."),
        ("date", json!("next week"), "“date” takes a date; write 2026-11-20, and \"next week\" can't be read as that."),
        ("choice", json!("lost"), "“choice” has no option \"lost\". It has: New, Paid."),
        ("text", json!("a\u{0}b"), "“text” has a character that can't be kept (NUL)."),
        ("json", json!({ "a": ["\u{0}"] }), "“json” has a character that can't be kept (NUL)."),
    ];
    for (name, given, message) in table {
        let wrong = cell::read(schema.column(name).unwrap(), &given).unwrap_err();
        assert_eq!((wrong.column.as_deref(), wrong.message.as_str()), (Some(name), message));
    }
}

#[test]
fn a_row_has_what_it_needs_and_nothing_that_the_table_does_not_have() {
    let schema = Schema { key: vec!["c1".into()], ..orders() };
    let row = |given: Json, extent, unknown| schema.row(&object(given), extent, unknown).map_err(|wrong| wrong.message);
    let whole = |given| row(given, Extent::Whole, Unknown::Refuse);
    assert_eq!(whole(json!({ "Text": "x", "number": "2" })).unwrap(), object(json!({ "c1": "x", "c2": 2 })));
    assert_eq!(whole(json!({ "text": "x" })).unwrap_err(), "“number” is empty, and every row needs it.");
    assert_eq!(whole(json!({ "number": 1, "text": " " })).unwrap_err(), "“text” is empty, and it is part of the table's key.");
    assert_eq!(whole(json!({ "nmber": 1 })).unwrap_err(), "The table has no column “nmber”. Did you mean “number”?");
    // A row that was found can be put back: what every row has is passed over.
    assert!(whole(json!({ "id": "x", "created_at": "y", "text": "x", "number": 1 })).is_ok());
    assert!(row(json!({ "text": "x", "number": 1, "colour": "red" }), Extent::Whole, Unknown::LeaveOut).is_ok());
    assert!(row(json!({ "date": "2026-11-20" }), Extent::Part { with_key: false }, Unknown::Refuse).is_ok());
    assert!(row(json!({ "date": "2026-11-20" }), Extent::Part { with_key: true }, Unknown::Refuse).is_err());
    assert!(whole(json!({ "text": "x".repeat(70_000), "number": 1 })).unwrap_err().contains("64 KB at most"));
    let shown = schema.shown(&object(json!({ "c1": "x", "c9": 1 })));
    assert_eq!((shown["text"].clone(), shown["number"].clone(), shown.len()), (json!("x"), Json::Null, 7));
}

#[test]
fn a_table_that_can_not_be_is_refused_with_a_sentence() {
    let refused = |columns: Vec<Column>, key: &[&str]| {
        let key = key.iter().map(|&id| id.to_owned()).collect();
        Schema { columns, key }.tidy().unwrap_err().message
    };
    let text = |name: &str| column(name, ColumnKind::Text);
    assert_eq!(refused(vec![], &[]), "A table needs at least one column.");
    assert_eq!(refused(vec![text(" ")], &[]), "Give the column a name.");
    assert_eq!(refused(vec![text("A"), text("a ")], &[]), "Two columns have the name “a”.");
    assert_eq!(refused(vec![text("ID")], &[]), "Every row has “ID” already. Choose another name.");
    assert!(refused(vec![text("a\"b")], &[]).contains("can't have quotation marks"));
    assert_eq!(refused(vec![text("a")], &["c2"]), "The table's key names a column that isn't there.");
    assert!(refused(vec![column("a", ColumnKind::Json)], &["c1"]).contains("can't be part of the key"));
    let empty = Column { options: vec![" ".into()], ..column("a", ColumnKind::Choice) };
    assert_eq!(refused(vec![empty], &[]), "“a” is a choice and needs options to choose from.");
    // Ids stay, new ones are free.
    let columns = vec![Column { id: "c2".into(), ..text("b") }, text("a"), text("c")];
    let ids: Vec<String> = Schema { columns, key: vec![] }.tidy().unwrap().columns.into_iter().map(|it| it.id).collect();
    assert_eq!(ids, ["c2", "c1", "c3"]);
}

#[test]
fn conditions_are_read_as_the_columns_kind() {
    let schema = orders();
    let read = |conditions: Json| {
        let conditions: Conditions = serde_json::from_value(conditions).unwrap();
        Filter::read(&schema, &conditions)
    };
    let ask = |is: &str, column: &str, to: Json| match read(json!({ "value": column, "is": is, "to": to })) {
        Ok(Filter::Ask { ask, .. }) => ask,
        other => panic!("{other:?}"),
    };
    assert_eq!(ask("equals", "number", json!("12")), Ask::Is(json!(12)));
    assert_eq!(ask("is_empty", "text", json!("")), Ask::Empty);
    assert_eq!(ask("after", "date", json!("20.11.2026")), Ask::Above(json!("2026-11-20")));
    assert_eq!(ask("one_of", "number", json!("1, 2,")), Ask::OneOf(vec![json!(1), json!(2)]));
    assert_eq!(ask("equals", "choice", json!("gone")), Ask::Is(json!("gone")));
    assert!(
        matches!(read(json!({ "value": "number", "is": "between", "to": [1, 2] })), Ok(Filter::All(parts)) if parts.len() == 2)
    );
    assert!(matches!(read(json!({ "value": "id", "is": "equals", "to": "x" })), Ok(Filter::Ask { of: Place::Id, .. })));
    let refused = |conditions: Json| read(conditions).unwrap_err().message;
    assert!(refused(json!({ "value": "text", "is": "greater_than", "to": 1 })).starts_with("“text” can't be asked that."));
    assert!(refused(json!({ "value": "txt", "is": "equals", "to": 1 })).contains("Did you mean “text”?"));
    assert!(refused(json!({ "value": "number", "is": "equals", "to": "many" })).contains("can't be read as that"));
    // What is missing never means more rows than somebody thought of.
    let nothing = "There is nothing to compare “text” with. Say what, or ask whether it is empty.";
    for is in ["equals", "not_equals", "contains", "not_contains", "one_of", "not_one_of"] {
        assert_eq!(refused(json!({ "value": "text", "is": is })), nothing, "{is}");
        assert_eq!(refused(json!({ "value": "text", "is": is, "to": " " })), nothing, "{is}");
    }
    assert!(refused(json!({ "value": "text", "is": "not_one_of", "to": [] })).contains("nothing to compare"));
    assert_eq!(ask("one_of", "text", json!([])), Ask::OneOf(vec![]));
    assert!(refused(json!({ "expression": "true" })).contains("can't be asked an expression"));
    assert!(read(json!({ "all": [{ "any": [] }] })).is_ok_and(|filter| !filter.is_everything()));
    assert!(read(json!({ "all": [{ "all": [] }] })).is_ok_and(|filter| filter.is_everything()));
    assert!(refused(json!({ "all": vec![json!({ "value": "text", "is": "is_empty" }); 101] })).contains("At most 100"));
}

#[test]
fn the_kind_of_a_column_is_guessed_from_a_file() {
    let guess = |texts: &[&str]| cell::guess(texts.iter().copied());
    assert_eq!(guess(&["1", "", "2.5"]), ColumnKind::Number);
    assert_eq!(guess(&["01234", "02222"]), ColumnKind::Text);
    assert_eq!(guess(&["+49 30", "1"]), ColumnKind::Text);
    assert_eq!(guess(&["yes", "No"]), ColumnKind::Boolean);
    assert_eq!(guess(&["2026-11-20", "20.11.2026"]), ColumnKind::Date);
    assert_eq!(guess(&["2026-11-20 10:25"]), ColumnKind::DateTime);
    assert_eq!(guess(&["20261120"]), ColumnKind::Number);
    assert_eq!(guess(&["", " "]), ColumnKind::Text);
    assert_eq!(guess(&["Ada", "1"]), ColumnKind::Text);
}

#[test]
fn a_file_becomes_rows_or_says_line_by_line_what_is_wrong() {
    let schema = orders();
    let text = "\u{feff}Number;text;note\r\n1;\"two\r\nlines\";x\r\n\r\nmany;b;y\r\n;c;z\r\n";
    let sheet = Sheet::read(text).unwrap();
    assert_eq!(sheet.names, ["Number", "text", "note"]);
    let fitted = sheet.fit(&schema);
    assert_eq!(fitted.left_out, ["note"]);
    assert_eq!(fitted.rows, [(2, object(json!({ "c2": 1, "c1": "two\r\nlines" })))]);
    let mistake = |line, message: &str| Mistake { line: Some(line), message: message.into() };
    let expected = [
        mistake(5, "“number” takes a number, and \"many\" can't be read as that."),
        mistake(6, "“number” is empty, and every row needs it."),
    ];
    assert_eq!((fitted.mistakes.as_slice(), fitted.wrong), (&expected[..], 2));
    assert!(Sheet::read("a,b\n1,2,3\n").unwrap_err().message.contains("has 3 cells"));
    assert!(Sheet::read("a,A\n1,2\n").unwrap_err().message.contains("Two columns"));
    assert!(Sheet::read("a\n\"open").unwrap_err().message.contains("never closed"));
    assert!(Sheet::read(" \n").is_err() && Sheet::read("PK\u{3}\0").unwrap_err().message.contains("no text file"));
    let nothing = Sheet::read("x,y\n1,2").unwrap().fit(&schema);
    assert!(nothing.rows.is_empty() && nothing.mistakes[0].message.contains("none of the table's columns"));
}

#[test]
fn what_is_exported_is_no_formula_and_comes_back_as_it_was() {
    let values = ["=1+1", "+1", "-2", "@x", "plain", "'quoted", "\"a\",b\nc"];
    let mut lines = vec![vec!["text".to_owned(), "number".to_owned()]];
    for value in values {
        let text = cell_of(ColumnKind::Text, &value.into());
        assert!(!text.starts_with(['=', '+', '-', '@']), "{text}");
        lines.push(vec![text, cell_of(ColumnKind::Number, &json!(-5))]);
    }
    let back = Sheet::read(&write(&lines)).unwrap();
    let texts: Vec<&str> = back.lines.iter().map(|(_, cells)| cells[0].as_str()).collect();
    assert_eq!(texts, values);
    assert!(back.lines.iter().all(|(_, cells)| cells[1] == "-5"));
}
