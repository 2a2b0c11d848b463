//! Where Towpath keeps what isn't in PostgreSQL, and PostgreSQL itself when it is the embedded one.

use super::{
    FILE,
    reader::Reader,
    setting::{Area, Setting},
};
use std::path::{Path, PathBuf};

pub const AREA: Area = Area { title: "Data", settings: &[&DIRECTORY, &KEY_FILE, &FILE] };

const DIRECTORY: Setting = Setting {
    name: "TOWPATH_DATA",
    default: "`/var/lib/towpath` as root, else `~/.local/share/towpath`",
    allowed: "an absolute path",
    about: "The data directory: the embedded PostgreSQL, the key file, `towpath.toml`. It is made when it isn't there.",
    secret: false,
    from_file: false,
    only_environment: true,
};

const KEY_FILE: Setting = Setting {
    name: "TOWPATH_KEY_FILE",
    default: "`towpath.key` in the data directory",
    allowed: "an absolute path",
    about: "The key that seals secrets in the database. It is made at first start. Keep a copy apart from the database's backup: \
            without it the secrets can't be read.",
    secret: false,
    from_file: false,
    only_environment: false,
};

#[derive(Clone, Debug)]
pub struct DataConfig {
    pub directory: PathBuf,
    pub key_file: PathBuf,
}

impl DataConfig {
    /// Reads the directory only: the TOML file may lie in it.
    pub(super) fn read(reader: &mut Reader) -> Self {
        let directory = reader.read(&DIRECTORY, absolute).unwrap_or_else(|| default_directory(reader));
        let key_file = directory.join("towpath.key");
        Self { directory, key_file }
    }

    /// Reads what may be in the TOML file.
    pub(super) fn with_file(mut self, reader: &mut Reader) -> Self {
        if let Some(path) = reader.read(&KEY_FILE, absolute) {
            self.key_file = path;
        }
        self
    }
}

fn absolute(text: &str) -> super::parse::Parsed<PathBuf> {
    let path = Path::new(text);
    if path.is_absolute() { Ok(path.to_owned()) } else { Err(None) }
}

fn default_directory(reader: &mut Reader) -> PathBuf {
    let environment = reader.environment();
    if environment.root {
        return PathBuf::from("/var/lib/towpath");
    }
    let home = |name: &str| environment.variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    match home("XDG_DATA_HOME").or_else(|| home("HOME").map(|home| home.join(".local/share"))) {
        Some(path) => path.join("towpath"),
        None => {
            reader.refuse("HOME is not set, so there is no place for data. Set TOWPATH_DATA to a directory.".to_owned());
            PathBuf::new()
        }
    }
}
