//! `towpath doctor`: looks at an installation and says what it finds. It changes nothing. The exit code is 1 when something is broken.
//! `towpath healthcheck` asks the running server whether it is alive, for a container's health check.

use super::say;
use crate::{
    clock::Clock,
    config::{Config, server::Listen},
    database::{self, Manner, migrate},
    http_server::front_door,
    reachability::{Finding, State, judge, look},
    sandbox::{self, Sandbox, worker::walls},
};
use anyhow::{Context, bail};
use sqlx::{Connection, PgConnection};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Less is little for a database that grows.
const LITTLE: u64 = 2 << 30;
/// How long the running server may take.
const LIMIT: Duration = Duration::from_secs(4);

/// Looks at everything that can be looked at from here.
pub async fn doctor(config: Config) -> anyhow::Result<()> {
    let mut findings = vec![version(), keys(&config), disk(&config)];
    if let Err(error) = front_door::check(&config) {
        findings.push(bad("Certificate", error.to_string(), "Mend the files that are named."));
    }
    findings.push(match alive(&config).await {
        Ok(()) => good("Server", "It runs and answers on its own address."),
        Err(error) => {
            Finding { state: State::Warning, ..bad("Server", format!("{error:#}"), "Start it, if it is meant to run.") }
        }
    });
    findings.extend(code().await);
    findings.extend(database(&config).await);
    for finding in &findings {
        let mark = match finding.state {
            State::Good => "ok  ",
            State::Warning => "look",
            State::Bad => "BAD ",
            State::Unknown => "?   ",
        };
        say(&format!("{mark}  {:<17} {}", finding.about, finding.said));
        if let Some(advice) = &finding.advice {
            say(&format!("      {:<17} → {advice}", ""));
        }
    }
    if findings.iter().any(|finding| finding.state == State::Bad) { bail!("Something is broken: see above.") } else { Ok(()) }
}

/// Succeeds when the server of these settings is alive.
pub async fn healthcheck(config: Config) -> anyhow::Result<()> {
    alive(&config).await
}

fn good(about: &'static str, said: impl Into<String>) -> Finding {
    Finding { about, state: State::Good, said: said.into(), advice: None }
}

fn bad(about: &'static str, said: impl Into<String>, advice: &str) -> Finding {
    Finding { about, state: State::Bad, said: said.into(), advice: Some(advice.to_owned()) }
}

fn version() -> Finding {
    good("Version", format!("Towpath {}.", env!("CARGO_PKG_VERSION")))
}

fn keys(config: &Config) -> Finding {
    const ABOUT: &str = "Key file";
    let path = &config.data.key_file;
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Finding {
            state: State::Warning,
            ..bad(
                ABOUT,
                format!("Other users of this machine may read {}.", path.display()),
                &format!("chmod 600 {}", path.display()),
            )
        },
        Ok(_) => Finding {
            advice: Some("Keep a copy apart from the backups: towpath keys export FILE".to_owned()),
            ..good(ABOUT, format!("{} is there.", path.display()))
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Finding {
            state: State::Unknown,
            advice: Some("It is made at first start. If this instance has secrets, put your copy there.".to_owned()),
            ..good(ABOUT, format!("{} is not there.", path.display()))
        },
        Err(error) => {
            bad(ABOUT, format!("{} can't be read: {error}.", path.display()), "Run this as the user that the server runs as.")
        }
    }
}

fn disk(config: &Config) -> Finding {
    const ABOUT: &str = "Disk";
    let folder = config.data.directory.ancestors().find(|folder| folder.exists()).unwrap_or(&config.data.directory);
    match rustix::fs::statvfs(folder) {
        Ok(stats) => {
            let free = stats.f_bavail * stats.f_frsize;
            let said = format!("{} MB are free at {}.", free >> 20, folder.display());
            if free < LITTLE {
                Finding { state: State::Warning, ..bad(ABOUT, said, "Below 1024 MB events are refused. Make room.") }
            } else {
                good(ABOUT, said)
            }
        }
        Err(error) => bad(ABOUT, format!("{} can't be looked at: {error}.", folder.display()), "Check the data directory."),
    }
}

/// Which walls stand around users' code: a process for it is started, and tries them.
async fn code() -> Vec<Finding> {
    const ABOUT: &str = "Code steps";
    let (walls, tried) = match Sandbox::new(sandbox::Settings::default()).probe().await {
        Ok(found) => found,
        Err(error) => {
            return vec![bad(
                ABOUT,
                format!("{} It says: {error}", "No code can be run."),
                "Workflows with code steps fail until this is mended.",
            )];
        }
    };
    let weak = |what: String, said: &str| Finding {
        state: State::Warning,
        advice: Some(
            "Code that people write into workflows is less confined here than it could be; docs/code-step.md says how."
                .to_owned(),
        ),
        ..good(ABOUT, format!("{what}: {said}"))
    };
    let mut findings: Vec<_> = walls
        .iter()
        .filter(|wall| !wall.is_up)
        .map(|wall| match wall.name.as_str() {
            // One of two walls in the same place: a container rarely has this one, and sockets are refused without it.
            walls::NETWORK if tried.iter().all(|one| one.refused) => {
                good(ABOUT, format!("No network of its own: {}. What tries to open one is refused all the same.", wall.said))
            }
            name => weak(format!("The wall “{name}” isn't up"), &format!("{}.", wall.said)),
        })
        .collect();
    findings.extend(
        tried
            .iter()
            .filter(|one| !one.refused)
            .map(|one| Finding { state: State::Bad, ..weak(format!("Code could {}", one.what), &format!("{}.", one.said)) }),
    );
    let refused: Vec<_> = tried.iter().filter(|one| one.refused).map(|one| one.what.as_str()).collect();
    findings.insert(0, good(ABOUT, format!("Tried and refused: {}.", refused.join(", "))));
    let up: Vec<_> = walls.iter().filter(|wall| wall.is_up).map(|wall| wall.said.as_str()).collect();
    findings.insert(1, good(ABOUT, up.join(" ")));
    findings
}

async fn database(config: &Config) -> Vec<Finding> {
    const ABOUT: &str = "Database";
    let opened = match database::open_as(config, Manner::LOOK).await {
        Ok(opened) => opened,
        Err(error) => return vec![bad(ABOUT, format!("{error:#}"), "Mend what is said; the server does not start without it.")],
    };
    let mut findings = looked_at(&opened.database.options)
        .await
        .unwrap_or_else(|error| vec![bad(ABOUT, format!("{error:#}."), "Check DATABASE_URL and the server's log.")]);
    let current = findings.iter().all(|finding| finding.about != "Schema" || finding.state == State::Good);
    if current {
        let clock = Clock::system();
        let mut facts = look::facts(&opened.database.pool, &clock, config, None).await;
        facts.certificate = shown(config);
        findings.extend(judge::report(&facts, clock.now()).findings);
    }
    opened.close().await;
    findings
}

/// The certificate that the server shows, where it is in files of ours.
fn shown(config: &Config) -> Option<std::sync::Arc<crate::tls::certificate::Facts>> {
    use crate::config::tls::Source;
    match &config.server.tls.source {
        Source::Files(files) => files.load().ok().map(|shown| shown.facts),
        Source::Acme(settings) => crate::tls::acme::kept(settings, &config.data.directory.join("acme")).map(|shown| shown.facts),
        Source::None => None,
    }
}

async fn looked_at(options: &sqlx::postgres::PgConnectOptions) -> anyhow::Result<Vec<Finding>> {
    let mut connection = PgConnection::connect_with(options).await.context("PostgreSQL does not answer")?;
    let (version, fsync, synchronous, checksums): (String, String, String, String) = sqlx::query_as(
        "select current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
         current_setting('data_checksums')",
    )
    .fetch_one(&mut connection)
    .await?;
    let bytes: i64 = sqlx::query_scalar("select pg_database_size(current_database())").fetch_one(&mut connection).await?;
    let mut findings = vec![good("Database", format!("PostgreSQL {version}, {} MB of data.", bytes >> 20))];
    findings.push(match (fsync.as_str(), synchronous.as_str()) {
        ("on", "off") => bad(
            "Durability",
            "synchronous_commit is off: what was acknowledged can be lost when the machine fails.",
            "Turn it on in PostgreSQL's configuration.",
        ),
        ("on", _) => good("Durability", "What is committed is on disk (fsync is on)."),
        _ => bad(
            "Durability",
            "fsync is off: a failure of the machine can destroy the database.",
            "Turn it on in PostgreSQL's configuration.",
        ),
    });
    if checksums != "on" {
        findings.push(Finding {
            about: "Checksums",
            state: State::Warning,
            said: "The database has no checksums, so a failing disk is noticed late.".to_owned(),
            advice: Some("With PostgreSQL stopped: pg_checksums --enable".to_owned()),
        });
    }
    findings.push(match migrate::plan(&mut connection).await {
        Ok(plan) if plan.pending.is_empty() => good("Schema", "It is this version's."),
        Ok(plan) => Finding {
            state: State::Warning,
            advice: Some("The next start applies them, after a snapshot; towpath migrate --check lists them.".to_owned()),
            ..good("Schema", format!("{} migrations are to be applied.", plan.pending.len()))
        },
        Err(error) => bad("Schema", format!("{error:#}"), "Start the Towpath that fits."),
    });
    let _ = connection.close().await;
    Ok(findings)
}

/// Asks the server of these settings, on its own address.
async fn alive(config: &Config) -> anyhow::Result<()> {
    let address = match config.server.listen {
        Listen::Everywhere { port } => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
        Listen::On(address) if address.ip().is_unspecified() => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port()),
        Listen::On(address) => address,
    };
    let asked = async {
        #[allow(clippy::disallowed_methods, reason = "the server's own address from its own settings; nobody else chooses it")]
        let mut stream = TcpStream::connect(address).await?;
        // Also where https is spoken: plain requests for this are answered there.
        stream.write_all(format!("GET /livez HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    match timeout(LIMIT, asked).await {
        Ok(Ok(answer)) if answer.starts_with(b"HTTP/1.1 200") => Ok(()),
        Ok(Ok(_)) => bail!("What answers on {address} is not a healthy Towpath."),
        Ok(Err(error)) => bail!("Nothing answers on {address}: {error}."),
        Err(_) => bail!("Nothing answers on {address} within {} seconds.", LIMIT.as_secs()),
    }
}
