//! Another server that a test needs (a proxy, a certificate authority): started in a folder of its own, ended with the test.

use crate::until;
use std::{
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A TCP port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// A folder of a test's own; gone when dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("towpath-{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&path).expect("a folder");
        // Daemons that give up root have to pass through.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("our own folder");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and answers with its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("our own folder");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command` (its output goes to a file in `folder`) and waits until something listens on `port`.
    pub async fn start(mut command: Command, folder: &Folder, port: u16) -> Self {
        let name = command.get_program().to_string_lossy().rsplit('/').next().unwrap_or("daemon").to_owned();
        let log = folder.path().join(format!("{name}-{port}.log"));
        let file = std::fs::File::create(&log).expect("our own folder");
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a file")).stderr(file);
        let child =
            command.spawn().unwrap_or_else(|error| panic!("{name} can't be started ({error}); scripts/install-test-needs"));
        let mut daemon = Self { child, log };
        until(&format!("{name} listens on {port}"), Duration::from_secs(20), || {
            if let Ok(Some(status)) = daemon.child.try_wait() {
                panic!("{name} ended at start ({status}):\n{}", daemon.log());
            }
            #[allow(clippy::disallowed_methods, reason = "a test asks whether its own server listens")]
            let reached = std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
            async move { reached.then_some(()) }
        })
        .await;
        daemon
    }

    /// What it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // In order first: nginx's workers end with their master only then.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM);
        let end = std::time::Instant::now() + Duration::from_secs(3);
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{}:\n{}", self.log.display(), self.log());
        }
    }
}
