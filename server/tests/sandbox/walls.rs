//! What a child can't do, and what it was started with.

use super::*;

#[tokio::test]
async fn no_wall_that_is_tried_gives_way() {
    let _beside = PROCESSES.read().await;
    let (walls, tried) = sandbox(1).probe().await.unwrap();
    for name in ["System calls", "User", "Limits", "Rights", "Inherited", "End"] {
        let wall = walls.iter().find(|wall| wall.name == name).unwrap_or_else(|| panic!("{name}: {walls:?}"));
        assert!(wall.is_up, "{wall:?}");
    }
    for what in [
        "read a file",
        "write a file",
        "list a folder",
        "open a network socket",
        "open a local socket",
        "start a program",
        "start a thread",
        "signal the server",
        "become root",
        "see the server's environment",
    ] {
        let one = tried.iter().find(|one| one.what == what).unwrap_or_else(|| panic!("{what}: {tried:?}"));
        assert!(one.refused, "{one:?}");
    }
    // Whoever started this test may have left files open, which are closed; variables there are none.
    let inherited = walls.iter().find(|wall| wall.name == "Inherited").unwrap();
    assert!(inherited.said.ends_with("and 0 variables came along; they are closed."), "{inherited:?}");
}

#[tokio::test]
async fn the_system_agrees_with_what_the_child_says_of_itself() {
    let _alone = PROCESSES.write().await;
    let sandbox = sandbox(1);
    let desk = Desk::new(&sandbox);
    let before = children();
    desk.value("return 1").await;
    let pid = *children().iter().find(|pid| !before.contains(pid)).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((field("Seccomp:"), field("NoNewPrivs:")), (vec!["2".to_owned()], vec!["1".to_owned()]));
    assert_eq!(field("Threads:"), ["1"]);
    assert!(field("CapEff:").iter().all(|it| it.bytes().all(|byte| byte == b'0')), "{status}");
    let (ours, uids) = (nix::unistd::geteuid(), field("Uid:"));
    if ours.is_root() {
        assert!(uids.iter().all(|uid| uid != "0"), "{uids:?}");
        assert_eq!(field("Groups:"), Vec::<String>::new());
        // Only root may look into it.
        assert_eq!(std::fs::read(format!("/proc/{pid}/environ")).unwrap(), b"");
        let open: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .map(|entry| std::fs::read_link(entry.unwrap().path()).unwrap().display().to_string())
            .collect();
        assert_eq!(open.len(), 3, "{open:?}");
        assert!(open.iter().all(|it| it.starts_with("pipe:") || it.starts_with("socket:") || it == "/dev/null"), "{open:?}");
    }
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line =
        |name: &str| limits.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(line("Max address space"), format!("Max address space {0} {0} bytes", 512 << 20));
    for (name, unit) in
        [("Max open files", "files"), ("Max processes", "processes"), ("Max file size", "bytes"), ("Max core file size", "bytes")]
    {
        assert_eq!(line(name), format!("{name} 0 0 {unit}"));
    }
}

#[tokio::test]
async fn a_child_ends_with_its_sandbox_and_a_step_that_is_given_up_ends_its_child() {
    let _alone = PROCESSES.write().await;
    let sandbox = sandbox(1);
    let desk = Desk::new(&sandbox);
    let before = children();
    let is_new = |pid: &u32| !before.contains(pid);
    desk.value("return 1").await;
    let first = *children().iter().find(|pid| is_new(pid)).unwrap();
    // Given up while its code runs.
    let run = desk.run("while (true) {}", json!({}), Duration::from_secs(30));
    assert!(tokio::time::timeout(Duration::from_millis(300), run).await.is_err());
    until("the child of a step that was given up goes", || !children().contains(&first)).await;
    assert_eq!(desk.value("return 2").await, json!(2));
    let second = *children().iter().find(|pid| is_new(pid)).unwrap();
    drop((sandbox, desk));
    until("the children go with their sandbox", || !children().contains(&second)).await;
}

#[tokio::test]
async fn a_child_that_is_killed_is_an_error_of_its_step_and_of_nothing_else() {
    let _alone = PROCESSES.write().await;
    let sandbox = sandbox(1);
    let desk = Desk::new(&sandbox);
    let before = children();
    desk.value("return 1").await;
    let pid = *children().iter().find(|pid| !before.contains(pid)).unwrap();
    let kill = || {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()), nix::sys::signal::Signal::SIGKILL)
            .unwrap()
    };
    let killing = async {
        until("the code says that it runs", || {
            let said = desk.log();
            said.iter().any(|line| line == "here")
        })
        .await;
        kill();
    };
    let (result, ()) =
        tokio::join!(desk.run("console.log('here'); while (true) {}", json!({}), Duration::from_secs(30)), killing);
    let error = result.unwrap_err();
    assert!(error.message.starts_with("The code's process was ended from outside"), "{error:?}");
    assert_eq!(desk.value("return 2").await, json!(2));
    // One that dies while nobody looks is replaced, and no step hears of it.
    let pid = *children().iter().find(|pid| !before.contains(pid)).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()), nix::sys::signal::Signal::SIGKILL).unwrap();
    until("it is gone", || !children().contains(&pid)).await;
    assert_eq!(desk.value("return 3").await, json!(3));
}

#[tokio::test]
async fn a_polite_signal_to_the_whole_service_does_not_fail_the_code_that_runs() {
    let _alone = PROCESSES.write().await;
    let sandbox = sandbox(1);
    let desk = Desk::new(&sandbox);
    let before = children();
    desk.value("return 1").await;
    let pid = *children().iter().find(|pid| !before.contains(pid)).unwrap();
    for signal in [nix::sys::signal::Signal::SIGTERM, nix::sys::signal::Signal::SIGINT] {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
    }
    assert_eq!(desk.value("return 2").await, json!(2));
    assert!(children().contains(&pid));
}

#[tokio::test]
async fn a_program_that_is_no_child_of_ours_is_an_error_and_not_a_hang() {
    let _beside = PROCESSES.read().await;
    let sandbox = Sandbox::new(Settings { program: Program::At("/bin/true".into()), children: 1 });
    let error = Desk::new(&sandbox).run("return 1", json!({}), Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind, towpath_engine::error::ErrorKind::Unavailable);
    assert!(error.message.contains("could not be started"), "{error:?}");
    assert!(sandbox.check("return {").await.is_none(), "nobody could look");
}

/// Starts a child by hand from a thread that may not make these system calls, and returns how it ended and what it said.
fn started_without(calls: &'static [nix::libc::c_long]) -> (Option<i32>, String, Vec<u8>) {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    std::thread::spawn(|| {
        let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
        let refused = SeccompAction::Errno(u32::try_from(nix::libc::EPERM).unwrap());
        let filter =
            SeccompFilter::new(rules, SeccompAction::Allow, refused, std::env::consts::ARCH.try_into().unwrap()).unwrap();
        let program: BpfProgram = filter.try_into().unwrap();
        seccompiler::apply_filter(&program).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_towpath"))
            .args(["code-worker", "--parent", &std::process::id().to_string(), "--user", "60999"])
            .env_clear()
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned(), output.stdout)
    })
    .join()
    .unwrap()
}

#[tokio::test]
async fn without_a_filter_and_a_user_of_its_own_a_child_refuses_to_work() {
    let _beside = PROCESSES.write().await;
    let (code, said, jobs) = started_without(&[nix::libc::SYS_seccomp, nix::libc::SYS_setresuid]);
    assert_eq!((code, jobs.len()), (Some(1), 0), "{said}");
    assert!(said.contains("neither a filter of system calls") && said.contains("no code is run like that"), "{said}");
    // Everything else may be missing: the filter alone keeps code in.
    let (code, said, jobs) = started_without(&[nix::libc::SYS_unshare, nix::libc::SYS_setresuid]);
    assert_eq!(code, Some(0), "{said}");
    assert!(jobs.ends_with(b"\"Ready\""), "{said}");
}
