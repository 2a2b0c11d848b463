//! What this machine can do at best: an HTTP server that does nothing, and a PostgreSQL that is given rows in groups.

use super::load::{Measured, Request, micros};
use anyhow::Result;
use axum::{Router, body::Bytes, routing::post};
use sqlx::{Connection, Executor, PgConnection};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// A server that reads the body and answers.
pub async fn hello() -> Result<Request> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let router = Router::new().route("/", post(|body: Bytes| async move { format!("{}\n", body.len()) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Request::post(&url, &serde_json::json!({ "hello": "world" })))
}

/// Rows of `run`, each with a caller who waits for its commit; whatever arrives during a commit is the next group.
pub async fn group_commit(database: &str, callers: usize, lasting: Duration) -> Result<Measured> {
    let mut connection = PgConnection::connect(database).await?;
    connection.execute("create table bench_row (like run including all)").await?;
    let (send, mut receive) = mpsc::unbounded_channel::<(Uuid, oneshot::Sender<()>)>();
    let committer = tokio::spawn(async move {
        let mut group = Vec::new();
        while receive.recv_many(&mut group, 1_024).await > 0 {
            let (ids, tell): (Vec<Uuid>, Vec<_>) = group.drain(..).unzip();
            sqlx::query(
                "insert into bench_row (id, workspace_id, workflow_id, version, shard, trigger_kind, payload)
                 select id, id, id, 1, 0, 1, $2 from unnest($1::uuid[]) id",
            )
            .bind(ids)
            .bind(vec![b'x'; 400])
            .execute(&mut connection)
            .await?;
            for tell in tell {
                // A caller whose time is up is gone.
                let _ = tell.send(());
            }
        }
        Ok::<(), sqlx::Error>(())
    });
    let begun = Instant::now();
    let end = begun + lasting;
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let send = send.clone();
            tokio::spawn(async move {
                let mut all = Vec::new();
                while Instant::now() < end {
                    let sent = Instant::now();
                    let (tell, told) = oneshot::channel();
                    if send.send((Uuid::now_v7(), tell)).is_err() || told.await.is_err() {
                        break;
                    }
                    all.push(micros(sent));
                }
                all
            })
        })
        .collect();
    drop(send);
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await?);
    }
    let took = begun.elapsed();
    committer.await??;
    Ok(Measured::new(all, 0, took))
}
