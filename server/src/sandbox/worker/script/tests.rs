use super::*;
use serde_json::{Value as Json, json};
use std::cell::RefCell;

type Answer = (Result<Json, Failure>, Vec<String>);

fn with(code: &str, input: &str, limits: &Limits) -> Answer {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&lines);
    let ran = run(code, input, limits, Rc::new(move |line: &str| log.borrow_mut().push(line.to_owned())), |ran| ran);
    let result = ran.map(|output| serde_json::from_str(output.get()).unwrap());
    (result, Rc::try_unwrap(lines).unwrap().into_inner())
}

fn over(code: &str, input: Json) -> Json {
    with(code, &input.to_string(), &Limits::default()).0.unwrap()
}

fn value(code: &str) -> Json {
    over(code, json!({}))
}

fn wrong(code: &str) -> Failure {
    with(code, "{}", &Limits { time: Duration::from_secs(60), ..Limits::default() }).0.unwrap_err()
}

fn lines(code: &str) -> Vec<String> {
    with(code, "{}", &Limits::default()).1
}

#[test]
fn what_the_body_returns_is_the_output_and_input_is_in_scope() {
    assert_eq!(over("return { total: input.price * input.count };", json!({ "price": 2.5, "count": 4 })), json!({ "total": 10 }));
    assert_eq!(value("return [1, 'two', null, true, { a: [] }]"), json!([1, "two", null, true, { "a": [] }]));
    assert_eq!(value("const x = 1;"), json!(null), "nothing returned is null");
    assert_eq!(value("return undefined"), json!(null));
    assert_eq!(value("// a remark at the end\nreturn 1 // here"), json!(1));
    assert_eq!(value("return { a: undefined, b: 1 }"), json!({ "b": 1 }));
    assert_eq!(value("return new Date(0)"), json!("1970-01-01T00:00:00.000Z"));
    assert_eq!(value("return new Map([['a', new Set([1, 2])]])"), json!({ "a": [1, 2] }));
    assert_eq!(value("return 'a😀b\\u0000'"), json!("a😀b\0"));
    assert_eq!(
        over("return input", json!({ "__proto__": { "x": 1 }, "constructor": 2 })),
        json!({ "__proto__": { "x": 1 }, "constructor": 2 })
    );
}

#[test]
fn promises_are_waited_for() {
    assert_eq!(value("const a = await Promise.all([1, Promise.resolve(2)]); return a.reduce((x, y) => x + y)"), json!(3));
    assert_eq!(value("return Promise.resolve().then(() => 7)"), json!(7));
    assert_eq!(value("async function f(n) { return n === 0 ? 0 : 1 + await f(n - 1) } return await f(100)"), json!(100));
    assert_eq!(wrong("await new Promise(() => {})"), Failure::WaitsForEver);
    assert!(matches!(wrong("await Promise.reject(new Error('no'))"), Failure::Thrown { message, .. } if message == "no"));
}

#[test]
fn numbers_keep_their_digits() {
    let through =
        |number: &str| with("return input.n", &format!("{{\"n\":{number}}}"), &Limits::default()).0.unwrap().to_string();
    for number in ["9007199254740993", "-9223372036854775808", "18446744073709551615", "0.1", "1.5e300", "3", "9007199254740991"]
    {
        assert_eq!(through(number).parse::<f64>().unwrap(), number.parse::<f64>().unwrap());
    }
    assert_eq!(through("9007199254740993"), "9007199254740993");
    assert_eq!(through("18446744073709551615"), "18446744073709551615");
    let long = |code: &str| with(code, "{\"id\":9007199254740993,\"list\":[1,9007199254740995]}", &Limits::default()).0.unwrap();
    assert_eq!(long("return typeof input.id + typeof input.list[0] + typeof input.list[1]"), json!("bigintnumberbigint"));
    assert_eq!(long("return input.id + 1n"), json!(9_007_199_254_740_994_u64));
    assert_eq!(long("return JSON.stringify(input)"), json!("{\"id\":9007199254740993,\"list\":[1,9007199254740995]}"));
    assert_eq!(long("return `${input.id}`"), json!("9007199254740993"));
    assert_eq!(over("return typeof input.text", json!({ "text": "9007199254740993" })), json!("string"), "text stays text");
}

#[test]
fn a_console_writes_lines_as_people_read_them() {
    assert_eq!(lines("console.log('total', 5, { a: [1, 'x'], 'b c': null })"), ["total 5 {a: [1, \"x\"], \"b c\": null}"]);
    assert_eq!(
        lines("console.warn('careful'); console.error(new TypeError('no')); console.info()"),
        ["warning: careful", "error: TypeError: no", ""]
    );
    assert_eq!(
        lines("console.log(undefined, 1n, () => 1, Symbol('s'), new Map([[1, new Set()]]))"),
        ["undefined 1n [function without a name] Symbol(s) Map {1 => Set {}}"]
    );
    assert_eq!(
        lines("const a = {}; a.a = a; console.log(a, Promise.resolve())"),
        ["{a: [circular]} [promise: write await before it]"]
    );
    assert_eq!(lines("console.log('\\ud800')"), ["\u{fffd}"]);
    assert_eq!(lines("console.log({ get x() { throw 1 } })"), ["[can't be shown]"]);
    assert_eq!(
        lines("return { total: NaN, f() {} }"),
        ["\"total\" is NaN, which JSON doesn't know: it became null.", "\"f\" is a function and was left out."]
    );
}

#[test]
fn a_flood_of_lines_is_cut_and_says_so() {
    let many = lines("for (let i = 0; i < 50000; i++) console.log(i)");
    assert_eq!(many.len(), LOG_LINES + 1);
    assert_eq!((many[0].as_str(), many.last().unwrap()), ("0", &explain::log_cut()));
    let long = lines("for (let i = 0; i < 100; i++) console.log('x'.repeat(5000000))");
    assert!(long.iter().map(String::len).sum::<usize>() <= LOG_BYTES + 200 && long.last().unwrap().contains("cut here"));
}

#[test]
fn an_error_says_where_in_the_users_code() {
    let Failure::Thrown { name, message, frames } =
        wrong("const a = 1;\nfunction total(order) {\n  return order.lines.length;\n}\nreturn total({});")
    else {
        panic!()
    };
    assert_eq!(name.as_deref(), Some("TypeError"));
    assert!(message.contains("undefined") && message.contains("length"), "{message}");
    let places: Vec<_> = frames.iter().map(|frame| (frame.function.as_deref(), frame.at.line)).collect();
    assert_eq!(places, [(Some("total"), 3), (None, 5)]);
    assert!(matches!(wrong("x.y"), Failure::Thrown { frames, .. } if frames[0].at == At { line: 1, column: 1 }));
    assert!(
        matches!(wrong("[1].map(() => { throw new RangeError('far') })"), Failure::Thrown { frames, .. } if frames.len() == 2 && frames[0].at.line == 1)
    );
    for (code, shown) in [
        ("throw 'plain'", "plain"),
        ("throw { code: 7 }", "{code: 7}"),
        ("throw undefined", "undefined"),
        ("throw { get message() { throw 1 } }", "[can't be shown]"),
    ] {
        assert_eq!(wrong(code), Failure::Thrown { name: None, message: shown.into(), frames: vec![] }, "{code}");
    }
}

#[test]
fn code_that_can_not_be_read_is_told_with_its_line() {
    let line = |code: &str| match check(code) {
        Some(Failure::Syntax { at, message }) => {
            assert!(!message.is_empty());
            at.map(|at| at.line)
        }
        other => panic!("{code}: {other:?}"),
    };
    assert_eq!(line("const a = 1;\nreturn a +* 2;"), Some(2));
    assert_eq!(line("return {"), Some(1));
    assert_eq!(line("import fs from 'fs'"), Some(1));
    assert_eq!(line("if (true) {\n  return 1;\n"), Some(2));
    assert_eq!(line("a\0b"), None);
    assert_eq!(check("while (true) {}\nreturn 1"), None, "it is not run");
    assert_eq!(check(""), None);
}

#[test]
fn what_goes_beyond_a_limit_is_stopped_and_says_which() {
    let hasty = Limits { time: Duration::from_millis(200), ..Limits::default() };
    for loops in [
        "while (true) {}",
        "for (;;) { try { while (true) {} } catch {} finally { continue } }",
        "await (async () => { while (true) await null })()",
        "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "return { toJSON() { while (true) {} } }",
    ] {
        assert_eq!(with(loops, "{}", &hasty).0, Err(Failure::TookTooLong), "{loops}");
    }
    for hungry in [
        "const a = []; while (true) a.push('x'.repeat(1000) + a.length)",
        "new Array(1e9).fill({})",
        "let s = 'x'; while (true) s += s",
        "const o = {}; for (let i = 0; ; i++) o['k' + i] = {}",
    ] {
        assert_eq!(wrong(hungry), Failure::NeededTooMuch, "{hungry}");
    }
    assert_eq!(wrong("return 'x'.repeat(6000000)"), Failure::GaveTooMuch);
    assert_eq!(wrong("return Array.from({ length: 900000 }, (_, i) => ({ name: 'item', i }))"), Failure::GaveTooMuch);
    assert!(matches!(wrong("function f() { f() } f()"), Failure::Thrown { message, .. } if message.contains("call stack")));
    assert!(matches!(wrong("let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a"), Failure::NotJson { .. }));
    assert!(matches!(wrong("const a = {}; a.a = a; return a"), Failure::NotJson { .. }));
}

#[test]
fn the_world_has_the_language_and_nothing_else() {
    let names = [
        "require",
        "process",
        "std",
        "os",
        "bjson",
        "scriptArgs",
        "fetch",
        "setTimeout",
        "XMLHttpRequest",
        "Worker",
        "performance",
        "print",
        "Deno",
        "Bun",
        "WebAssembly",
        "loadScript",
        "load",
        "read",
        "quit",
        "gc",
    ];
    for name in names {
        assert_eq!(value(&format!("return typeof {name}")), json!("undefined"), "{name}");
    }
    assert!(matches!(wrong("await import('os')"), Failure::Thrown { .. }));
    assert!(matches!(wrong("await import('file:///etc/passwd')"), Failure::Thrown { .. }));
    // The constructor of functions makes functions of this world.
    assert_eq!(
        value("return (function () {}).constructor('return typeof process + typeof this.console')()"),
        json!("undefinedobject")
    );
    assert_eq!(value("return eval('1 + 1')"), json!(2));
    assert_eq!(value("return new Date(0).getTimezoneOffset() === new Date(0).getTimezoneOffset()"), json!(true));
}

#[test]
fn nothing_of_one_execution_is_there_in_the_next() {
    value(
        "Object.prototype.polluted = 1; Array.prototype.map = () => 'mine'; globalThis.left = 1; JSON.stringify = () => '0'; console.log = null; return 1",
    );
    assert_eq!(
        value("return [typeof ({}).polluted, [1].map((x) => x + 1), typeof left]"),
        json!(["undefined", [2], "undefined"])
    );
}

#[test]
fn code_that_changes_the_language_harms_only_itself() {
    assert_eq!(value("JSON.stringify = () => 'mine'; JSON.parse = null; return { a: 1 }"), json!({ "a": 1 }));
    assert_eq!(lines("String.prototype.toWellFormed = () => 7; console.log('x')"), ["x"]);
    assert!(matches!(
        with("Error.prepareStackTrace = () => { throw 1 }; null.x", "{}", &Limits::default()).0,
        Err(Failure::Thrown { .. })
    ));
    assert!(
        matches!(wrong("class Odd extends Error { get stack() { throw 1 } get name() { return 7 } }\nthrow new Odd('m')"), Failure::Thrown { message, .. } if message == "m")
    );
}

#[test]
fn the_pages_examples_give_what_they_say() {
    let page = include_str!("../../../../../docs/code-step.md");
    let examples = page.split("## Examples").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut blocks = examples.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap());
    let mut count = 0;
    while let Some((_, input)) = blocks.next() {
        let ((language, code), (_, output)) = (blocks.next().unwrap(), blocks.next().unwrap());
        assert_eq!(language, "js", "{code}");
        let (result, _) = with(code, input, &Limits::default());
        assert_eq!(result.unwrap(), serde_json::from_str::<Json>(output).unwrap(), "{code}");
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn every_limit_of_the_page_is_said_as_it_is_told() {
    let page = include_str!("../../../../../docs/code-step.md");
    let second = Duration::from_secs(10);
    for failure in [Failure::TookTooLong, Failure::NeededTooMuch, Failure::GaveTooMuch] {
        let said = explain::failure(&failure, second, second).message;
        assert!(page.contains(&format!("| {said} |")), "{said}");
    }
    let deep = wrong("let n = 0;\nfunction f() {\n  return f(++n);\n}\nf()");
    let said = explain::failure(&deep, second, second).message;
    assert!(page.contains(&said), "{said}");
}
