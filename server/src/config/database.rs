//! Which PostgreSQL holds the data.

use super::{
    Secret,
    reader::Reader,
    setting::{Area, Setting},
};
use std::path::PathBuf;

pub const AREA: Area = Area { title: "Database", settings: &[&URL, &PROGRAMS] };

const URL: Setting = Setting {
    name: "DATABASE_URL",
    default: "not set: Towpath runs a private PostgreSQL in the data directory",
    allowed: "a URL such as postgres://user:password@host:5432/database",
    about: "A PostgreSQL server (14 or later) to use instead of the embedded one. Connect to it directly: a pooler in \
            transaction mode between them breaks prepared statements and session settings.",
    secret: true,
    from_file: true,
    only_environment: false,
};

const PROGRAMS: Setting = Setting {
    name: "TOWPATH_PG_BIN",
    default: "found: the version of the existing data, else the newest installed",
    allowed: "the absolute path of a folder that holds `postgres` and `initdb`",
    about: "Where the programs of the embedded PostgreSQL are.",
    secret: false,
    from_file: false,
    only_environment: false,
};

#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `None`: the embedded PostgreSQL.
    pub url: Option<Secret>,
    pub programs: Option<PathBuf>,
}

impl DatabaseConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let url = reader.read(&URL, |text| {
            let scheme_fits = text.starts_with("postgres://") || text.starts_with("postgresql://");
            match text.parse::<sqlx::postgres::PgConnectOptions>() {
                Ok(_) if scheme_fits => Ok(Secret::new(text)),
                _ => Err(None),
            }
        });
        let programs = reader.read(&PROGRAMS, |text| {
            let folder = PathBuf::from(text);
            match folder.is_absolute() && folder.join("postgres").is_file() && folder.join("initdb").is_file() {
                true => Ok(folder),
                false => Err(None),
            }
        });
        Self { url, programs }
    }
}
