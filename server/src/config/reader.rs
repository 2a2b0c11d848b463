//! Looks settings up (environment, then a file named by `<NAME>_FILE`, then the TOML file) and collects every mistake as a
//! sentence. It refuses names that it doesn't know in the file; in the environment it only warns, since others write there too.

use super::setting::{Area, Setting};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Read by the commands that ask a running server (`towpath run …`): not settings of one, and no typing mistakes.
const OF_CALLERS: [&str; 2] = ["TOWPATH_URL", "TOWPATH_TOKEN"];

/// What the settings are read from, apart from files.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub variables: BTreeMap<String, String>,
    /// Whether the process runs as root: decides where data goes by default.
    pub root: bool,
}

impl Environment {
    pub fn of_this_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
            .collect();
        Self { variables, root: rustix::process::geteuid().is_root() }
    }
}

/// Every mistake in the settings, each a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "a mistake" } else { "mistakes" };
        write!(formatter, "Towpath did not start: there {} {noun} in its settings.", if count == 1 { "is" } else { "are" })?;
        for mistake in &self.0 {
            write!(formatter, "\n  - {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// Reads settings one by one and remembers what was wrong.
pub struct Reader {
    environment: Environment,
    file: Option<(PathBuf, toml::Table)>,
    mistakes: Vec<String>,
    stated: BTreeMap<String, String>,
}

impl Reader {
    pub fn new(environment: Environment) -> Self {
        Self { environment, file: None, mistakes: Vec::new(), stated: BTreeMap::new() }
    }

    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Reads the TOML file that `setting` names, or `fallback` if there is one.
    pub fn open_file(&mut self, setting: &'static Setting, fallback: &Path) {
        let named = self.variable(setting.name).map(PathBuf::from);
        let path = match &named {
            Some(path) => path.as_path(),
            None if fallback.exists() => fallback,
            None => return,
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let which =
                    if named.is_some() { format!("{} names", setting.name) } else { "The file of settings is".to_owned() };
                return self.mistakes.push(format!("{which} {}, which can't be read: {error}.", path.display()));
            }
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.file = Some((path.to_owned(), table)),
            Err(error) => {
                let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
                self.mistakes.push(format!("{} is not valid TOML in line {line}: {}.", path.display(), error.message()));
            }
        }
    }

    /// The value of `setting` as `parse` reads it; `None` if it isn't set or is wrong. `parse` may say what exactly is wrong
    /// with the value, as a sentence.
    pub fn read<T>(&mut self, setting: &'static Setting, parse: impl FnOnce(&str) -> Result<T, Option<String>>) -> Option<T> {
        let (value, origin) = self.look_up(setting)?;
        match parse(value.trim()) {
            Ok(read) => {
                if !setting.secret {
                    self.stated.insert(setting.name.to_owned(), value.trim().to_owned());
                }
                Some(read)
            }
            Err(reason) => {
                let shown =
                    if setting.secret { "has a value that is not shown here".to_owned() } else { format!("is {value:?}") };
                let reason = reason.map(|reason| format!(" {reason}")).unwrap_or_default();
                self.mistakes.push(format!("{} {shown}{origin}; it must be {}.{reason}", setting.name, setting.allowed));
                None
            }
        }
    }

    /// Is there a value, right or wrong?
    pub fn is_set(&mut self, setting: &'static Setting) -> bool {
        let known = self.mistakes.len();
        let found = self.look_up(setting).is_some() || self.mistakes.len() > known;
        self.mistakes.truncate(known);
        found
    }

    pub fn has_mistakes(&self) -> bool {
        !self.mistakes.is_empty()
    }

    /// The values that were read, secrets excluded.
    pub fn stated(&self) -> BTreeMap<String, String> {
        self.stated.clone()
    }

    /// Adds a mistake that concerns more than one value.
    pub fn refuse(&mut self, mistake: String) {
        self.mistakes.push(mistake);
    }

    /// Ends the reading: the file's path and the warnings, or every mistake.
    pub fn finish(mut self, areas: &[Area]) -> Result<(Option<PathBuf>, Vec<String>), Mistakes> {
        let known: Vec<&Setting> = areas.iter().flat_map(|area| area.settings.iter().copied()).collect();
        if let Some((path, table)) = &self.file {
            for name in table.keys() {
                match known.iter().find(|setting| setting.name == name || is_file_name(setting, name)) {
                    Some(setting) if setting.only_environment => {
                        self.mistakes.push(format!("{name} can be set in the environment only, not in {}.", path.display()));
                    }
                    Some(_) => {}
                    None => {
                        let hint = nearest(name, &known).map(|name| format!(" Did you mean {name}?")).unwrap_or_default();
                        self.mistakes.push(format!("{} sets {name}, which is not a setting of Towpath.{hint}", path.display()));
                    }
                }
            }
        }
        if !self.mistakes.is_empty() {
            return Err(Mistakes(self.mistakes));
        }
        let warnings = self
            .environment
            .variables
            .keys()
            .filter(|name| name.starts_with("TOWPATH_") && !OF_CALLERS.contains(&name.as_str()))
            .filter(|name| !known.iter().any(|setting| setting.name == *name || is_file_name(setting, name)))
            .filter_map(|name| {
                let near = nearest(name, &known)?;
                Some(format!("The environment sets {name}, which is not a setting of Towpath. Did you mean {near}?"))
            })
            .collect();
        Ok((self.file.map(|(path, _)| path), warnings))
    }

    /// A variable that is set and not empty: `NAME=` in a compose file means "not set".
    fn variable(&self, name: &str) -> Option<String> {
        self.environment.variables.get(name).filter(|value| !value.trim().is_empty()).cloned()
    }

    /// The text of a setting, and where it came from as the end of a clause.
    fn look_up(&mut self, setting: &'static Setting) -> Option<(String, String)> {
        let file_name = format!("{}_FILE", setting.name);
        let direct = self.variable(setting.name);
        let named = if setting.from_file { self.variable(&file_name) } else { None };
        if direct.is_some() && named.is_some() {
            self.mistakes.push(format!("{} and {file_name} are both set; keep one of them.", setting.name));
            return None;
        }
        if let Some(value) = direct {
            return Some((value, String::new()));
        }
        if let Some(path) = named {
            return self.read_value_file(&file_name, &path);
        }
        let (path, table) = self.file.as_ref()?;
        let path = path.clone();
        if let Some(value) = table.get(setting.name) {
            return match text_of(value) {
                Some(value) => Some((value, format!(" in {}", path.display()))),
                None => {
                    let message = format!("{} in {} must be {}.", setting.name, path.display(), setting.allowed);
                    self.mistakes.push(message);
                    None
                }
            };
        }
        let named = table.get(&file_name).filter(|_| setting.from_file).and_then(text_of)?;
        self.read_value_file(&file_name, &named)
    }

    fn read_value_file(&mut self, name: &str, path: &str) -> Option<(String, String)> {
        match std::fs::read_to_string(path) {
            Ok(value) => Some((value.trim_end_matches(['\r', '\n']).to_owned(), format!(" in the file {path}"))),
            Err(error) => {
                self.mistakes.push(format!("{name} names {path}, which can't be read: {error}."));
                None
            }
        }
    }
}

fn is_file_name(setting: &Setting, name: &str) -> bool {
    setting.from_file && name.strip_suffix("_FILE") == Some(setting.name)
}

/// A TOML value as the text that the environment would hold: a list is written with commas.
fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>().map(|items| items.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

/// The known name that `name` is probably a slip of the pen for.
fn nearest(name: &str, known: &[&'static Setting]) -> Option<&'static str> {
    known
        .iter()
        .map(|setting| (distance(&name.to_ascii_uppercase(), setting.name), setting.name))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be added, removed or changed to make `left` into `right` (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
