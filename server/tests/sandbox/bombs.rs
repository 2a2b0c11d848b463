//! Code that doesn't end, or wants too much: stopped by the child itself where that hears, by its end where it doesn't.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
/// For what is stopped by another limit than time, also on a machine that is busy.
const AMPLE: Duration = Duration::from_secs(30);

async fn error(desk: &Desk, code: &str, limit: Duration) -> StepError {
    desk.run(code, json!({}), limit).await.expect_err(code)
}

#[tokio::test]
async fn what_breaks_a_limit_is_stopped_in_time_and_the_next_code_runs() {
    let _beside = PROCESSES.read().await;
    let sandbox = sandbox(2);
    let desk = Desk::new(&sandbox);
    let table = [
        ("while (true) {}", "took longer than 1s"),
        // No interrupt reaches these: only the end of the process does.
        ("const a = []; a.length = 2 ** 32 - 1; a.join('')", "took longer than 1s"),
        ("const a = []; a.length = 2 ** 32 - 1; return a.indexOf(7)", "took longer than 1s"),
        ("/^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(60))", "took longer than 1s"),
        ("const a = []; while (true) a.push(new Array(1000).fill(a.length))", "more than 128 MB"),
        ("let s = 'x'; while (true) s += s", "more than 128 MB"),
        ("return new Uint8Array(2 ** 31)", "invalid array buffer length"),
        ("return new Uint8Array(150000000)", "more than 128 MB"),
        ("function f(n) { return f(n + 1) } f(0)", "call stack"),
        ("return 'x'.repeat(5 * 1024 * 1024 + 1)", "more than 5 MB"),
        ("let a = 1; for (let i = 0; i < 129; i++) a = [a]; return a", "nests more than 128 levels deep"),
        ("let a = 1; for (let i = 0; i < 200000; i++) a = { a }; return a", "nests too deep"),
    ];
    for (code, words) in table {
        let begun = Instant::now();
        let time = if words.contains("1s") { SECOND } else { AMPLE };
        let error = error(&desk, code, time).await;
        assert!(error.message.contains(words), "{code}: {error:?}");
        assert_eq!(error.kind, towpath_engine::error::ErrorKind::InvalidInput, "{code}: never tried again");
        assert!(begun.elapsed() < time + Duration::from_secs(20), "{code}: {:?}", begun.elapsed());
        assert_eq!(desk.value("return 1").await, json!(1), "after {code}");
    }
}

#[tokio::test]
async fn what_was_logged_before_the_end_is_kept_and_a_flood_is_cut() {
    let _beside = PROCESSES.read().await;
    let sandbox = sandbox(1);
    let desk = Desk::new(&sandbox);
    error(&desk, "console.log('one'); const a = []; a.length = 2 ** 32 - 1; a.join('')", SECOND).await;
    assert_eq!(desk.log(), ["one"]);
    error(&desk, "while (true) console.log('again and again')", SECOND).await;
    let log = desk.log();
    assert_eq!(log.len(), 1_001);
    assert!(log[1_000].contains("the log was cut here"), "{}", log[1_000]);
    desk.value("for (let i = 0; i < 300; i++) console.log('x'.repeat(100000)); return 1").await;
    assert!(desk.log().iter().map(String::len).sum::<usize>() < 200 << 10);
}

#[tokio::test]
async fn values_pass_through_real_pipes_unchanged() {
    let _beside = PROCESSES.read().await;
    let sandbox = sandbox(1);
    let desk = Desk::new(&sandbox);
    let long: Vec<Json> =
        (0..50_000_u64).map(|n| json!({ "id": 9_007_199_254_740_993_u64 + n, "name": "Ada “Lovelace” 😀" })).collect();
    let input = json!({ "list": long, "empty": {}, "nothing": null, "odd": "\u{0}\u{fffd}</script>" });
    let back = desk.run("return input", input.clone(), Duration::from_secs(30)).await.unwrap();
    assert_eq!(back, input);
    let error = desk
        .run("const x = 1;\nfunction deep() { return input.missing.name }\nreturn deep()", json!({}), PATIENCE)
        .await
        .unwrap_err();
    assert!(error.message.starts_with("The code stopped on line 2:"), "{error:?}");
    assert_eq!(desk.log()[1..], ["    at line 3, column 8"], "the way to it is in the log");
}

#[tokio::test]
async fn nothing_stays_in_a_child_between_two_of_its_jobs() {
    let _beside = PROCESSES.read().await;
    let sandbox = sandbox(1);
    let desk = Desk::new(&sandbox);
    desk.value("Object.prototype.mine = 'left'; globalThis.secret = 42; Array.prototype.toJSON = () => 1; return 1").await;
    assert_eq!(desk.value("return [typeof ({}).mine, typeof secret]").await, json!(["undefined", "undefined"]));
}

#[tokio::test]
async fn code_is_read_beforehand_and_its_line_is_named() {
    let _beside = PROCESSES.read().await;
    let sandbox = sandbox(1);
    assert_eq!(sandbox.check("return input.total * 2").await, None);
    let complaint = sandbox.check("const a = 1;\nreturn a +;").await.unwrap().0;
    assert!(complaint.starts_with("The code can't be read, line 2: "), "{complaint}");
    assert_eq!(sandbox.check("const a = 1;\nreturn a +;").await.unwrap().0, complaint, "asked again");
}
