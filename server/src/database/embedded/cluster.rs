//! The database's files: made on first start, all or nothing, in a folder that only the database's user may enter.

use super::{account::Account, process, programs::Programs};
use anyhow::{Context, bail};
use rand::distr::{Alphanumeric, SampleString};
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    process::Command,
};

pub const PORT: u16 = 5432;
pub const USER: &str = "towpath";
/// initdb makes it; a name of our own would cost another start.
pub const DATABASE: &str = "postgres";

/// A socket's path may have 107 bytes, of which its name and the name of its lock take up to 20.
const LONGEST_SOCKET_FOLDER: usize = 87;

/// `-c name=value` for each. On the command line, so that no file of the data directory can say otherwise.
const SETTINGS: &[(&str, &str)] = &[
    // What is committed is on disk.
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("max_connections", "50"),
    // Small, for a machine with two cores that has other work to do: the system's cache holds the rest.
    ("shared_buffers", "64MB"),
    ("wal_buffers", "4MB"),
    ("work_mem", "4MB"),
    ("maintenance_work_mem", "64MB"),
    ("max_parallel_workers_per_gather", "0"),
    // A journal is written once and read little: fewer, larger checkpoints, and less to write for each.
    ("wal_compression", "on"),
    ("max_wal_size", "1GB"),
    ("checkpoint_timeout", "15min"),
    ("jit", "off"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_line_prefix", ""),
    // Refused statements are the caller's to report; the server's own life is what we want to hear of.
    ("log_min_messages", "log"),
    ("log_checkpoints", "off"),
    ("cluster_name", "towpath"),
];

/// A cluster on disk, and how to run it.
#[derive(Clone, Debug)]
pub struct Cluster {
    home: PathBuf,
    runner: Option<(Account, Programs)>,
}

/// The major version of the data in `data`, if there is any.
///
/// # Errors
/// A sentence, when there is something else in its place.
pub fn major_of_existing(data: &Path) -> anyhow::Result<Option<u32>> {
    let home = data.join("postgresql");
    if !home.exists() {
        return match set_aside(data) {
            None => Ok(None),
            Some(other) => bail!(
                "There is no database at {}, but one beside it at {}: an upgrade was cut off, or somebody moved it. Give the one that is \
                 to be used the name {} and start again; to begin with an empty one, move the other out of the data directory.",
                home.display(),
                other.display(),
                home.display()
            ),
        };
    }
    let file = home.join("cluster/PG_VERSION");
    let text = fs::read_to_string(&file).with_context(|| format!("{} can't be read", file.display()))?;
    text.trim().parse().map(Some).with_context(|| format!("{} does not hold a version", file.display()))
}

/// A database that an upgrade put aside: `postgresql-15`.
fn set_aside(data: &Path) -> Option<PathBuf> {
    fs::read_dir(data).ok()?.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix("postgresql-"));
        name.is_some_and(|major| major.parse::<u32>().is_ok()) && path.join("cluster/PG_VERSION").is_file()
    })
}

impl Cluster {
    /// The cluster of a data directory that another process runs.
    pub fn existing(data: &Path) -> Self {
        Self { home: data.join("postgresql"), runner: None }
    }

    /// The cluster of a data directory, made if it isn't there.
    ///
    /// # Errors
    /// A sentence, with what PostgreSQL's initdb said.
    pub fn open_or_make(data: &Path, account: Account, programs: Programs) -> anyhow::Result<Self> {
        let home = data.join("postgresql");
        if !home.exists() {
            tracing::info!("first start: making the database in {}", home.display());
            make(data, &home, &account, &programs)?;
        }
        let cluster = Self { home, runner: Some((account, programs)) };
        make_closed_folder(&cluster.socket_folder(), &account)?;
        Ok(cluster)
    }

    pub fn folder(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// In the data directory if its path is short enough for a socket, else under /tmp with a name that follows from the path.
    pub fn socket_folder(&self) -> PathBuf {
        let folder = self.home.join("socket");
        if folder.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
            return folder;
        }
        let digest = hex::encode(Sha256::digest(self.home.as_os_str().as_bytes()));
        PathBuf::from(format!("/tmp/towpath-{}", &digest[..24]))
    }

    /// # Errors
    /// A sentence, when the password can't be read.
    pub fn options(&self) -> anyhow::Result<PgConnectOptions> {
        let file = self.home.join("password");
        let password = fs::read_to_string(&file).with_context(|| format!("{} can't be read", file.display()))?;
        Ok(super::options(&self.socket_folder(), password.trim()))
    }

    /// The shell's line that connects to the server.
    pub fn psql(&self) -> String {
        format!(
            "PGPASSWORD=$(cat '{}') psql -h '{}' -U {USER} {DATABASE}",
            self.home.join("password").display(),
            self.socket_folder().display()
        )
    }

    /// The command that runs the server; its log goes to standard error.
    ///
    /// # Errors
    /// When this process doesn't run the cluster.
    pub fn server(&self) -> anyhow::Result<Command> {
        let Some((account, programs)) = &self.runner else { bail!("another process runs this database") };
        let mut command = process::command(&programs.folder.join("postgres"), account, &self.home);
        command.arg("-D").arg(self.folder());
        for (name, value) in SETTINGS {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let mut folder = std::ffi::OsString::from("unix_socket_directories=");
        folder.push(self.socket_folder());
        command.arg("-c").arg(folder).arg("-c").arg(format!("port={PORT}"));
        Ok(command)
    }
}

/// Makes everything under another name and renames it at the end: a crash leaves no half of it.
fn make(data: &Path, home: &Path, account: &Account, programs: &Programs) -> anyhow::Result<()> {
    const UNFINISHED: &str = "postgresql.unfinished-";
    for entry in fs::read_dir(data)?.flatten() {
        if entry.file_name().as_bytes().starts_with(UNFINISHED.as_bytes()) {
            fs::remove_dir_all(entry.path()).with_context(|| format!("{} can't be removed", entry.path().display()))?;
        }
    }
    let unfinished = data.join(format!("{UNFINISHED}{}", Alphanumeric.sample_string(&mut rand::rng(), 8)));
    make_closed_folder(&unfinished, account)?;
    let password = unfinished.join("password");
    write_closed_file(&password, &Alphanumeric.sample_string(&mut rand::rng(), 40), account)?;
    let output = process::command(&programs.folder.join("initdb"), account, &unfinished)
        .args(["--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8", "--username", USER])
        .arg("--pwfile")
        .arg(&password)
        .arg("-D")
        .arg(unfinished.join("cluster"))
        .output()
        .context("PostgreSQL's initdb can't be run")?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let _ = fs::remove_dir_all(&unfinished);
        bail!("PostgreSQL's initdb could not make the database:\n{}", String::from_utf8_lossy(&said).trim());
    }
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, home).with_context(|| format!("{} can't be made", home.display()))?;
    File::open(data)?.sync_all()?;
    Ok(())
}

/// A folder that only the account may enter; one that is there already must be such a folder, not one that somebody else put
/// in its place.
fn make_closed_folder(path: &Path, account: &Account) -> anyhow::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => account.give(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let metadata = fs::symlink_metadata(path)?;
            if !metadata.is_dir() || metadata.uid() != account.uid || metadata.mode() & 0o077 != 0 {
                bail!(
                    "{} must be a folder that belongs to the database's user and is closed to others; it is not. Look what it is, and \
                     remove it.",
                    path.display()
                );
            }
            Ok(())
        }
        Err(error) => Err(error).with_context(|| format!("{} can't be made", path.display())),
    }
}

fn write_closed_file(path: &Path, text: &str, account: &Account) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    account.give(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_was_put_aside_is_not_replaced_by_an_empty_one() {
        let data = std::env::temp_dir().join(format!("towpath-aside-{}", uuid::Uuid::new_v4()));
        let old = data.join("postgresql-15/cluster");
        fs::create_dir_all(&old).unwrap();
        assert_eq!(major_of_existing(&data).unwrap(), None, "a folder without a database is none");
        fs::write(old.join("PG_VERSION"), "15\n").unwrap();
        let refused = major_of_existing(&data).unwrap_err().to_string();
        assert!(refused.contains("postgresql-15: an upgrade was cut off"), "{refused}");
        fs::rename(data.join("postgresql-15"), data.join("postgresql")).unwrap();
        assert_eq!(major_of_existing(&data).unwrap(), Some(15));
        fs::remove_dir_all(&data).unwrap();
    }

    #[test]
    fn a_data_directory_with_a_long_path_has_its_socket_elsewhere() {
        let short = Cluster::existing(Path::new("/var/lib/towpath")).socket_folder();
        assert_eq!(short, Path::new("/var/lib/towpath/postgresql/socket"));
        let long = Cluster::existing(Path::new(&format!("/srv/{}", "x".repeat(100)))).socket_folder();
        assert!(long.starts_with("/tmp") && long.as_os_str().len() <= LONGEST_SOCKET_FOLDER, "{}", long.display());
        let other = Cluster::existing(Path::new(&format!("/srv/{}", "y".repeat(100)))).socket_folder();
        assert_ne!(long, other);
    }
}
