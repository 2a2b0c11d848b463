//! Clears up after a crash, with the data directory's lock held: a server that lost its Towpath is told to stop and waited for, and
//! only when no process works in the data any more are the files that mark it as running removed. Removing them earlier would let
//! two servers write to the same data.

use anyhow::bail;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// A server that was told to stop in order has this long: it writes a checkpoint.
const ORDERLY: Duration = Duration::from_secs(30);
/// A server that was told to stop at once has this long.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Answers when nothing of an earlier server is left on the data in `cluster`.
///
/// # Errors
/// A sentence that names the processes that don't end.
pub fn clear(cluster: &Path, socket: &Path) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        // Without /proc we can't tell; PostgreSQL's own check refuses to start on data in use.
        return Ok(());
    }
    let cluster = cluster.canonicalize().unwrap_or_else(|_| cluster.to_owned());
    let found = workers(&cluster);
    if !found.is_empty() {
        tracing::info!("an earlier PostgreSQL is still there; waiting until it has stopped");
        // The workers follow their postmaster; without one they end by themselves.
        signal(
            &postmaster(&cluster).filter(|postmaster| found.contains(postmaster)).into_iter().collect::<Vec<_>>(),
            Signal::INT,
        );
        if !gone_within(&cluster, ORDERLY) {
            signal(&workers(&cluster), Signal::QUIT);
            if !gone_within(&cluster, AT_ONCE) {
                let list = workers(&cluster).iter().map(|pid| pid.as_raw_nonzero().to_string()).collect::<Vec<_>>().join(", ");
                bail!("PostgreSQL processes of an earlier start don't end: {list}. End them and start again.");
            }
        }
    }
    // After a reboot the number in the first may belong to any process, which PostgreSQL would take for a running server.
    for file in [cluster.join("postmaster.pid"), socket.join(".s.PGSQL.5432"), socket.join(".s.PGSQL.5432.lock")] {
        if file.exists() {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// The processes that work in the data: PostgreSQL's all make it their working directory.
fn workers(cluster: &Path) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|process| {
            let pid: i32 = process.file_name().to_str()?.parse().ok()?;
            let folder = fs::read_link(process.path().join("cwd")).ok()?;
            (folder == cluster).then_some(())?;
            // Somebody's shell may be there too.
            let name = fs::read_to_string(process.path().join("comm")).ok()?;
            name.starts_with("postgres").then(|| Pid::from_raw(pid))?
        })
        .collect()
}

fn postmaster(cluster: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        // It may have ended meanwhile.
        let _ = kill_process(*process, signal);
    }
}

fn gone_within(cluster: &Path, limit: Duration) -> bool {
    let began = Instant::now();
    loop {
        if workers(cluster).is_empty() {
            return true;
        }
        if began.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
