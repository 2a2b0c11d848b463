//! Nothing that somebody writes or sends takes the process down, or more than its share.

use super::*;
use crate::expr::{MAX_LENGTH, MAX_MADE};

#[test]
fn a_pathological_expression_is_an_error_and_not_a_stack_overflow() {
    // A thread's stack is smaller in the server than in a test.
    let deep = std::thread::Builder::new().stack_size(1 << 20).spawn(|| {
        for source in [
            "(".repeat(100_000),
            "[".repeat(9_000),
            "(".repeat(9_000),
            "-".repeat(9_000) + "1",
            "not ".repeat(2_000) + "1",
            "{a:".repeat(3_000),
            "1".to_owned() + &"+1".repeat(4_900),
            "1".to_owned() + &" ~ 1".repeat(2_400),
            "'x'".to_owned() + &"|upper".repeat(1_600),
            "now".to_owned() + &".a".repeat(4_900),
            "now".to_owned() + &"[0]".repeat(3_300),
            "1".to_owned() + &" if 1 else 1".repeat(800),
            "1".to_owned() + &" or 1".repeat(1_900),
            "1".to_owned() + &"<1".repeat(4_900),
            "1".to_owned() + &"|default(1".repeat(900),
            "uuid(".repeat(2_000),
            "x".repeat(10_000_000),
        ] {
            let template = Template::expression(&source);
            if let Ok(template) = template {
                let _ = template.resolve(&order());
                let _ = template.paths();
            }
        }
        // As deep as is allowed.
        let deepest = "(".repeat(38) + "1" + &")".repeat(38);
        assert_eq!(Template::expression(&deepest).unwrap().resolve(&order()).unwrap(), Some(json!(1)));
        let longest = "1".to_owned() + &" + 1".repeat(148);
        assert_eq!(Template::expression(&longest).unwrap().resolve(&order()).unwrap(), Some(json!(149)));
        let nested = "[".repeat(39) + &"]".repeat(39);
        assert!(Template::expression(&nested).unwrap().resolve(&order()).is_ok());
    });
    deep.unwrap().join().unwrap();
    assert!(complaint(&"(".repeat(MAX_LENGTH + 1)).contains("longer than 10000 characters"));
    assert!(complaint(&"(".repeat(1_000)).contains("nested more than 40 levels deep"));
    assert!(complaint(&("1".to_owned() + &"+1".repeat(1_000))).contains("too many operations in a row"));
}

#[test]
fn what_an_expression_makes_is_bounded_before_it_is_made() {
    let big = context(json!({ "text": "x".repeat(600_000), "list": vec![1; 300_000], "raw": "y".repeat(3 << 20) }));
    for source in [
        "trigger.body.text ~ trigger.body.text",
        "trigger.body.text + trigger.body.text",
        "trigger.body.text | replace('x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')",
        "trigger.body.text | regex_replace('x', trigger.body.text)",
        "trigger.body.text | regex_replace('.+', '$0$0$0$0')",
        "trigger.body.text | html_escape | url_encode | base64 | base64",
        "trigger.body.list | join(trigger.body.text)",
        "[trigger.body.text, trigger.body.text]",
        "{a: trigger.body.text, b: trigger.body.text}",
        "trigger.body.list + trigger.body.list",
        "trigger.body.raw | upper",
        "trigger.body.raw | json",
        "trigger.body.list | csv",
        "1 | pad(100000)",
        "range(1000000)",
        "range(0 - 9007199254740992, 9007199254740992)",
    ] {
        let error = Template::expression(source).unwrap().resolve(&big).unwrap_err();
        assert!(!error.message.is_empty(), "{source}");
    }
    // What is passed on unchanged may be larger than what an expression makes.
    let passed = resolve(json!("{{ trigger.body.raw }}"), &big).unwrap().unwrap();
    assert!(passed.as_str().unwrap().len() > MAX_MADE);
    let many: Vec<Json> = (0..20).map(|_| json!("{{ trigger.body.raw }}")).collect();
    assert!(resolve(json!(many), &big).unwrap_err().message.contains("yield more than 32 MB together"));
    let text = "{{ trigger.body.text }}".repeat(2);
    assert!(resolve(json!(text), &big).unwrap_err().message.contains("more than 1 MB"));
}

#[test]
fn work_is_bounded() {
    let big = context(json!({ "list": (0..100_000).collect::<Vec<i32>>() }));
    let heavy = "[".to_owned() + &"trigger.body.list | sort | first, ".repeat(40) + "]";
    assert!(Template::expression(&heavy).unwrap().resolve(&big).unwrap_err().message.contains("too much work"));
    let once = Template::expression("trigger.body.list | sort(descending=true) | first").unwrap();
    assert_eq!(once.resolve(&big).unwrap(), Some(json!(99_999)));
}

#[test]
fn a_result_cannot_nest_deeper_than_can_be_stored() {
    let mut deep = json!(1);
    for _ in 0..90 {
        deep = Json::Array(vec![deep]);
    }
    let context = context(deep);
    assert!(resolve(json!("{{ trigger.body }}"), &context).is_ok());
    let wrapped = "[".repeat(20) + "trigger.body" + &"]".repeat(20);
    assert!(resolve(json!(format!("{{{{ {wrapped} }}}}")), &context).unwrap_err().message.contains("more than 100 levels deep"));
    let mut field = json!("{{ 1 }}");
    for _ in 0..10_000 {
        field = Json::Array(vec![field]);
    }
    assert!(Template::compile(&field).is_err());
    while let Json::Array(mut items) = field {
        field = items.pop().unwrap_or(Json::Null);
    }
}

#[test]
fn xml_and_json_from_outside_cannot_expand_or_overflow() {
    let bomb = r#"<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><lolz>&lol2;</lolz>"#;
    let context = context(json!({
        "bomb": bomb, "unknown": "<a>&nbsp;</a>", "deep": "<a>".repeat(100_000), "open": "<a><b></b>",
        "twice": "<a b='1' b='2'/>", "json": "[".repeat(100_000), "crossed": "<a><b></a></b>", "text": "hello",
    }));
    for (source, message) in [
        ("trigger.body.bomb | parse_xml", "declares a document type"),
        ("trigger.body.unknown | parse_xml", "uses the entity “&nbsp;”"),
        ("trigger.body.deep | parse_xml", "nests more than 50 elements deep"),
        ("trigger.body.open | parse_xml", "ends before <a> is closed"),
        ("trigger.body.twice | parse_xml", "has the attribute b twice"),
        ("trigger.body.crossed | parse_xml", "not XML that can be read"),
        ("trigger.body.text | parse_xml", "no XML element"),
        ("trigger.body.json | parse_json", "nests more than 128 levels deep"),
        ("{'a b': 1} | xml", "can't be the name of an XML element"),
        ("{a: 'x\\u0000'} | xml", "can't hold the character U+0000"),
    ] {
        let error = Template::expression(source).unwrap().resolve(&context).unwrap_err();
        assert!(error.message.contains(message), "{source}: {error}");
    }
}
