//! What a setting is: its name, its default, what it may be, and the sentence that documents it.

/// One setting. The same name is used in the environment, in the TOML file and in messages.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    /// As the documentation shows it.
    pub default: &'static str,
    /// What a value must be; continues the sentence "… must be".
    pub allowed: &'static str,
    /// What it is for, as one or two sentences of Markdown.
    pub about: &'static str,
    /// The value is never shown.
    pub secret: bool,
    /// `<NAME>_FILE` may name a file that holds the value.
    pub from_file: bool,
    /// Can't be set in the TOML file, because it decides which file is read.
    pub only_environment: bool,
}

/// Settings that belong together: one struct, one section of the documentation.
#[derive(Debug)]
pub struct Area {
    pub title: &'static str,
    pub settings: &'static [&'static Setting],
}
