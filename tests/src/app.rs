//! A server process under test: started from the real binary, killed for real, started again on the same data.

use crate::{Person, free_port, postgres, until};
use std::{
    io::Write,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A running Towpath on a database of its own.
pub struct TestApp {
    /// `http://127.0.0.1:port`
    pub url: String,
    pub port: u16,
    pub database_url: String,
    settings: Settings,
    folder: PathBuf,
    child: Mutex<Option<Child>>,
    log: Arc<Mutex<Vec<u8>>>,
}

/// What a test changes about a server before it starts.
#[derive(Clone, Default)]
pub struct Settings {
    pub environment: Vec<(String, String)>,
    /// Another PostgreSQL than the shared one.
    pub database_url: Option<String>,
    /// No such server at all: Towpath runs its own PostgreSQL, on a disk of this many megabytes.
    pub own_small_disk: Option<u32>,
    /// A database without any schema, in place of one with the current schema.
    pub empty_database: bool,
    /// The process is not started: the test does that with [`TestApp::boot`].
    pub never_started: bool,
    /// Errors in the log that this test provokes: lines that hold one of these texts are fine.
    pub expected_errors: Vec<&'static str>,
}

impl Settings {
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.environment.push((key.into(), value.into()));
        self
    }

    #[must_use]
    pub fn expect_error(mut self, text: &'static str) -> Self {
        self.expected_errors.push(text);
        self
    }
}

/// A command that ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    /// What it printed for whoever reads its output.
    pub output: String,
    /// What it said beside that.
    pub errors: String,
}

/// The binary under test: what `TOWPATH_BIN` names.
fn binary() -> PathBuf {
    std::env::var_os("TOWPATH_BIN")
        .map(PathBuf::from)
        .expect("TOWPATH_BIN names the binary to test; `make test` builds it and sets this")
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub async fn start_with(settings: Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database_url = match &settings.database_url {
            Some(url) => url.clone(),
            None if settings.own_small_disk.is_some() => String::new(),
            None if settings.empty_database => postgres::shared().await.empty_database().await.expect("a database of its own"),
            None => postgres::shared().await.database().await.expect("a database of its own"),
        };
        let folder =
            std::env::temp_dir().join(format!("towpath-app-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&folder).expect("a data folder");
        // Bound and let go: the port is free until somebody takes it in the next milliseconds, which a second try mends.
        let listen = settings.environment.iter().rev().find(|(key, _)| key == "TOWPATH_LISTEN").map(|(_, value)| value.as_str());
        let port = listen.and_then(|listen| listen.rsplit(':').next()?.parse().ok()).unwrap_or_else(free_port);
        let app = Self {
            url: format!("http://127.0.0.1:{port}"),
            port,
            database_url,
            settings,
            folder,
            child: Mutex::default(),
            log: Arc::default(),
        };
        if !app.settings.never_started {
            app.boot().await;
        }
        app
    }

    /// Its data directory.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Starts the process and waits until it says that it is ready.
    pub async fn boot(&self) {
        let mut command = match self.settings.own_small_disk {
            Some(megabytes) => {
                let script = format!("exec '{}' serve", binary().display());
                crate::small_disk::command(&self.folder, megabytes, &script)
            }
            None => Command::new(binary()),
        };
        command.env_clear().env("DISK", &self.folder);
        if self.settings.own_small_disk.is_none() {
            command.env("DATABASE_URL", &self.database_url);
        }
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TOWPATH_DATA", &self.folder)
            .env("TOWPATH_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("TOWPATH_EGRESS_ALLOW", "127.0.0.1/32")
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (key, value) in &self.settings.environment {
            command.env(key, value);
        }
        let mut child = command.spawn().expect("the server starts");
        self.drain(child.stdout.take().expect("piped"));
        self.drain(child.stderr.take().expect("piped"));
        *self.child.lock().expect("unpoisoned") = Some(child);
        until("the server is ready", Duration::from_secs(30), || async {
            // The lock is let go of before this panics: the drop that follows takes it.
            let ended = self.child.lock().expect("unpoisoned").as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = ended {
                panic!("the server ended at start ({status}):\n{}", self.log());
            }
            reqwest::get(format!("{}/readyz", self.url)).await.ok().filter(|answer| answer.status().is_success()).map(|_| ())
        })
        .await;
    }

    fn drain(&self, mut from: impl std::io::Read + Send + 'static) {
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                log.lock().expect("unpoisoned").extend_from_slice(&buffer[..n]);
            }
        });
    }

    /// A process that sees the server's small disk, and where that is.
    pub fn small_disk(&self) -> (u32, PathBuf) {
        let pid = self.child.lock().expect("unpoisoned").as_ref().expect("the server runs").id();
        (pid, self.folder.clone())
    }

    /// The number of the server's process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.lock().expect("unpoisoned").as_ref().map(Child::id)
    }

    /// kill -9.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().expect("unpoisoned").take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and the exit code.
    pub fn stop(&self) -> Option<i32> {
        let mut child = self.child.lock().expect("unpoisoned").take()?;
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server runs");
        child.wait().ok()?.code()
    }

    /// Runs the same binary's command line against the same database; returns whether it went well, and what it printed.
    pub fn cli(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let ended = self.command(arguments, &[], input);
        (ended.code == Some(0), format!("{}{}", ended.output, ended.errors))
    }

    /// The same, with more variables, and its two streams apart.
    pub fn command(&self, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Ended {
        let mut child = Command::new(binary())
            .args(arguments)
            // For the tests; to the program it would be a setting that it does not know.
            .env_remove("TOWPATH_BIN")
            .env("DATABASE_URL", &self.database_url)
            .env("TOWPATH_DATA", &self.folder)
            .env("TOWPATH_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("TOWPATH_EGRESS_ALLOW", "127.0.0.1/32")
            .envs(self.settings.environment.iter().map(|(key, value)| (key, value)))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        // A command that takes no input may have ended.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let ended = child.wait_with_output().expect("the command ends");
        Ended {
            code: ended.status.code(),
            output: String::from_utf8_lossy(&ended.stdout).into_owned(),
            errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
        }
    }

    /// Runs the binary's command line as [`TestApp::cli`] does, and kills it after this long.
    pub fn cli_killed(&self, arguments: &[&str], after: Duration) {
        let mut child = Command::new(binary())
            .args(arguments)
            .env("DATABASE_URL", &self.database_url)
            .env("TOWPATH_DATA", &self.folder)
            .env("TOWPATH_LISTEN", format!("127.0.0.1:{}", self.port))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        std::thread::sleep(after);
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// What the process printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().expect("unpoisoned")).into_owned()
    }

    /// A connection pool to the server's own database, to look at what is really stored.
    pub async fn database(&self) -> sqlx::PgPool {
        sqlx::PgPool::connect(&self.database_url).await.expect("the database answers")
    }

    /// The owner, set up through the browser's own first page and signed in.
    pub async fn owner(&self) -> Person {
        Person::set_up(self).await
    }

    /// The first address with a token that the terminal printed.
    pub async fn setup_url(&self) -> String {
        until("the setup address is printed", Duration::from_secs(10), || async {
            let log = self.log();
            let start = log.find("/setup?token=")?;
            let rest = &log[start..];
            let end = rest.find(|c: char| c.is_whitespace() || c == '\u{1b}')?;
            Some(format!("{}{}", self.url, &rest[..end]))
        })
        .await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.kill();
        let log = self.log();
        let unexpected: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("ERROR") || line.contains("panicked"))
            .filter(|line| !self.settings.expected_errors.iter().any(|expected| line.contains(expected)))
            .collect();
        let _ = std::fs::remove_dir_all(&self.folder);
        if !std::thread::panicking() {
            assert!(unexpected.is_empty(), "the server logged errors that no test asked for:\n{}", unexpected.join("\n"));
        } else if !log.is_empty() {
            let tail = log.lines().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
            let _ = writeln!(std::io::stderr(), "the server's last lines:\n{tail}");
        }
    }
}
