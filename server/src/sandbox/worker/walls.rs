//! The walls around a child, put up by itself before it reads a job. Each says whether it stands; without the filter of
//! system calls no code is run as the server's user or as root.

use super::{super::wire::Wall, filter};
use anyhow::{Context, bail};
use nix::{
    sched::{CloneFlags, unshare},
    sys::signal::{SigSet, Signal as Sig},
    unistd::{Gid, Uid, setgroups, setresgid, setresuid},
};
use rustix::{
    process::{
        DumpableBehavior, Pid, Resource, Rlimit, Signal, geteuid, getppid, nice, set_dumpable_behavior,
        set_parent_process_death_signal, setrlimit,
    },
    thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs},
};

/// The whole address space of a child, in bytes: the script's own limit is a quarter of it.
const MEMORY: u64 = 512 << 20;
/// The name of the wall that isn't to be had everywhere.
pub const NETWORK: &str = "Network";
/// Everything else on the machine goes first.
const POLITENESS: i32 = 10;

/// Puts them up, in the order in which each needs the rights that the next one takes away.
///
/// # Errors
/// When one is missing without which no code may run here, or the parent is gone.
pub(super) fn put_up(parent: i32, user: u32) -> anyhow::Result<Vec<Wall>> {
    hold_signals();
    let inherited = close_inherited();
    let own_network = unshare_network();
    let ours = geteuid().as_raw();
    let own_user = become_other(user);
    let no_rights = drop_capabilities();
    let limits = limit()?;
    // What can be debugged by others of its user could be taken over by them.
    let not_seen = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // After the change of user, which forgets it.
    set_parent_process_death_signal(Some(Signal::KILL)).context("the system can't end this with its parent")?;
    if getppid() != Pid::from_raw(parent) {
        bail!("the process that started this one is gone");
    }
    // It is only a wish.
    let _ = nice(POLITENESS);
    set_no_new_privs(true).context("the system can't keep this from gaining rights")?;
    let filtered = filter::put_up();
    let is_apart = own_user.as_ref().is_ok_and(|user| user.is_some());
    if let (Err(error), false) = (&filtered, is_apart) {
        bail!("there is neither a filter of system calls ({error:#}) nor a user of its own: no code is run like that");
    }
    Ok(vec![
        wall("System calls", filtered, "Only those for computing and memory are possible."),
        wall("User", own_user.map(|user| user_said(user, ours)), ""),
        wall(NETWORK, own_network, "It has a network of its own, with nothing in it."),
        wall("Limits", Ok(limits), ""),
        wall(
            "Rights",
            no_rights.and(not_seen).map_err(Into::into),
            "It has none and can gain none, and others can't look into it.",
        ),
        wall("Inherited", Ok(inherited), ""),
        wall("End", Ok(()), "It ends with the server, even when that is killed."),
    ])
}

/// What a wall says of itself: its own words, where it has some to say each time.
trait Words {
    fn words(self, else_say: &str) -> String;
}

impl Words for () {
    fn words(self, else_say: &str) -> String {
        else_say.to_owned()
    }
}

impl Words for String {
    fn words(self, _: &str) -> String {
        self
    }
}

fn wall(name: &str, put_up: anyhow::Result<impl Words>, said: &str) -> Wall {
    match put_up {
        Ok(words) => Wall { name: name.to_owned(), is_up: true, said: words.words(said) },
        Err(error) => Wall { name: name.to_owned(), is_up: false, said: format!("{error:#}") },
    }
}

/// A service manager ends all processes of a service at once. This one ends when the server, which is finishing its work, closes
/// the pipe.
fn hold_signals() {
    let held = SigSet::from_iter([Sig::SIGTERM, Sig::SIGINT, Sig::SIGHUP, Sig::SIGQUIT]);
    // Without it a stop of the service fails the code that runs at that moment: no reason to run none.
    let _ = held.thread_block();
}

/// Closes whatever came along besides the pipes. Nothing should.
fn close_inherited() -> String {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .map(|entries| entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
        .unwrap_or_default();
    // The listing's own is closed by now.
    let closed = open.into_iter().filter(|number| *number > 2 && nix::unistd::close(*number).is_ok()).count();
    format!("{closed} open files and {} variables came along; they are closed.", std::env::vars_os().count())
}

/// A network of its own. As root with the right to; else where users may have namespaces.
fn unshare_network() -> anyhow::Result<()> {
    let network = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC;
    let with_user = network | CloneFlags::CLONE_NEWUSER;
    if unshare(network).is_ok() {
        return Ok(());
    }
    if geteuid().is_root() {
        bail!("the system gives none (CAP_SYS_ADMIN is missing)");
    }
    unshare(with_user).context("the system gives none to ordinary users")
}

/// A user that nobody else is, where this is root. `None`: it isn't, and stays who it was.
fn become_other(user: u32) -> anyhow::Result<Option<u32>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
    setgroups(&[]).context("the groups can't be left")?;
    setresgid(gid, gid, gid).context("the group can't be changed")?;
    setresuid(uid, uid, uid).context("the user can't be changed")?;
    Ok(Some(user))
}

fn user_said(user: Option<u32>, ours: u32) -> String {
    match user {
        Some(user) => format!("It runs as a user of its own ({user})."),
        None => format!("It runs as the server's own user ({ours}), which isn't root."),
    }
}

/// A namespace of users comes with all rights inside of it.
fn drop_capabilities() -> rustix::io::Result<()> {
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}

fn limit() -> anyhow::Result<String> {
    let most = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    most(Resource::As, MEMORY).context("its memory can't be limited")?;
    // The pipes stay; nothing new can be opened, not even where there is no filter.
    most(Resource::Nofile, 0).context("its files can't be limited")?;
    most(Resource::Nproc, 0).context("its processes can't be limited")?;
    most(Resource::Fsize, 0).context("its writing can't be limited")?;
    most(Resource::Core, 0).context("its core can't be limited")?;
    Ok(format!("{} MB of memory, no new files, no processes.", MEMORY >> 20))
}
