//! `docs/configuration.md`, made from the settings' own words. A test holds the two equal.

use super::AREAS;
use std::fmt::Write;

/// The page.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         <!-- Made from server/src/config by `UPDATE_DOCS=1 cargo test -p towpath-server --lib config`. Don't edit by hand. -->\n\n\
         Towpath starts without any. Each setting is read from the environment, else from one TOML file, under the same name; an\n\
         empty value means \"not set\". Where the table says so, the name with `_FILE` appended may name a file that holds the value, for\n\
         secrets. Every mistake in the settings is printed at start, all at once, and the server does not start with one.\n",
    );
    for area in AREAS {
        let _ = write!(page, "\n## {}\n", area.title);
        for setting in area.settings {
            let _ = write!(page, "\n### `{}`\n\n{}\n\n", setting.name, setting.about);
            let _ = writeln!(page, "- Default: {}.", setting.default);
            let _ = writeln!(page, "- Must be {}.", setting.allowed);
            if setting.from_file {
                let _ = writeln!(page, "- May be read from a file: `{}_FILE`.", setting.name);
            }
            if setting.only_environment {
                page.push_str("- Only in the environment.\n");
            }
        }
    }
    page
}
