//! Where an installation keeps connectors of its own.

use super::{
    reader::Reader,
    setting::{Area, Setting},
};
use std::path::{Path, PathBuf};

pub const AREA: Area = Area { title: "Connectors", settings: &[&DIRECTORY] };

const DIRECTORY: Setting = Setting {
    name: "TOWPATH_CONNECTORS",
    default: "not set: the connectors that are built in",
    allowed: "the absolute path of a directory",
    about: "Connectors of your own: each folder in this directory that holds a `connector.yaml` is one more. They are read at start; one \
            that is not in order keeps the server from starting. `towpath connector new` makes a folder to begin with.",
    secret: false,
    from_file: false,
    only_environment: false,
};

#[derive(Clone, Debug, Default)]
pub struct ConnectorsConfig {
    pub directory: Option<PathBuf>,
}

impl ConnectorsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let directory = reader.read(&DIRECTORY, |text| {
            let path = Path::new(text);
            if path.is_absolute() { Ok(path.to_owned()) } else { Err(None) }
        });
        Self { directory }
    }
}
