//! Settings: one struct per area, read once at start from the environment and one optional TOML file. Every mistake is found
//! before the server does anything, and all are said at once. Nothing else in the server reads the environment.

pub mod connectors;
pub mod data;
pub mod database;
pub mod document;
pub mod egress;
pub mod limits;
pub mod log;
pub mod mail;
mod parse;
pub mod reader;
pub mod secret;
pub mod server;
pub mod setting;
pub mod tls;

pub use reader::{Environment, Mistakes};
pub use secret::Secret;

use reader::Reader;
use setting::{Area, Setting};
use std::{collections::BTreeMap, path::PathBuf};

/// Every setting, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub server: server::ServerConfig,
    pub data: data::DataConfig,
    pub database: database::DatabaseConfig,
    pub egress: egress::EgressConfig,
    pub connectors: connectors::ConnectorsConfig,
    pub mail: mail::MailConfig,
    pub limits: limits::LimitsConfig,
    pub log: log::LogConfig,
    /// The TOML file that was read, if there was one.
    pub file: Option<PathBuf>,
    /// The values that were set, secrets excluded: for people who look what a server was started with.
    pub stated: BTreeMap<String, String>,
    /// What looks like a mistake but may not be one, each a sentence: said once, at start.
    pub warnings: Vec<String>,
}

/// The file of settings, where it isn't in the data directory.
pub const FILE: Setting = Setting {
    name: "TOWPATH_CONFIG",
    default: "`towpath.toml` in the data directory, if it is there",
    allowed: "the path of a TOML file",
    about: "A file with settings, each under its name: `TOWPATH_LISTEN = \"127.0.0.1:8470\"`. The environment wins over the file.",
    secret: false,
    from_file: false,
    only_environment: true,
};

/// The areas in the order in which the documentation shows them. A setting that is in no area can't be set.
pub const AREAS: &[Area] =
    &[server::AREA, tls::AREA, data::AREA, database::AREA, egress::AREA, connectors::AREA, mail::AREA, limits::AREA, log::AREA];

impl Config {
    /// Reads the settings of this process.
    ///
    /// # Errors
    /// Every mistake, each as a sentence.
    pub fn load() -> Result<Self, Mistakes> {
        Self::read(Environment::of_this_process())
    }

    /// Reads the settings from `environment` and from the file that it names.
    ///
    /// # Errors
    /// Every mistake, each as a sentence.
    pub fn read(environment: Environment) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(environment);
        let data = data::DataConfig::read(&mut reader);
        reader.open_file(&FILE, &data.directory.join("towpath.toml"));
        let server = server::ServerConfig::read(&mut reader);
        let database = database::DatabaseConfig::read(&mut reader);
        let egress = egress::EgressConfig::read(&mut reader);
        let connectors = connectors::ConnectorsConfig::read(&mut reader);
        let mail = mail::MailConfig::read(&mut reader);
        let limits = limits::LimitsConfig::read(&mut reader);
        let log = log::LogConfig::read(&mut reader);
        let data = data.with_file(&mut reader);
        let stated = reader.stated();
        let (file, warnings) = reader.finish(AREAS)?;
        Ok(Self { server, data, database, egress, connectors, mail, limits, log, file, stated, warnings })
    }
}

#[cfg(test)]
mod tests;
