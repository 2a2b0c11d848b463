//! How much is taken in, and how long it is kept.

use super::{
    parse,
    reader::Reader,
    setting::{Area, Setting},
};

pub const AREA: Area = Area { title: "Limits", settings: &[&MAX_BODY, &RETENTION] };

const MAX_BODY: Setting = Setting {
    name: "TOWPATH_MAX_BODY",
    default: "`5MiB`",
    allowed: "a size from 1KiB to 1GiB, such as 5MiB",
    about: "The largest body of a request; a larger one is refused with 413.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const RETENTION: Setting = Setting {
    name: "TOWPATH_RETENTION_DAYS",
    default: "`30`",
    allowed: "a whole number of days from 1 to 3650",
    about: "How long runs and their payloads are kept after they ended.",
    secret: false,
    from_file: false,
    only_environment: false,
};

#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// Bytes.
    pub max_body: u64,
    pub retention_days: u32,
}

impl LimitsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let size = |text: &str| parse::bytes(text).filter(|bytes| (1 << 10..=1 << 30).contains(bytes)).ok_or(None);
        let days = |text: &str| text.parse().ok().filter(|days| (1..=3650).contains(days)).ok_or(None);
        Self {
            max_body: reader.read(&MAX_BODY, size).unwrap_or(5 << 20),
            retention_days: reader.read(&RETENTION, days).unwrap_or(30),
        }
    }
}
