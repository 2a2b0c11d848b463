//! Code that takes all the time it may get doesn't keep others from theirs.

use super::*;
use futures_util::{StreamExt, stream::FuturesUnordered};

#[tokio::test]
async fn a_workspace_with_twenty_endless_pieces_of_code_keeps_nobody_waiting_for_all_of_them() {
    let _beside = PROCESSES.read().await;
    let sandbox = sandbox(2);
    let (busy, calm) = (Desk::new(&sandbox), Desk::new(&sandbox));
    let mut endless: FuturesUnordered<_> =
        (0..20).map(|_| busy.run("while (true) {}", json!({}), Duration::from_millis(700))).collect();
    let asked = async {
        // All of them wait or run by now: each was polled once before this.
        tokio::task::yield_now().await;
        let begun = Instant::now();
        calm.value("return 1").await;
        begun.elapsed()
    };
    tokio::pin!(asked);
    let mut done = 0;
    let waited = loop {
        tokio::select! {
            biased;
            Some(result) = endless.next() => {
                assert!(result.unwrap_err().message.contains("took longer"));
                done += 1;
            }
            waited = &mut asked => break waited,
        }
    };
    // Its turn came as soon as one of the first two was over, not after all twenty.
    assert!(done <= 6, "{done} were done before");
    assert!(waited < Duration::from_secs(20), "{waited:?}");
}

#[tokio::test]
async fn who_gets_no_turn_in_his_time_is_told_and_may_try_again() {
    let _beside = PROCESSES.read().await;
    let sandbox = sandbox(1);
    let (busy, late) = (Desk::new(&sandbox), Desk::new(&sandbox));
    let endless = busy.run("while (true) {}", json!({}), Duration::from_secs(5));
    let input = towpath_engine::Object::new();
    let waiting = async {
        tokio::task::yield_now().await;
        let deadline = Instant::now() + Duration::from_secs(2);
        late.door
            .run(Script { code: "return 1", input: &input, limit: Duration::from_secs(1), deadline, trace: &late.trace })
            .await
    };
    let (_, told) = tokio::join!(endless, waiting);
    let error = told.unwrap_err();
    assert_eq!(error.kind, towpath_engine::error::ErrorKind::Unavailable, "{error:?}");
    assert!(error.message.starts_with("Other code was running"), "{error:?}");
}

#[tokio::test]
async fn many_quick_pieces_of_code_share_few_children() {
    let _beside = PROCESSES.read().await;
    let sandbox = sandbox(2);
    let desk = Desk::new(&sandbox);
    desk.value("return 1").await;
    let begun = Instant::now();
    let results =
        futures_util::future::join_all((0..200).map(|n| desk.run("return input.n * 2", json!({ "n": n }), PATIENCE))).await;
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result.unwrap(), json!(n * 2));
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    let mut alone = Vec::new();
    for _ in 0..100 {
        let begun = Instant::now();
        desk.value("return 1").await;
        alone.push(begun.elapsed());
    }
    alone.sort();
    eprintln!("200 pieces of code in {took:?}; one by itself: p50 {:?}, p99 {:?}", alone[50], alone[98]);
}
