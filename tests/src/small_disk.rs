//! A disk that can be full: a file system in memory of a chosen size, seen only by the processes that are started on it, and gone with
//! them.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// A command that mounts a small disk over `folder` and goes on as `script`, a line of shell in which `$DISK` is the folder. Whoever
/// isn't root needs a kernel that lets people have namespaces of their own.
pub fn command(folder: &Path, megabytes: u32, script: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "--mount"]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-current-user", "--keep-caps"]);
    }
    let mount = format!("mount -t tmpfs -o size={megabytes}m,mode=755 tmpfs \"$DISK\" || exit 1; {script}");
    command.env("DISK", folder).args(["sh", "-c", &mount]);
    command
}

/// Fills a small disk until this many bytes are left; what it wrote goes when this is dropped.
pub struct Ballast(PathBuf);

impl Ballast {
    /// `process` is one that sees the disk at `folder`.
    pub fn leaving(bytes: u64, process: u32, folder: &Path) -> Self {
        let inside = PathBuf::from(format!("/proc/{process}/root{}", folder.display()));
        let path = inside.join("ballast");
        let mut file = std::fs::File::create(&path).expect("a file on the small disk");
        let free = || {
            let system = rustix::fs::statvfs(&inside).expect("the small disk");
            system.f_bavail * system.f_frsize
        };
        while let Some(more) = free().checked_sub(bytes).filter(|more| *more > 0) {
            let written =
                std::io::copy(&mut std::io::repeat(1).take(more.min(1 << 20)), &mut file).expect("room for the ballast");
            assert!(written > 0, "the small disk takes the ballast");
        }
        file.flush().expect("room for the ballast");
        Self(path)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
