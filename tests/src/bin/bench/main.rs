//! How fast the real binary is, beside the machine's own limits in the same run: `make bench`.
//!
//! Every figure is checked: what was answered with a 2xx is what is in the database, and each run ended once. The load, the server and a
//! PostgreSQL with fsync on share this machine, so the figures are lower bounds; read the ratios.

mod limits;
mod load;

use anyhow::{Context, Result, ensure};
use load::{Measured, Request};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use towpath_tests::{Person, Settings, TestApp, postgres::Cluster, receiver::Receiver};

/// How long each load lasts, unless TOWPATH_BENCH_SECONDS says otherwise.
const SECONDS: u64 = 5;
/// How long the last runs may take to end after the load.
const SETTLE: Duration = Duration::from_secs(60);

struct Row {
    what: &'static str,
    connections: usize,
    measured: Measured,
    /// Runs that ended, a second, the time to settle included; `None` where nothing runs.
    runs: Option<f64>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let seconds = std::env::var("TOWPATH_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let lasting = Duration::from_secs(seconds);
    let cluster = Cluster::start(true).await?;
    let mut rows = Vec::new();

    let hello = limits::hello().await?;
    for connections in [1, 10, 50] {
        let measured = load::run(&hello, connections, lasting).await?;
        rows.push(Row { what: "axum hello world", connections, measured, runs: None });
    }
    for connections in [1, 10, 50] {
        let measured = limits::group_commit(&cluster.database().await?, connections, lasting).await?;
        rows.push(Row { what: "group-committed insert of the row", connections, measured, runs: None });
    }

    let app = TestApp::start_with(Settings { database_url: Some(cluster.database().await?), ..Settings::default() }).await;
    let pool = app.database().await;
    let owner = app.owner().await;
    let service = Receiver::start().await;
    let set = json!({ "id": "sum", "use": "set", "input": { "fields": {
        "total": "{{ trigger.body.total }}", "name": "{{ trigger.body.name | upper }}", "label": "Order {{ trigger.body.id }}"
    } } });
    let respond =
        json!({ "id": "answer", "use": "respond", "input": { "kind": "json", "json": { "total": "{{ steps.sum.total }}" } } });
    let call = json!({ "id": "call", "use": "http.request", "input": { "method": "GET", "url": service.url } });
    let cases: [(&'static str, &str, Vec<Value>, &[usize]); 3] = [
        ("webhook, Set, end", "at_once", vec![set.clone()], &[1, 10, 50]),
        ("synchronous webhook, Set, Respond", "when_done", vec![set.clone(), respond], &[1, 10, 50]),
        ("webhook, HTTP, Set, end", "at_once", vec![call, set], &[1, 10, 50]),
    ];
    for (what, respond, steps, connections) in cases {
        let hook = publish(&owner, what, respond, &steps).await;
        for connections in connections {
            rows.push(
                measure(&pool, what, &hook, *connections, lasting).await.with_context(|| format!("{what} × {connections}"))?,
            );
        }
    }
    print(&rows);
    Ok(())
}

async fn publish(owner: &Person, name: &str, respond: &str, steps: &[Value]) -> Request {
    let trigger = json!({ "use": "webhook", "input": { "respond": respond } });
    let draft = owner.publish(&json!({ "name": name, "trigger": trigger, "steps": steps })).await;
    let body = json!({ "id": 1042, "name": "Ann Example", "total": 129.5, "items": [{ "sku": "A-1", "count": 2 }, { "sku": "B-7", "count": 1 }] });
    Request::post(draft.hook(), &body)
}

/// Loads a hook, waits until every run has ended, and compares what was answered with what is stored.
async fn measure(pool: &PgPool, what: &'static str, hook: &Request, connections: usize, lasting: Duration) -> Result<Row> {
    load::run(hook, connections, Duration::from_millis(500)).await?;
    settle(pool).await?;
    let before = counts(pool).await?;
    let begun = Instant::now();
    let measured = load::run(hook, connections, lasting).await?;
    settle(pool).await?;
    let took = begun.elapsed();
    let after = counts(pool).await?;
    let answered = i64::try_from(measured.answered)?;
    ensure!(measured.failed == 0, "{} requests were not answered with a 2xx", measured.failed);
    ensure!(after.0 - before.0 == answered, "{answered} were accepted and {} stored", after.0 - before.0);
    ensure!(after.1 - before.1 == answered, "{answered} were accepted and {} ended", after.1 - before.1);
    ensure!(after.2 == before.2, "{} did not succeed", after.2 - before.2);
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let runs = measured.answered as f64 / took.as_secs_f64();
    Ok(Row { what, connections, measured, runs: Some(runs) })
}

/// Runs, ends, and ends other than succeeded.
async fn counts(pool: &PgPool) -> Result<(i64, i64, i64)> {
    let sql =
        "select (select count(*) from run), (select count(*) from run_end), (select count(*) from run_end where state <> 1)";
    Ok(sqlx::query_as(sql).fetch_one(pool).await?)
}

async fn settle(pool: &PgPool) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < SETTLE {
        let live: i64 = sqlx::query_scalar("select count(*) from job").fetch_one(pool).await?;
        if live == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("runs are still live after {SETTLE:?}")
}

#[allow(clippy::print_stdout, reason = "the figures are what this program is for")]
fn print(rows: &[Row]) {
    let limit = |connections: usize| {
        let same = |row: &&Row| row.runs.is_none() && row.connections == connections && row.what.starts_with("group");
        rows.iter().find(same).map(|row| row.measured.per_second())
    };
    println!("{:<36} {:>5} {:>10} {:>10} {:>9} {:>9} {:>9}", "", "conns", "answers/s", "runs/s", "p50 ms", "p99 ms", "of limit");
    for row in rows {
        let runs = row.runs.map_or("–".into(), |runs| format!("{runs:.0}"));
        let share =
            row.runs.zip(limit(row.connections)).map_or("–".into(), |(runs, limit)| format!("{:.0} %", 100.0 * runs / limit));
        println!(
            "{:<36} {:>5} {:>10.0} {:>10} {:>9.2} {:>9.2} {:>9}",
            row.what,
            row.connections,
            row.measured.per_second(),
            runs,
            row.measured.percentile(0.5),
            row.measured.percentile(0.99),
            share
        );
    }
    println!(
        "\nrunning: accepted = stored = ended = succeeded in each line. \"of limit\": runs/s beside the group-committed insert."
    );
}
