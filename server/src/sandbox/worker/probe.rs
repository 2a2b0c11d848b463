//! Tries what code must not be able to do, from where it would be done, and says what came of it. Everything tried is harmless where
//! it works.

use super::super::wire::Attempted;
use nix::{sys::signal::kill, unistd::Pid};
use std::{
    io::{Error, ErrorKind},
    net::{Ipv4Addr, UdpSocket},
    os::unix::net::UnixDatagram,
};

/// Everything that is worth a try.
pub fn try_all(parent: i32) -> Vec<Attempted> {
    vec![
        tried("read a file", std::fs::read("/etc/passwd").map(|bytes| format!("{} bytes", bytes.len()))),
        tried("write a file", std::fs::write("/tmp/towpath-probe", b"").map(|()| "it was written".to_owned())),
        tried("list a folder", std::fs::read_dir("/").map(|_| "it was listed".to_owned())),
        tried("open a network socket", socket()),
        tried("open a local socket", UnixDatagram::unbound().map(|_| "it was opened".to_owned())),
        tried("start a program", program()),
        tried("start a thread", std::thread::Builder::new().spawn(|| ()).map(|_| "it was started".to_owned())),
        // Signal 0 does nothing but ask whether one might.
        tried(
            "signal the server",
            kill(Pid::from_raw(parent), None).map(|()| "it could be signalled".to_owned()).map_err(Error::from),
        ),
        tried(
            "become root",
            nix::unistd::setuid(nix::unistd::Uid::from_raw(0)).map(|()| "it did".to_owned()).map_err(Error::from),
        ),
        environment(),
    ]
}

#[allow(clippy::disallowed_methods, reason = "it must fail: this is how a wall is tried")]
fn socket() -> std::io::Result<String> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map(|_| "it was opened".to_owned())
}

fn program() -> std::io::Result<String> {
    let mut child = std::process::Command::new("/bin/true").spawn()?;
    // It was started, which is what counts.
    let _ = child.wait();
    Ok("it was started".to_owned())
}

fn tried(what: &str, done: std::io::Result<String>) -> Attempted {
    let (refused, said) = match done {
        Ok(said) => (false, said),
        // Not there is not the same as not allowed.
        Err(error) if error.kind() == ErrorKind::NotFound => (false, error.to_string()),
        Err(error) => (true, error.to_string()),
    };
    Attempted { what: what.to_owned(), refused, said }
}

fn environment() -> Attempted {
    let count = std::env::vars_os().count();
    Attempted { what: "see the server's environment".to_owned(), refused: count == 0, said: format!("{count} variables") }
}
