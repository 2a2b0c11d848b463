//! A private PostgreSQL for a test process: its own folder, a socket only, ended with the process that started it.

use anyhow::{Context, Result, ensure};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use std::{
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::sync::OnceCell;

static SHARED: OnceCell<Cluster> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A running PostgreSQL with a migrated template database.
pub struct Cluster {
    folder: PathBuf,
    child: Mutex<Option<Child>>,
}

/// The cluster of this test process, started by the first test that asks.
pub async fn shared() -> &'static Cluster {
    SHARED.get_or_init(|| async { Cluster::start(false).await.expect("a private PostgreSQL for the tests") }).await
}

impl Cluster {
    /// Starts a cluster of its own. `durable` keeps fsync on, for tests that kill it.
    pub async fn start(durable: bool) -> Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("towpath-pg-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&folder)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
        if let Some((user, group)) = unprivileged() {
            chown(&folder, Some(user), Some(group))?;
        }
        let data = folder.join("data");
        let made = as_unprivileged(&binary("initdb")?)
            .args(["--auth=trust", "--username=towpath", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&data)
            .output()?;
        ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        let cluster = Self { folder, child: Mutex::default() };
        cluster.boot(durable).await?;
        let mut admin = PgConnection::connect_with(&cluster.options("postgres")).await?;
        admin.execute("create database template_towpath").await?;
        let mut template = PgConnection::connect_with(&cluster.options("template_towpath")).await?;
        sqlx::migrate!("../migrations").run(&mut template).await.context("the migrations on an empty database")?;
        template.close().await?;
        Ok(cluster)
    }

    /// Starts `postgres` on the cluster's folder and waits until a connection answers.
    pub async fn boot(&self, durable: bool) -> Result<()> {
        let mut command = as_unprivileged(&binary("postgres")?);
        command.args(self.arguments(&self.folder.join("data"), if durable { "fsync=on" } else { "fsync=off" }, 512));
        self.run(command).await
    }

    /// Ends `postgres`, and goes on with the same data on a disk of this size. Whenever it ends there, it is started again, as a
    /// supervisor does. Returns where a process sees that disk, for a [`Ballast`](crate::small_disk::Ballast).
    pub async fn onto_a_small_disk(&self, megabytes: u32) -> Result<(u32, PathBuf)> {
        self.end();
        let disk = self.folder.join("disk");
        std::fs::create_dir_all(&disk)?;
        let mut server = as_unprivileged(&binary("postgres")?);
        server.args(self.arguments(&disk.join("data"), "fsync=on", 32));
        let words: Vec<String> = std::iter::once(server.get_program())
            .chain(server.get_args())
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        let script =
            format!("cp -a '{}' \"$DISK\"; while :; do {}; sleep 0.3; done", self.folder.join("data").display(), words.join(" "));
        let mut command = crate::small_disk::command(&disk, megabytes, &script);
        command.current_dir("/");
        self.run(command).await?;
        let shell = self.child.lock().expect("no test panics while it starts PostgreSQL").as_ref().map(Child::id);
        Ok((shell.context("PostgreSQL was started")?, disk))
    }

    fn arguments(&self, data: &Path, fsync: &str, wal_megabytes: u32) -> Vec<String> {
        let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
        for setting in [
            "listen_addresses=",
            &format!("unix_socket_directories={}", self.folder.display()),
            fsync,
            "max_connections=200",
            "shared_buffers=64MB",
            &format!("max_wal_size={wal_megabytes}MB"),
            &format!("min_wal_size={}MB", wal_megabytes.min(80)),
            "jit=off",
        ] {
            arguments.extend(["-c".to_owned(), setting.to_owned()]);
        }
        arguments
    }

    async fn run(&self, mut command: Command) -> Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let command = Arc::new(Mutex::new(command));
        let end = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            self.spawn_unless_running(&command)?;
            match PgConnection::connect_with(&self.options("postgres")).await {
                Ok(connection) => return Ok(connection.close().await?),
                Err(_) if std::time::Instant::now() < end => tokio::time::sleep(Duration::from_millis(30)).await,
                Err(e) => {
                    let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                    return Err(e).with_context(|| format!("PostgreSQL did not answer within 60 s:\n{log}"));
                }
            }
        }
    }

    /// After a kill -9 the first start can find the old server's children still at work, and gives up: it is started again then.
    fn spawn_unless_running(&self, command: &Arc<Mutex<Command>>) -> Result<()> {
        let mut child = self.child.lock().expect("no test panics while it starts PostgreSQL");
        if let Some(running) = child.as_mut()
            && running.try_wait()?.is_none()
        {
            return Ok(());
        }
        *child = Some(spawn_from_a_lasting_thread(Arc::clone(command))?);
        Ok(())
    }

    /// kill -9 of the postmaster.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("PostgreSQL runs");
        let pid: i32 = pid.lines().next().and_then(|line| line.trim().parse().ok()).expect("a pid in postmaster.pid");
        let pid = rustix::process::Pid::from_raw(pid).expect("a pid above zero");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("PostgreSQL can be killed");
        if let Some(mut child) = self.child.lock().expect("no test panics while it ends PostgreSQL").take() {
            let _ = child.wait();
        }
    }

    /// Ends `postgres` in order.
    fn end(&self) {
        if let Some(mut child) = self.child.lock().expect("no test panics while it ends PostgreSQL").take() {
            rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
                .expect("PostgreSQL can be ended");
            let _ = child.wait();
        }
    }

    /// Halts every process of this PostgreSQL where it stands, as a storage that hangs does, or lets them go on. Its socket takes
    /// connections and nobody answers.
    pub fn halt(&self, halted: bool) {
        let signal = if halted { rustix::process::Signal::STOP } else { rustix::process::Signal::CONT };
        let postmaster =
            self.child.lock().expect("no test panics while it halts PostgreSQL").as_ref().expect("PostgreSQL runs").id();
        let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        for pid in std::iter::once(postmaster.cast_signed()).chain(children).filter_map(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// A fresh database with the current schema; returns its URL.
    pub async fn database(&self) -> Result<String> {
        self.clone_of("template_towpath").await
    }

    /// A fresh database without any schema; returns its URL.
    pub async fn empty_database(&self) -> Result<String> {
        self.clone_of("template0").await
    }

    async fn clone_of(&self, template: &str) -> Result<String> {
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // Two clones of one template at once are refused; the lock lets them queue.
        static CLONING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _turn = CLONING.lock().await;
        let mut admin = PgConnection::connect_with(&self.options("postgres")).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {name} template {template}"))).execute(&mut admin).await?;
        admin.close().await?;
        Ok(format!("postgres://towpath@localhost/{name}?host={}", self.folder.display()))
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new().socket(&self.folder).username("towpath").database(database)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut()
            && let Some(mut child) = child.take()
        {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The newest installed server's program, or that of the server in the folder that `TOWPATH_TEST_PG_BIN` names.
fn binary(name: &str) -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("TOWPATH_TEST_PG_BIN") {
        return Ok(PathBuf::from(folder).join(name));
    }
    let mut majors: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin").join(name)))
        })
        .filter(|(_, path)| path.exists())
        .collect();
    majors.sort();
    majors.pop().map(|(_, path)| path).context("PostgreSQL's server programs are missing: apt-get install postgresql")
}

/// PostgreSQL refuses to run as root: root borrows the user that Debian's package made.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Runs a program as that user, and ends it when the thread that started it ends.
fn as_unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if let Some((user, group)) = unprivileged() {
        command.args(["--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups"]);
    }
    command.arg(program).current_dir("/");
    command
}

/// The kernel sends the death signal when the *thread* ends, so a test's own thread would take PostgreSQL with it.
fn spawn_from_a_lasting_thread(command: Arc<Mutex<Command>>) -> Result<Child> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(command.lock().expect("no test panics while it starts PostgreSQL").spawn());
        loop {
            std::thread::park();
        }
    });
    Ok(receiver.recv()??)
}
