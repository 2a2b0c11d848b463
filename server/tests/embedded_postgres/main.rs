//! The embedded PostgreSQL for real: the binary is started, killed in every way, and started again; what was committed stays.

mod towpath;

use rustix::process::{Signal, geteuid, kill_process};
use std::{
    fs,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    time::{Duration, Instant},
};
use towpath::{Data, is_alive, mode, until};

fn prepare() {
    // The HTTP client insists, though the tests speak plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test]
async fn what_was_committed_survives_kill_9_of_the_server() {
    prepare();
    let data = Data::new();
    let mut server = data.start().await;
    data.remember("before").await;
    let postmaster = data.postmaster();
    server.end(Signal::KILL).await;
    let began = Instant::now();
    let server = data.start().await;
    assert!(began.elapsed() < Duration::from_secs(5), "the restart took {:?}", began.elapsed());
    assert!(!is_alive(postmaster), "the old PostgreSQL still runs");
    assert_eq!(data.remembered().await, ["before"]);
    assert_eq!(server.ready().await, Some(200));
}

#[tokio::test]
async fn postgresql_ends_with_a_server_that_was_killed_and_is_not_started_again() {
    prepare();
    let data = Data::new();
    let mut server = data.start().await;
    let postmaster = data.postmaster();
    server.end(Signal::KILL).await;
    until("the end of PostgreSQL", async || !is_alive(postmaster)).await;
}

#[tokio::test]
async fn a_killed_postgresql_is_started_again_and_the_server_recovers() {
    prepare();
    let data = Data::new();
    let server = data.start().await;
    data.remember("before").await;
    for round in ["first", "second"] {
        let postmaster = data.postmaster();
        kill_process(postmaster, Signal::KILL).expect("it runs");
        until("another PostgreSQL", async || {
            fs::read_to_string(data.cluster().join("postmaster.pid"))
                .is_ok_and(|text| !text.starts_with(&format!("{}\n", postmaster.as_raw_nonzero())))
        })
        .await;
        until("a ready server", async || server.ready().await == Some(200)).await;
        until("a connection", async || data.connect().await.is_ok()).await;
        data.remember(round).await;
    }
    assert_eq!(data.remembered().await, ["before", "first", "second"]);
}

#[tokio::test]
async fn what_was_committed_survives_kill_9_of_server_and_postgresql_together() {
    prepare();
    let data = Data::new();
    let mut server = data.start().await;
    data.remember("before").await;
    kill_process(data.postmaster(), Signal::KILL).expect("it runs");
    server.end(Signal::KILL).await;
    let server = data.start().await;
    assert_eq!(data.remembered().await, ["before"]);
    assert_eq!(server.ready().await, Some(200));
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_told_who_has_it() {
    prepare();
    let data = Data::new();
    let server = data.start().await;
    let refusal = data.refusal().await;
    let said = String::from_utf8_lossy(&refusal.stderr).into_owned();
    assert_eq!(refusal.status.code(), Some(1), "{said}");
    let expected = format!("Another Towpath (process {}) is using the data directory", server.pid().as_raw_nonzero());
    assert!(said.contains(&expected), "{said}");
    assert_eq!(server.ready().await, Some(200), "the first one goes on");
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_stops_postgresql_in_order() {
    prepare();
    let data = Data::new();
    let mut server = data.start().await;
    let postmaster = data.postmaster();
    let status = server.end(Signal::TERM).await;
    assert_eq!(status.code(), Some(0));
    assert!(!is_alive(postmaster));
    assert!(!data.cluster().join("postmaster.pid").exists(), "an orderly end removes it");
    let mut server = data.start().await;
    assert!(!data.logged().contains("ended by itself"), "{}", data.logged());
    assert_eq!(server.end(Signal::INT).await.code(), Some(0));
}

#[tokio::test]
async fn a_postgresql_that_lost_its_server_is_stopped_before_another_one_starts() {
    prepare();
    let data = Data::new();
    let mut server = data.start().await;
    data.remember("before").await;
    let command_line = fs::read(format!("/proc/{}/cmdline", data.postmaster().as_raw_nonzero())).expect("it runs");
    server.end(Signal::TERM).await;
    // The same PostgreSQL, as nobody's child.
    let words: Vec<_> = command_line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let (program, arguments) = words[..words.len() - 1].split_first().expect("a command");
    let owner = fs::metadata(data.cluster()).expect("the data");
    let mut command = std::process::Command::new(program);
    command.args(arguments).stderr(std::process::Stdio::null());
    if geteuid().is_root() {
        use std::os::unix::process::CommandExt;
        command.uid(owner.uid()).gid(owner.gid()).current_dir("/");
    }
    let mut orphan = command.spawn().expect("PostgreSQL starts");
    until("a connection", async || data.cluster().join("postmaster.pid").exists() && data.connect().await.is_ok()).await;
    let server = data.start().await;
    assert!(orphan.try_wait().expect("a state").is_some_and(|status| status.success()), "it was stopped in order");
    assert_eq!(data.remembered().await, ["before"]);
    assert_eq!(server.ready().await, Some(200));
}

#[tokio::test]
async fn a_mark_of_a_running_postgresql_that_is_another_process_by_now_does_not_stop_a_start() {
    prepare();
    let data = Data::new();
    data.start().await.end(Signal::TERM).await;
    let mark = data.cluster().join("postmaster.pid");
    let ours = std::process::id();
    fs::write(&mark, format!("{ours}\n{}\n1\n5432\n/nowhere\n\n0 0\nready\n", data.cluster().display())).expect("a file");
    let server = data.start().await;
    assert_ne!(data.postmaster(), towpath::pid(i32::try_from(ours).expect("a process id")));
    assert_eq!(server.ready().await, Some(200));
}

#[tokio::test]
async fn a_first_start_that_was_cut_short_leaves_nothing_in_the_way() {
    prepare();
    let data = Data::new();
    let mut child = data.command().spawn().expect("the binary starts");
    // initdb is under way, or about to be; whatever it left must not matter.
    until("the beginning of the first start", async || {
        fs::read_dir(&data.0).is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("postgresql.unfinished-"))
        })
    })
    .await;
    child.kill().await.expect("it runs");
    let server = data.start().await;
    assert_eq!(server.ready().await, Some(200));
    let left: Vec<_> = fs::read_dir(&data.0).expect("the data").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("unfinished")), "{left:?}");
}

#[tokio::test]
async fn the_database_is_durable_closed_to_others_and_small() {
    prepare();
    let data = Data::new();
    let _server = data.start().await;
    let mut connection = data.connect().await.expect("a connection");
    for (setting, expected) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C.UTF-8"),
        ("shared_buffers", "64MB"),
        ("jit", "off"),
    ] {
        let value: String = sqlx::query_scalar(
            "select coalesce(current_setting($1, true), (select datcollate from pg_database where datname = current_database()))",
        )
        .bind(setting)
        .fetch_one(&mut connection)
        .await
        .expect("a setting");
        assert_eq!(value, expected, "{setting}");
    }
    let method: String = sqlx::query_scalar("select string_agg(distinct auth_method, ',') from pg_hba_file_rules")
        .fetch_one(&mut connection)
        .await
        .expect("the rules");
    assert_eq!(method, "scram-sha-256");
    for (path, expected) in
        [("postgresql", 0o700), ("postgresql/cluster", 0o700), ("postgresql/socket", 0o700), ("postgresql/password", 0o600)]
    {
        assert_eq!(mode(&data.0.join(path)), expected, "{path}");
    }
    assert_eq!(mode(&data.0) & 0o007, 0, "the data directory");
    assert_eq!(mode(&data.0.join("towpath.lock")), 0o600);
}

#[tokio::test]
async fn a_data_directory_with_a_long_path_works() {
    prepare();
    let data = Data::named(&"-long".repeat(20));
    let server = data.start().await;
    assert_eq!(server.ready().await, Some(200));
    data.remember("here").await;
    assert_eq!(data.remembered().await, ["here"]);
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_is_refused_with_what_to_install() {
    prepare();
    let data = Data::new();
    fs::create_dir_all(data.cluster()).expect("a folder");
    fs::write(data.cluster().join("PG_VERSION"), "9\n").expect("a file");
    if geteuid().is_root() {
        // As a server that ran before has left it.
        std::os::unix::fs::chown(data.0.join("postgresql"), Some(65534), Some(65534)).expect("root may");
    }
    let refusal = data.refusal().await;
    let said = String::from_utf8_lossy(&refusal.stderr).into_owned();
    assert_eq!(refusal.status.code(), Some(1), "{said}");
    assert!(said.contains("The data was made by PostgreSQL 9, whose programs are not here"), "{said}");
    assert!(said.contains("apt-get install postgresql-9"), "{said}");
}

#[tokio::test]
async fn a_folder_on_the_way_that_the_database_user_may_not_enter_is_named() {
    prepare();
    if !geteuid().is_root() {
        // Everybody else runs the database as themselves.
        return;
    }
    let closed = Data::new();
    fs::DirBuilder::new().mode(0o700).create(&closed.0).expect("a folder");
    let inside = Data(closed.0.join("data"));
    let refusal = inside.refusal().await;
    let said = String::from_utf8_lossy(&refusal.stderr).into_owned();
    assert_eq!(refusal.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("may not enter {} (mode 700)", closed.0.display())), "{said}");
}
