//! What expressions mean, and what is said when they mean nothing.

use super::*;
use crate::{
    error::{ErrorKind, StepError},
    event::{Event, Head},
};
use proptest::prelude::*;

#[test]
fn a_path_reads_what_is_there_and_keeps_its_kind() {
    for (source, expected) in [
        ("trigger.body.total", json!(120.5)),
        ("trigger.body['customer'].name", json!("Ada")),
        ("trigger.body.customer[\"e-mail\"]", json!("ada@example.com")),
        ("trigger.body.lines[0].sku", json!("A1")),
        ("trigger.body.lines.1.sku", json!("B2")),
        ("trigger.body.lines[-1].price", json!(5)),
        ("steps.find.body.items[1:]", json!([2, 3])),
        ("steps.find.body.items[:-1]", json!([1, 2])),
        ("trigger.body.big", json!(9_007_199_254_740_993_i64)),
        ("trigger.method", json!("POST")),
        ("now", json!("2026-11-20T10:25:00.500Z")),
        ("run.started", json!("2026-11-20T10:00:00.000Z")),
        ("run.id", json!("00000000-0000-0000-0000-000000000001")),
        ("vars", json!({})),
        ("\"text\"[1:3]", json!("ex")),
        ("'it\\'s \\u00e9'", json!("it's é")),
        ("{name: 'x', \"a b\": [1, 2,],}", json!({ "name": "x", "a b": [1, 2] })),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn operators_bind_as_in_jinja() {
    for (source, expected) in [
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("2 ** 3 * 2", json!(16)),
        ("-2 + 5", json!(3)),
        ("-trigger.body.total | abs", json!(120.5)),
        ("7 // 2 + 7 % 2", json!(4)),
        ("10 / 4", json!(2.5)),
        ("0.1 + 0.2", json!(0.3)),
        ("1 ~ 2 ~ null ~ true", json!("12true")),
        ("'a' + 'b'", json!("ab")),
        ("[1] + [2]", json!([1, 2])),
        ("1 < 2 <= 2 < 3", json!(true)),
        ("1 < 2 > 5", json!(false)),
        ("not 1 == 2 and true", json!(true)),
        ("0 or 'x'", json!("x")),
        ("'' and 'x'", json!("")),
        ("1 if false else 2 if false else 3", json!(3)),
        ("'A' in ['A', 'B'] and 'z' not in 'abc'", json!(true)),
        ("'total' in trigger.body", json!(true)),
        ("1 == 1.0 and [1] == [1.0] and {'a': 1} != {'a': 2}", json!(true)),
        ("1 == '1'", json!(false)),
        ("trigger.body.count | number + 1", json!(4)),
        ("5 is odd and 4 is not odd and 'x' is text", json!(true)),
        ("trigger.body.nothing is defined", json!(false)),
        ("trigger.body.nothing is missing and trigger.body.nothing is empty", json!(true)),
        ("trigger.body.note is null and trigger.body.note is defined", json!(true)),
        ("trigger.body.nothing | default('x') | upper", json!("X")),
        ("trigger.body.a.b.c | default(trigger.body.nothing) | default(1)", json!(1)),
        ("trigger.body.total if trigger.body.paid", json!(120.5)),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn a_text_is_put_together_and_a_whole_expression_keeps_its_kind() {
    let order = order();
    for (field, expected) in [
        (json!("{{ trigger.body.total }}"), json!(120.5)),
        (json!("{{ trigger.body.lines[1] }}"), json!({ "sku": "B2", "price": 5 })),
        (json!(" {{ trigger.body.paid }}"), json!(" true")),
        (json!("{{ trigger.body.customer.name }} owes {{ 3.0 }}{{ null }}!"), json!("Ada owes 3!")),
        (json!("{{ trigger.body.lines | map_to('price') }} {{ {a: 1} }}"), json!("[19.99,5] {\"a\":1}")),
        (json!("{% if x %} {# {{ 1 }} #}"), json!("{% if x %} {# 1 #}")),
        (json!({ "a": ["{{ 1 }}", { "b": "{{ 2 }}" }], "c": 3 }), json!({ "a": [1, { "b": 2 }], "c": 3 })),
        (json!({ "gone": "{{ trigger.body.x }}", "list": ["{{ trigger.body.x }}", 1] }), json!({ "list": [null, 1] })),
        (json!({ "{{ kept }}": "plain" }), json!({ "{{ kept }}": "plain" })),
    ] {
        assert_eq!(resolve(field.clone(), &order).unwrap(), Some(expected), "{field}");
    }
    assert_eq!(resolve(json!("{{ trigger.body.x }}"), &order).unwrap(), None);
}

#[test]
fn fields_that_were_left_out_are_named_with_the_reason() {
    let template =
        Template::compile(&json!({ "to": "{{ trigger.body.mail }}", "list": [{ "a": "{{ steps.later.b }}" }] })).unwrap();
    let resolved = template.resolve_noting(&order()).unwrap();
    assert_eq!(resolved.value, Some(json!({ "list": [{}] })));
    let missing: Vec<_> = resolved.missing.iter().map(|error| (error.field.as_str(), error.message.as_str())).collect();
    assert_eq!(
        missing,
        [
            (
                "to",
                "There is no field \"mail\" in trigger.body; it has total, currency, count, note, paid, big, customer, lines."
            ),
            ("list[0].a", "The step \"later\" has no output here: it was skipped, it hasn't run yet, or there is no such step."),
        ]
    );
}

#[test]
fn an_error_names_the_field_the_part_the_place_and_what_was_seen() {
    let error = resolve(json!({ "fields": [{ "text": "Für {{ trigger.body.customer | upper }}" }] }), &order()).unwrap_err();
    assert_eq!(
        error,
        ExprError {
            field: "fields[0].text".into(),
            part: "trigger.body.customer | upper".into(),
            position: 31,
            message: "upper needs text, not an object.".into(),
            saw: Some("an object with name, e-mail".into()),
        }
    );
    assert_eq!(
        error.to_string(),
        "{{ trigger.body.customer | upper }}: upper needs text, not an object. It saw an object with name, e-mail."
    );
    let step = StepError::from(error.within("json"));
    assert_eq!((step.kind, step.field.as_deref()), (ErrorKind::InvalidInput, Some("json.fields[0].text")));

    let error = resolve(json!("total: {{ trigger.body.totl }}"), &context(json!({ "total": 1, "currency": "EUR" }))).unwrap_err();
    assert_eq!(
        error.message,
        "There is no field \"totl\" in trigger.body; it has total, currency. Add | default(\"…\") if it may be missing."
    );
}

#[test]
fn what_cannot_be_compiled_is_told_in_plain_words() {
    for (source, message) in [
        ("", "There is nothing between {{ and }}."),
        ("trigger.body.", "After the dot the name of a field is missing; there is the end instead."),
        (
            "body.total",
            "“body” is not known here. Values begin with trigger, steps, item, index, run, vars, now; text stands in quotation marks.",
        ),
        (
            "tigger.body",
            "“tigger” is not known here. Values begin with trigger, steps, item, index, run, vars, now; text stands in quotation marks. Did you mean “trigger”?",
        ),
        ("1 +", "The expression ends too early; a value is missing here."),
        ("1 2", "the number 2 is not expected here; the expression before it is complete."),
        ("(1", "Here a “)” is missing; there is the end instead."),
        ("1 = 1", "To compare two values write == (two signs)."),
        ("1 | uper", "There is no filter “uper”. Did you mean upper?"),
        ("now | format('x')", "There is no filter “format”. Did you mean format_date (for dates) or format_number?"),
        ("'x' | replace('a')", "replace needs “new”; it takes (old, new)."),
        ("'x' | upper(1)", "upper takes nothing in brackets."),
        ("'x' | truncate(3, length=4)", "truncate takes (length, ending?)."),
        ("trigger.body.name.upper()", "Write | upper instead of .upper()."),
        ("trigger.body.items()", "“.items(…)” is not possible; filters are written with a bar, such as | upper."),
        ("upper('x')", "“upper” is a filter: write the value before it, as in value | upper."),
        ("system('x')", "There is no function “system”."),
        (
            "1 is prime",
            "“is prime” is not known; after “is” write one of defined, null, none, empty, text, string, number, boolean, list, object, mapping, true, false, odd, even.",
        ),
        ("'abc", "This quotation mark is never closed."),
        ("1 & 2", "“&” has no meaning here."),
        (
            "99999999999999999999",
            "The number 99999999999999999999 is too large to count with; put it in quotation marks to keep it as text.",
        ),
        ("trigger.body.total }} x", "“}” is not expected here; the expression before it is complete."),
    ] {
        assert_eq!(
            complaint(source).trim_start_matches("the number").trim(),
            message.trim_start_matches("the number").trim(),
            "{source}"
        );
    }
}

#[test]
fn what_cannot_be_evaluated_is_told_in_plain_words() {
    for (source, message) in [
        (
            "trigger.body.totl + 1",
            "There is no field \"totl\" in trigger.body; it has total, currency, count, note, paid, big, customer, lines. Add | default(\"…\") if it may be missing.",
        ),
        ("trigger.body.customer.name.first", "trigger.body.customer.name is text, so it has no field \"first\"."),
        ("trigger.body.note.x", "trigger.body.note is an empty value (null), so it has no field \"x\"."),
        (
            "trigger.body.lines.sku",
            "trigger.body.lines is a list, so it has no field \"sku\". Take one item, such as [0] or | first, or all of them with | map_to.",
        ),
        ("trigger.body.lines[2]", "There is no item [2] in trigger.body.lines; it has 2 items."),
        (
            "trigger.body.lines['x'] ",
            "trigger.body.lines is a list, so it has no field \"x\". Take one item, such as [0] or | first, or all of them with | map_to.",
        ),
        (
            "trigger.body.count * 2",
            "Text and a number can't be multiplied. To count with a text write | number after it. It saw \"3\" and 2.",
        ),
        (
            "'x' * 1000000000",
            "Text and a number can't be multiplied. To count with a text write | number after it. It saw \"x\" and 1000000000.",
        ),
        ("[1] * 2", "A list and a number can't be multiplied. It saw a list of 1 item and 2."),
        (
            "trigger.body.count + 1",
            "Text and a number can't be added. To join texts write ~ instead of +; to count with a text write | number after it. It saw \"3\" and 1.",
        ),
        ("'50' > 100", "Text and a number can't be compared. Write | number after the text. It saw \"50\" and 100."),
        ("null < 1", "An empty value (null) and a number can't be compared. It saw null and 1."),
        ("1 / 0", "A number can't be divided by zero."),
        ("10 ** 40", "The result is too large to count with exactly."),
        ("9223372036854775807 * 4", "The result is too large to count with exactly."),
        ("'abc' | number", "number needs a number, not text. It saw \"abc\"."),
        ("1 in 5", "A number can't contain a number. It saw 5."),
        ("[] | first", "The list is empty."),
        ("1 if false", "The test of this “if” doesn't hold and it has no “else”."),
        (
            "trigger.body.nothing or 1",
            "There is no field \"nothing\" in trigger.body; it has total, currency, count, note, paid, big, customer, lines. Add | default(\"…\") if it may be missing.",
        ),
        ("'x' | regex_match('(')", "This is not a pattern that can be used: unclosed group. It saw \"(\"."),
        (
            "'x' | date",
            "date needs a date such as 2026-11-20, 2026-11-20 10:25 or 2026-11-20T10:25:00+01:00, not text. It saw \"x\".",
        ),
        (
            "now | timezone('Berlin')",
            "There is no such time zone; write a region and a city, such as Europe/Berlin or America/New_York. It saw \"Berlin\".",
        ),
        ("'{' | parse_json", "This text is not JSON: The JSON ends too early. (line 1, column 1) It saw \"{\"."),
    ] {
        assert_eq!(complaint(source), message, "{source}");
    }
}

#[test]
fn the_paths_and_the_constancy_of_a_template_are_known_without_running_it() {
    let template = Template::compile(&json!({
        "a": "{{ trigger.body.lines[0].sku }} {{ steps.find.body['e-mail'] | default(vars.x) }}",
        "b": ["{{ steps.find.items[trigger.body.index].name }}", "{{ trigger.body.lines[0].sku }}"],
    }));
    assert_eq!(
        template.unwrap().paths(),
        ["trigger.body.lines[0].sku", "steps.find.body[\"e-mail\"]", "vars.x", "steps.find.items", "trigger.body.index",]
    );
    for (field, constant) in [
        (json!("plain"), true),
        (json!("{{ 1 + 1 }}"), true),
        (json!("{{ uuid() }}"), false),
        (json!({ "a": ["{{ now }}"] }), false),
    ] {
        assert_eq!(Template::compile(&field).unwrap().is_constant(), constant, "{field}");
    }
    assert_eq!(Template::compile(&json!({ "a": 1 })).unwrap().literal(), Some(&json!({ "a": 1 })));
    assert_eq!(Template::compile(&json!("{{ 1 }}")).unwrap().literal(), None);
}

#[test]
fn the_body_of_an_event_is_parsed_only_when_something_reads_it() {
    let head = Head { content_type: Some("application/json".into()), ..Head::default() };
    let mut head = head;
    head.meta.insert("method".into(), "POST".into());
    let event = Event { head, body: br#"{"total": 5}"#.to_vec() };
    let context = context_of(event.into());
    assert_eq!(resolve(json!("{{ trigger.method }} {{ trigger.raw }}"), &context).unwrap(), Some(json!("POST {\"total\": 5}")));
    assert!(!context.body_was_read());
    assert_eq!(resolve(json!("{{ trigger.body.total }}"), &context).unwrap(), Some(json!(5)));
    assert!(context.body_was_read());
    assert_eq!(
        resolve(json!("{{ trigger }}"), &context).unwrap(),
        Some(json!({ "method": "POST", "body": { "total": 5 }, "raw": "{\"total\": 5}" }))
    );
    let error = resolve(json!("x{{ trigger.bdy }}"), &context).unwrap_err();
    assert!(error.message.starts_with("There is no field \"bdy\" in trigger; it has method, body, raw."), "{error}");
}

#[test]
fn what_an_expression_yields_is_never_read_as_an_expression() {
    let context = context(json!({ "evil": "{{ trigger.body.secret }}", "secret": "s3cret" }));
    assert_eq!(resolve(json!("{{ trigger.body.evil }}"), &context).unwrap(), Some(json!("{{ trigger.body.secret }}")));
    assert_eq!(resolve(json!("a {{ trigger.body.evil }}"), &context).unwrap(), Some(json!("a {{ trigger.body.secret }}")));
    assert_eq!(
        resolve(json!("{{ '{' ~ '{ trigger.body.secret }' ~ '}' }}"), &context).unwrap(),
        Some(json!("{{ trigger.body.secret }}"))
    );
}

#[test]
fn a_run_that_is_resumed_computes_the_same() {
    let field = json!({ "a": "{{ uuid() }}", "b": ["{{ uuid() }}", "{{ random() }}"], "c": "{{ random(1, 1000000) }}", "d": "{{ now }}" });
    let at = |step: &str, key: u128, now: &str| {
        let run =
            RunInfo { id: RunId(Uuid::from_u128(1)), key: Uuid::from_u128(key), started_at: moment("2026-11-20T10:00:00Z") };
        let mut context = Context::new(Roots {
            trigger: json!({}).into(),
            run,
            now: run.started_at,
            vars: crate::expr::Vars::default(),
            language: "en".into(),
        });
        context.at(&StepPath(step.into()), moment(now));
        resolve(field.clone(), &context).unwrap().unwrap()
    };
    let first = at("a", 1, "2026-11-20T10:25:00Z");
    assert_eq!(first, at("a", 1, "2026-11-20T10:25:00Z"));
    assert_ne!(first["a"], first["b"][0], "two fields of a step differ");
    // A retry comes later; what it sends must be what the attempt before it sent.
    let retry = at("a", 1, "2026-11-20T11:00:00Z");
    assert_eq!((&first["a"], &first["b"], &first["c"]), (&retry["a"], &retry["b"], &retry["c"]));
    assert_eq!(retry["d"], "2026-11-20T11:00:00.000Z");
    for other in [at("b", 1, "2026-11-20T10:25:00Z"), at("a", 2, "2026-11-20T10:25:00Z")] {
        assert_ne!(first["a"], other["a"]);
        assert_ne!(first["b"][1], other["b"][1]);
        assert_ne!(first["c"], other["c"]);
    }
    let uuid: Uuid = first["a"].as_str().unwrap().parse().unwrap();
    assert_eq!(uuid.get_version_num(), 4);
    assert!((0.0..1.0).contains(&first["b"][1].as_f64().unwrap()));
}

proptest! {
    #[test]
    fn any_source_compiles_or_is_refused(source in "[a-z0-9 .,:|()\\[\\]{}<>=!+*/%~'\"\\\\-]{0,60}") {
        let _ = Template::expression(&source).and_then(|template| template.resolve(&order()));
        let _ = Template::compile(&json!(format!("x {source} {{{{{source}}}}}"))).and_then(|template| template.resolve(&order()));
    }

    #[test]
    fn a_sentence_of_the_language_is_evaluated_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "trigger", ".body", ".lines", "[0]", "[", "]", "(", ")", "{", "}", "a:", "steps.find", "now", "1", "0", "2.5", "-", "+", "*", "/", "//", "%",
        "**", "~", "'x'", "\"\"", "null", "true", "and", "or", "not", "in", "is", "defined", "empty", "if", "else", "<", "==", ",", "| upper",
        "| default(", "| sort", "| json", "| first", "| number", "| date", "| join", "| sum", "range(", "| length", "| csv", "| xml", "| group_by('a')",
    ]), 0..14)) {
        let _ = Template::expression(&words.join(" ")).and_then(|template| template.resolve(&order()));
    }

    #[test]
    fn text_without_braces_is_itself(text in "[^{]{0,60}") {
        prop_assert_eq!(resolve(json!(text), &order()).unwrap(), Some(json!(text)));
    }
}

#[test]
fn a_document_of_another_kind_names_its_own_roots() {
    let now = "2026-03-02T09:41:00Z".parse().unwrap();
    let roots = json!({ "input": { "n": 2, "run": "x" }, "run": { "key": "k" } }).as_object().unwrap().clone();
    let mut context = Context::named(roots, Uuid::nil(), now);
    let read = |context: &Context, value: Json| {
        Template::compile_named(&value, &["input", "run", "page"]).map(|template| template.resolve(context).unwrap().unwrap())
    };
    let value = json!({ "n": "{{ input.n + 1 }}", "key": "{{ run.key }}-{{ now }}", "next": "{{ page.next }}" });
    assert_eq!(read(&context, value.clone()).unwrap(), json!({ "n": 3, "key": "k-2026-03-02T09:41:00.000Z" }));
    context.set_named("page", json!({ "next": "c2" }));
    assert_eq!(read(&context, value).unwrap()["next"], "c2");
    let unknown = read(&context, json!("{{ secret.token }}")).unwrap_err();
    assert!(unknown.message.contains("“secret” is not known here. Values begin with input, run, page, now"), "{unknown}");
    // A workflow's own roots are not among them, and theirs are not a workflow's.
    assert!(read(&context, json!("{{ trigger.body }}")).is_err());
    assert!(Template::compile(&json!("{{ input.n }}")).is_err());
}

#[test]
fn a_literal_field_is_taken_as_it_stands_beside_one_with_expressions() {
    let input = json!({ "code": "return `{{ trigger.body.name }} ${{}}`;", "text": "{{ 1 + 1 }}", "more": { "a": ["{{ 2 }}"] } });
    let template = Template::compile_input(input.as_object().unwrap(), |name| name == "code").unwrap();
    let resolved = template.resolve(&order()).unwrap().unwrap();
    assert_eq!(resolved, json!({ "code": "return `{{ trigger.body.name }} ${{}}`;", "text": 2, "more": { "a": [2] } }));
    let constant = Template::compile_input(input.as_object().unwrap(), |_| true).unwrap();
    assert_eq!(constant.literal(), Some(&input));
    let wrong = json!({ "code": "{{", "text": "{{ oops( }}" });
    let error = Template::compile_input(wrong.as_object().unwrap(), |name| name == "code").unwrap_err();
    assert_eq!(error.field, "text", "{error}");
}
