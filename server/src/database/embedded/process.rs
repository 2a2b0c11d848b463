//! Starts processes of the database's user that end when we end, even by kill -9.

use super::account::Account;
use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal, setsid};
use std::{os::unix::process::CommandExt, path::Path, process::Command};

/// A command that runs `program` as `account` in `folder`, with an environment of its own, in a session of its own (Ctrl-C in the
/// terminal is ours to answer), and that gets SIGINT when the *thread* that started it ends. So the thread has to outlive it.
pub fn command(program: &Path, account: &Account, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command.current_dir(folder);
    if account.is_other {
        command.uid(account.uid).gid(account.gid);
    }
    tie(&mut command, getpid());
    command
}

#[allow(unsafe_code, reason = "there is no safe way to ask for a signal at the parent's death")]
fn tie(command: &mut Command, parent: Pid) {
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure makes three plain system calls (setsid,
    // prctl, getppid); it takes no lock, allocates nothing (an error is a bare number) and touches no memory but its copy of a pid.
    unsafe {
        command.pre_exec(move || {
            setsid()?;
            set_parent_process_death_signal(Some(Signal::INT))?;
            // If we died before the line above, nobody will send the signal.
            if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
        });
    }
}
