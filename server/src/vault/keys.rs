//! The key file: one line per key, `<number> <base64 of 32 bytes>`, the last line is what new values are sealed with. Made once,
//! readable by its owner alone, and only ever added to: a lost key is an error that says so.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use parking_lot::RwLock;
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

pub type Key = [u8; 32];

/// The keys of an installation, oldest first; there is at least one.
pub struct Keys(Vec<(u8, Zeroizing<Key>)>);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    #[error("the key file {path} can't be read or made: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "the key file {path} is not readable: line {line} should be a number from 1 to 255, a space and 32 bytes in base64",
        path = path.display()
    )]
    Malformed { path: PathBuf, line: usize },
    #[error(
        "the key file {path} is missing, and the database holds secrets that only it can open. Put the file back from your \
         backup (TOWPATH_KEY_FILE says where it is expected). To go on without it, delete the sealed secrets; they can't be recovered",
        path = path.display()
    )]
    Lost { path: PathBuf },
    #[error("the key file {path} holds key number 255, which is the last one there can be", path = path.display())]
    Full { path: PathBuf },
}

/// A key file that is read again when somebody names a key that wasn't in it: another process may have added one.
pub struct KeyFile {
    path: Option<PathBuf>,
    keys: RwLock<(Keys, Stamp)>,
}

/// What tells one state of the file from the next: which file it is, how long, and when it was written. A file that is as it was is not
/// read again for a key that isn't in it.
type Stamp = Option<(u64, u64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    let file = fs::metadata(path).ok()?;
    Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

impl KeyFile {
    /// See [`Keys::load`].
    pub fn open(path: &Path, sealed: bool) -> Result<Self, NoKeys> {
        let keys = Keys::load(path, sealed)?;
        Ok(Self { path: Some(path.to_owned()), keys: RwLock::new((keys, None)) })
    }

    pub fn in_memory(keys: Keys) -> Self {
        Self { path: None, keys: RwLock::new((keys, None)) }
    }

    /// The key that new values are sealed with, and its number.
    pub fn newest(&self) -> (u8, Zeroizing<Key>) {
        let keys = self.keys.read();
        let (number, key) = keys.0.newest();
        (number, Zeroizing::new(*key))
    }

    pub fn key(&self, number: u8) -> Option<Zeroizing<Key>> {
        if let Some(key) = self.keys.read().0.get(number) {
            return Some(Zeroizing::new(*key));
        }
        self.reread();
        self.keys.read().0.get(number).map(|key| Zeroizing::new(*key))
    }

    /// All keys, the newest first.
    pub fn all(&self) -> Vec<Zeroizing<Key>> {
        self.keys.read().0.0.iter().rev().map(|(_, key)| key.clone()).collect()
    }

    /// Adds a key, which is the newest from then on, and answers with its number. It is on disk when this returns; a crash before
    /// that leaves the file as it was.
    pub fn add(&self) -> Result<u8, NoKeys> {
        let Some(path) = &self.path else {
            let mut keys = self.keys.write();
            return keys.0.add().ok_or_else(|| NoKeys::Full { path: PathBuf::from("in memory") });
        };
        let io = |source| NoKeys::Io { path: path.clone(), source };
        // Two processes that add at the same time do it one after the other.
        let lock = fs::File::open(path).map_err(io)?;
        lock.lock().map_err(io)?;
        let mut keys = Keys::load(path, true)?;
        let number = keys.add().ok_or_else(|| NoKeys::Full { path: path.clone() })?;
        keys.replace(path).map_err(io)?;
        *self.keys.write() = (keys, None);
        Ok(number)
    }

    fn reread(&self) {
        let Some(path) = &self.path else { return };
        let mut keys = self.keys.write();
        // Before it is read: what is written meanwhile is seen the next time.
        let now = stamp(path);
        if now.is_some() && keys.1 == now {
            return;
        }
        keys.1 = now;
        match Keys::load(path, true) {
            Ok(read) => keys.0 = read,
            Err(error) => tracing::error!(%error, "the key file could not be read again"),
        }
    }
}

impl Keys {
    /// A new key, as number 1.
    pub fn generate() -> Self {
        Self(vec![(1, Zeroizing::new(rand::random()))])
    }

    /// The key that new values are sealed with, and its number.
    pub fn newest(&self) -> (u8, &Key) {
        let (number, key) = self.0.last().expect("there is at least one key: every constructor sees to it");
        (*number, key)
    }

    pub fn get(&self, number: u8) -> Option<&Key> {
        self.0.iter().find(|(this, _)| *this == number).map(|(_, key)| &**key)
    }

    /// Reads the key file, or makes it at first start. With `sealed` (the database holds sealed values already) a missing file
    /// is an error: a new key would not open them.
    pub fn load(path: &Path, sealed: bool) -> Result<Self, NoKeys> {
        let io = |source| NoKeys::Io { path: path.to_owned(), source };
        match fs::read_to_string(path) {
            Ok(text) => {
                let mode = fs::metadata(path).map_err(io)?.permissions().mode();
                if mode & 0o077 != 0 {
                    tracing::warn!(path = %path.display(), "other users of this machine may read the key file; chmod 600 mends it");
                }
                Self::parse(&Zeroizing::new(text)).map_err(|line| NoKeys::Malformed { path: path.to_owned(), line })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && sealed => Err(NoKeys::Lost { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path).map_err(io),
            Err(error) => Err(io(error)),
        }
    }

    /// Writes a new file whole or not at all; when another process was first, its file is read.
    fn create(path: &Path) -> io::Result<Self> {
        let folder = folder_of(path);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let keys = Self::generate();
        let draft = folder.join(format!(".key-{}", uuid::Uuid::now_v7().simple()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        let written = file.write_all(keys.print().as_bytes()).and_then(|()| file.sync_all());
        let linked = written.and_then(|()| fs::hard_link(&draft, path));
        fs::remove_file(&draft)?;
        match linked {
            Ok(()) => fs::File::open(folder)?.sync_all().map(|()| keys),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::parse(&fs::read_to_string(path)?).map_err(|line| io::Error::other(format!("line {line} is not a key")))
            }
            Err(error) => Err(error),
        }
    }

    /// Adds a new key with the next number; `None` when there is none.
    fn add(&mut self) -> Option<u8> {
        let number = self.0.iter().map(|(number, _)| *number).max()?.checked_add(1)?;
        self.0.push((number, Zeroizing::new(rand::random())));
        Some(number)
    }

    /// Writes the file anew, whole or not at all.
    fn replace(&self, path: &Path) -> io::Result<()> {
        let folder = folder_of(path);
        let draft = folder.join(format!(".key-{}", uuid::Uuid::now_v7().simple()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        let written = file.write_all(self.print().as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = written.and_then(|()| fs::rename(&draft, path)) {
            fs::remove_file(&draft)?;
            return Err(error);
        }
        fs::File::open(folder)?.sync_all()
    }

    fn print(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|(number, key)| format!("{number} {}\n", BASE64_STANDARD.encode(**key))).collect())
    }

    /// The keys, or the number of the first line that isn't one.
    fn parse(text: &str) -> Result<Self, usize> {
        let mut keys: Vec<(u8, Zeroizing<Key>)> = Vec::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let key = line.split_once(' ').and_then(|(number, key)| {
                let number: u8 = number.parse().ok().filter(|number| *number > 0)?;
                let bytes = Zeroizing::new(BASE64_STANDARD.decode(key.trim()).ok()?);
                Some((number, Zeroizing::new(Key::try_from(bytes.as_slice()).ok()?)))
            });
            match key {
                Some((number, key)) if keys.iter().all(|(other, _)| *other != number) => keys.push((number, key)),
                _ => return Err(at + 1),
            }
        }
        if keys.is_empty() { Err(1) } else { Ok(Self(keys)) }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            Self(std::env::temp_dir().join(format!("towpath-keys-{}", uuid::Uuid::now_v7().simple())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_first_start_makes_a_key_that_only_its_owner_reads_and_the_second_reads_it() {
        let folder = Folder::new();
        let path = folder.0.join("keys/vault.key");
        let made = Keys::load(&path, false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
        assert_eq!(Keys::load(&path, true).unwrap().newest(), made.newest());
    }

    #[test]
    fn a_lost_key_is_an_error_and_not_a_new_key() {
        let folder = Folder::new();
        let path = folder.0.join("vault.key");
        assert!(matches!(Keys::load(&path, true), Err(NoKeys::Lost { .. })));
        assert!(!path.exists());
    }

    #[test]
    fn the_last_line_seals_and_the_others_still_open() {
        let key = |byte: u8| BASE64_STANDARD.encode([byte; 32]);
        let keys = Keys::parse(&format!("1 {}\n2 {}\n", key(1), key(2))).unwrap();
        assert_eq!(keys.newest(), (2, &[2; 32]));
        assert_eq!(keys.get(1), Some(&[1; 32]));
        assert_eq!(keys.get(3), None);
    }

    #[test]
    fn an_added_key_seals_and_other_processes_find_it_by_its_number() {
        let folder = Folder::new();
        let path = folder.0.join("vault.key");
        let (one, other) = (KeyFile::open(&path, false).unwrap(), KeyFile::open(&path, true).unwrap());
        let first = one.newest();
        assert_eq!(one.add().unwrap(), 2);
        assert_eq!(one.newest().0, 2);
        assert_eq!(one.key(1).unwrap(), first.1);
        assert_eq!(other.newest().0, 1, "it has not looked");
        assert_eq!(other.key(2).unwrap(), one.newest().1);
        assert_eq!(other.newest().0, 2);
        assert_eq!(other.key(9), None);
        assert_eq!(one.add().unwrap(), 3);
        assert_eq!(other.key(3).unwrap(), one.newest().1, "as often as keys are added");
        assert_eq!(other.add().unwrap(), 4);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_line_that_is_no_key_is_named() {
        let key = BASE64_STANDARD.encode([1; 32]);
        for (text, line) in [
            (String::new(), 1),
            (format!("0 {key}"), 1),
            (format!("1 {key}\n1 {key}"), 2),
            (format!("1 {key}\n2 short"), 2),
            (key.clone(), 1),
        ] {
            assert_eq!(Keys::parse(&text).err(), Some(line), "{text:?}");
        }
    }
}
