//! `towpath serve`: opens the database, builds the application, answers requests, and drains when it is told to stop.

use crate::{
    alert,
    app::{self, App},
    auth::setup,
    cli::say,
    config::Config,
    database, hold,
    http_server::{Listening, front_door},
    ingest, people, reachability,
    shutdown::{DRAIN, Shutdown, Signals},
};
use std::time::Duration;

/// Serves until a signal. Everything that it started has stopped when it returns.
///
/// # Errors
/// A sentence that says what keeps the server from running.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    // Before anything takes time: a port in use is the commonest reason not to start.
    let doors = front_door::FrontDoor::open(&config)?;
    let signals = Signals::watch()?;
    let opened = database::open(&config).await?;
    let shutdown = Shutdown::default();
    let served = async {
        let app = app::assemble(config, opened.database.clone(), doors.tls(), shutdown.clone()).await?;
        announce(&app, doors.listening()).await?;
        let (held, alerts) = (app.clone(), alerts(&app, doors.listening()));
        tokio::spawn(async move {
            // What came from a backup tells and starts nothing by itself.
            held.engine.released().await;
            tokio::join!(
                alert::run(alerts),
                ingest::schedule::run(held.clone()),
                ingest::poll::run(held.clone()),
                ingest::failure::run(held.clone())
            );
        });
        tokio::spawn(hold::carry_out(app.clone()));
        tokio::spawn(reachability::keep_looking(app.clone()));
        tokio::spawn(finish_rotation(app.clone()));
        tokio::spawn(people::workspaces::keep_house(app.clone()));
        let drained = tokio::spawn(drain(app.clone(), signals, shutdown.clone()));
        doors.serve(app, shutdown.clone()).await;
        drained.await?
    }
    .await;
    // PostgreSQL goes last: what was under way has been written.
    opened.close().await;
    served
}

/// Runs the embedded PostgreSQL alone until a signal.
///
/// # Errors
/// A sentence that says what keeps it from running.
pub async fn database_alone(config: Config) -> anyhow::Result<()> {
    let signals = Signals::watch()?;
    let alone = database::open_alone(&config).await?;
    say(&format!("PostgreSQL runs. Connect with:\n  {}\nCtrl-C ends it.", alone.psql()));
    signals.first().await;
    alone.stop().await;
    Ok(())
}

/// Waits for a signal, then lets the engine finish what it is doing.
async fn drain(app: App, signals: Signals, shutdown: Shutdown) -> anyhow::Result<()> {
    let signal = tokio::select! {
        signal = signals.first() => signal,
        () = app.engine.lost() => {
            shutdown.begin();
            anyhow::bail!("Another Towpath has taken over this database, so this one stops. Only one may run on a database.");
        }
    };
    tracing::info!("{signal}: finishing what is under way, at most {} seconds", DRAIN.as_secs());
    shutdown.begin();
    app.engine.drain(DRAIN - Duration::from_secs(1)).await;
    Ok(())
}

/// A change of keys that was cut off goes on here.
async fn finish_rotation(app: App) {
    match app.vault.finish_rotation().await {
        Ok(done) => {
            if done.rewrapped + done.resealed > 0 {
                tracing::info!(data_keys = done.rewrapped, secrets = done.resealed, "brought secrets to the newest key");
            }
            for sentence in done.unreadable {
                tracing::error!("{sentence}");
            }
        }
        Err(error) => tracing::warn!(%error, "secrets could not be brought to the newest key; the next start tries again"),
    }
}

/// What tells people of failed runs.
fn alerts(app: &App, listening: &Listening) -> alert::Parts {
    let public_url = match &app.config.server.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => listening.urls().first().map(|address| address.url.clone()).unwrap_or_default(),
    };
    alert::Parts {
        pool: app.pool.clone(),
        clock: app.clock.clone(),
        live: app.live.clone(),
        doors: app.doors.clone(),
        public_url,
    }
}

/// Says where people find the server, and at first start how to make the owner's account.
async fn announce(app: &App, listening: &Listening) -> anyhow::Result<()> {
    let mut lines = vec![format!("Towpath {} is ready.", env!("CARGO_PKG_VERSION"))];
    let public = app.config.server.public_url.iter().map(|url| ("Public", url.as_str().trim_end_matches('/').to_owned()));
    let own = listening.urls().into_iter().map(|address| (address.kind, address.url));
    let urls: Vec<_> = public.chain(own).collect();
    lines.extend(urls.iter().map(|(kind, url)| format!("  {:<14}{url}", format!("{kind}:"))));
    if let (Some(token), Some((_, url))) = (setup::new_token(&app.pool).await?, urls.first()) {
        lines.push(format!("Make the owner's account here (the link works until somebody used it, or until the next start):\n  {url}/setup?token={token}"));
    }
    if app.engine.is_held() {
        let at = urls.first().map(|(_, url)| format!("{url}/settings/restored")).unwrap_or_default();
        lines.push(format!(
            "This instance came from a backup and is held: it takes events, and starts and sends nothing until its owner decides, at {at} or \
             with towpath resume."
        ));
    }
    say(&lines.join("\n"));
    Ok(())
}
