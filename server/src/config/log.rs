//! What is logged, and in which form.

use super::{
    parse,
    reader::Reader,
    setting::{Area, Setting},
};
use tracing_subscriber::EnvFilter;

pub const AREA: Area = Area { title: "Logs", settings: &[&LOG] };

const LOG: Setting = Setting {
    name: "TOWPATH_LOG",
    default: "`info`; text on a terminal, else JSON",
    allowed: "a level (error, warn, info, debug, trace), perhaps with levels for parts (info,sqlx=debug), and perhaps the word \
              text or json",
    about: "What is logged to standard error, and in which form: `info,json`, `debug,text`, `info,sqlx=debug`.",
    secret: false,
    from_file: false,
    only_environment: false,
};

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text on a terminal, else JSON.
    Automatic,
    Text,
    Json,
}

#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Directives of `tracing_subscriber::EnvFilter`, checked.
    pub filter: String,
    pub format: Format,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: Format::Automatic }
    }
}

impl LogConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        reader.read(&LOG, log).unwrap_or_default()
    }
}

fn log(text: &str) -> parse::Parsed<LogConfig> {
    let mut format = Format::Automatic;
    let mut directives = Vec::new();
    for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        match directive {
            "text" => format = Format::Text,
            "json" => format = Format::Json,
            // A bare word would be taken as the name of a part: "inof" must not switch everything off.
            word if !word.contains('=') && word.parse::<tracing::level_filters::LevelFilter>().is_err() => {
                return Err(Some(format!("{word:?} is not a level.")));
            }
            _ => directives.push(directive),
        }
    }
    if directives.is_empty() {
        directives.push("info");
    }
    let filter = directives.join(",");
    EnvFilter::builder().parse(&filter).map_err(|error| Some(format!("{error}.")))?;
    Ok(LogConfig { filter, format })
}
