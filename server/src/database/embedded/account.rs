//! As which user the database runs. PostgreSQL refuses to run as root, so root hands it to the system user `towpath`, or to whoever
//! owns the data already; everybody else runs it as themselves.

use anyhow::{Context, bail};
use nix::unistd::User;
use rustix::{
    fs::{FlockOperation, Gid, Uid, chown, flock},
    process::{getegid, geteuid},
};
use std::{
    fs::{self, DirBuilder, Metadata, Permissions},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

/// The system user that root hands the database to.
const NAME: &str = "towpath";
/// Who holds the lock on this file may make that user.
const TURN: &str = "/run/towpath-account.lock";

/// Whom the database's files and processes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
    /// Another one than ours: we are root.
    pub is_other: bool,
}

impl Account {
    /// The account for the database in `data`; made where it is missing.
    ///
    /// # Errors
    /// A sentence, when the account is missing and can't be made.
    pub fn for_data(data: &Path) -> anyhow::Result<Self> {
        let (uid, gid) = (geteuid(), getegid());
        if !uid.is_root() {
            return Ok(Self { uid: uid.as_raw(), gid: gid.as_raw(), is_other: false });
        }
        if let Ok(existing) = fs::metadata(data.join("postgresql"))
            && existing.uid() != 0
        {
            return Ok(Self { uid: existing.uid(), gid: existing.gid(), is_other: true });
        }
        if let Some(account) = by_name()? {
            return Ok(account);
        }
        // Two servers that start for the first time at once would each make the user, and the second would give it another number.
        let turn = fs::File::create(TURN).with_context(|| format!("{TURN} can't be made"))?;
        flock(&turn, FlockOperation::LockExclusive).with_context(|| format!("{TURN} can't be locked"))?;
        if by_name()?.is_none() {
            tracing::info!("PostgreSQL refuses to run as root: making the system user {NAME} for it");
            make()?;
        }
        by_name()?.with_context(|| format!("The system user {NAME} was made, but is not there"))
    }

    /// Makes the data directory where it is missing, closed to others, and checks that the account gets there.
    ///
    /// # Errors
    /// A sentence that names the folder that is in the way.
    pub fn make_data_directory(&self, data: &Path) -> anyhow::Result<()> {
        if !data.exists() {
            let parent = data.parent().unwrap_or(Path::new("/"));
            fs::create_dir_all(parent).with_context(|| format!("The folder {} can't be made", parent.display()))?;
            DirBuilder::new()
                .mode(0o700)
                .create(data)
                .with_context(|| format!("The data directory {} can't be made", data.display()))?;
            if self.is_other {
                // Ours: the database may pass through it to its own folder, and see nothing else.
                chown(data, None, Some(Gid::from_raw(self.gid)))?;
                fs::set_permissions(data, Permissions::from_mode(0o710))?;
            }
        }
        if !data.is_dir() {
            bail!("The data directory {} is not a directory. Choose another with TOWPATH_DATA.", data.display());
        }
        self.check_way(data)
    }

    /// Gives a file or folder to the account.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn give(&self, path: &Path) -> anyhow::Result<()> {
        if self.is_other {
            chown(path, Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)))
                .with_context(|| format!("{} can't be given to the database's user", path.display()))?;
        }
        Ok(())
    }

    fn check_way(&self, data: &Path) -> anyhow::Result<()> {
        let data = data.canonicalize().with_context(|| format!("{} can't be entered", data.display()))?;
        for folder in data.ancestors() {
            let metadata = fs::metadata(folder).with_context(|| format!("{} can't be looked at", folder.display()))?;
            if !self.may_enter(&metadata) {
                let who = User::from_uid(self.uid.into()).ok().flatten().map_or_else(|| self.uid.to_string(), |user| user.name);
                bail!(
                    "The database runs as the user {who}, who may not enter {} (mode {:o}). Choose a data directory elsewhere with \
                     TOWPATH_DATA, such as /var/lib/towpath, or open that folder: chmod o+x {}",
                    folder.display(),
                    metadata.mode() & 0o7777,
                    folder.display()
                );
            }
        }
        Ok(())
    }

    fn may_enter(&self, folder: &Metadata) -> bool {
        let bit = match () {
            () if folder.uid() == self.uid => 0o100,
            () if folder.gid() == self.gid => 0o010,
            () => 0o001,
        };
        folder.mode() & bit != 0
    }
}

fn by_name() -> anyhow::Result<Option<Account>> {
    let user = User::from_name(NAME).with_context(|| format!("The system user {NAME} can't be looked up"))?;
    Ok(user.map(|user| Account { uid: user.uid.as_raw(), gid: user.gid.as_raw(), is_other: true }))
}

fn make() -> anyhow::Result<()> {
    let home = "/var/lib/towpath";
    let ways: [(&str, &[&str]); 2] = [
        ("useradd", &["--system", "--user-group", "--no-create-home", "--home-dir", home, "--shell", "/usr/sbin/nologin", NAME]),
        ("adduser", &["-S", "-D", "-H", "-h", home, "-s", "/sbin/nologin", NAME]),
    ];
    let mut said = Vec::new();
    for (program, arguments) in ways {
        match Command::new(program).args(arguments).output() {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => said.push(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => said.push(format!("{program}: {error}")),
        }
    }
    bail!(
        "PostgreSQL refuses to run as root, and the system user {NAME} could not be made ({}). Make it, start Towpath as another user, \
         or set DATABASE_URL to a PostgreSQL server.",
        said.join("; ")
    )
}
