//! Reads a manifest's text: bounded, without anchors, and with the place of what is wrong. It judges the form only; `check` judges
//! what the manifest says.

use super::document::{FORMAT, Manifest};
use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy, Options};
use std::fmt;
use towpath_engine::Json;

/// The longest manifest, in bytes.
pub const MAX_BYTES: usize = 512 * 1024;

/// Something that is wrong in a manifest, for its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `actions.send_message.json.text`; empty when it isn't about one place.
    pub path: String,
    /// From 1, where known.
    pub line: Option<u64>,
    pub column: Option<u64>,
    /// A sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Reads the text.
pub fn read(text: &str) -> Result<Manifest, Problem> {
    if text.len() > MAX_BYTES {
        return Err(problem(None, format!("The manifest has {} bytes; {MAX_BYTES} are the most.", text.len())));
    }
    let written: Json = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let error = error.without_snippet();
        let place = error.location().filter(|at| at.line() > 0).map(|at| (at.line(), at.column()));
        // Whatever the reader stumbled over, this is nearly always the reason.
        if let Some(place) = unquoted(text) {
            return problem(
                Some(place),
                "An expression must stand in quotation marks: \"{{ … }}\". YAML takes a bare {{ for a map.",
            );
        }
        let what = error.to_string();
        let cut = [" at line ", ", line ", " (line "].iter().filter_map(|mark| what.rfind(mark)).min();
        problem(place, sentence(&what[..cut.unwrap_or(what.len())]))
    })?;
    let manifest: Manifest =
        typed(written).map_err(|(path, what)| Problem { message: sentence(&what), ..problem_at(text, path) })?;
    if manifest.towpath != FORMAT {
        let message = format!("This manifest is written in format {}; this Towpath reads format {FORMAT}.", manifest.towpath);
        return Err(Problem { message, ..problem_at(text, "towpath".into()) });
    }
    Ok(manifest)
}

/// What was written, as `T`; else the path of what doesn't fit, and why. By way of JSON, because the YAML reader's own code is
/// compiled once for each type that it reads into.
pub fn typed<T: DeserializeOwned>(written: Json) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(written).map_err(|error| {
        let path = error.path().to_string();
        let path = path.split('.').filter(|name| !name.is_empty() && *name != "?").collect::<Vec<_>>().join(".");
        (path, error.into_inner().to_string())
    })
}

fn problem_at(text: &str, path: String) -> Problem {
    let place = locate(text, &path);
    Problem { path, ..problem(place, "") }
}

fn problem(place: Option<(u64, u64)>, message: impl Into<String>) -> Problem {
    Problem { path: String::new(), line: place.map(|at| at.0), column: place.map(|at| at.1), message: message.into() }
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_nodes: 20_000,
        max_events: 60_000,
        max_depth: 64,
        max_aliases: 0,
        max_anchors: 0,
        max_documents: 1,
    };
    serde_saphyr::options! {
        budget: budget,
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    }
}

/// The first `{{` that begins a value and stands in no quotation marks.
fn unquoted(text: &str) -> Option<(u64, u64)> {
    for (line, content) in (1..).zip(text.lines()) {
        let (mut quote, mut before) = (None, ' ');
        let mut last = ':';
        let chars: Vec<char> = content.chars().collect();
        for (at, &c) in chars.iter().enumerate() {
            match quote {
                Some('"') if c == '"' && before != '\\' => quote = None,
                Some('\'') if c == '\'' => quote = None,
                Some(_) => {}
                None if c == '#' && before.is_whitespace() => break,
                None if (c == '"' || c == '\'') && ":-,[{".contains(last) => quote = Some(c),
                None if c == '{'
                    && chars.get(at + 1) == Some(&'{')
                    && ":-,[".contains(last)
                    && before.is_whitespace()
                    && at > 0 =>
                {
                    return Some((line, at as u64 + 1));
                }
                None => {}
            }
            if !c.is_whitespace() {
                last = c;
            }
            before = c;
        }
    }
    None
}

/// Where the last name of a path stands, as far as its names can be followed down the text.
pub fn locate(text: &str, path: &str) -> Option<(u64, u64)> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut line, mut column, mut found) = (0, 0, None);
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let (name, item) = match name.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']').parse::<usize>().ok()),
            None => (name, None),
        };
        let Some((at, start)) = (line..lines.len()).find_map(|at| {
            let from = if at == line { column } else { 0 };
            key(lines[at], name, from).map(|start| (at, start))
        }) else {
            break;
        };
        (line, column) = (at, start + name.len());
        found = Some((line as u64 + 1, start as u64 + 1));
        if let Some(item) = item {
            // The n-th dash below the key.
            let dashes = (line + 1..lines.len()).filter(|at| lines[*at].trim_start().starts_with("- "));
            let indent = |at: usize| lines[at].len() - lines[at].trim_start().len();
            let mut dashes = dashes.peekable();
            let depth = dashes.peek().map(|at| indent(*at));
            if let Some(at) = dashes.filter(|at| Some(indent(*at)) == depth).nth(item) {
                (line, column) = (at, 0);
                found = Some((line as u64 + 1, indent(at) as u64 + 1));
            }
        }
    }
    found
}

/// Where `name:` stands as a key in a line, from a column on.
fn key(line: &str, name: &str, from: usize) -> Option<usize> {
    let rest = line.get(from..)?;
    rest.match_indices(name).map(|(at, _)| from + at).find(|&at| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].trim_start_matches(['"', '\'']);
        before.is_none_or(|c| c.is_whitespace() || "{,\"'-".contains(c)) && after.starts_with(':')
    })
}

fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "towpath: 1\nconnector: { id: x, name: X, version: 1.0.0, sentence: x, categories: [a], hosts: [x.example] }\n";

    fn said(rest: &str) -> String {
        read(&format!("{HEAD}{rest}")).map(|_| "fine".to_owned()).unwrap_or_else(|problem| problem.to_string())
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(said(""), "fine");
        assert!(said("acitons: {}").starts_with("line 3, column 1: acitons: Unknown field `acitons`"), "{}", said("acitons: {}"));
        assert!(said("actions:\n  a: { effect: read, internal: yes }").starts_with("line 4"), "strict booleans");
        assert!(said("actions:\n  a: &x { effect: read }\n  b: *x").starts_with("line 4"), "no anchors");
        assert!(
            said("actions:\n  a: { effect: read }\n  a: { effect: read }").to_lowercase().contains("duplicate"),
            "no key twice"
        );
        assert!(said("actions:\n  a: { effect: maybe }").contains("maybe"));
    }

    #[test]
    fn a_bare_expression_has_its_own_message() {
        let table = [
            ("http:\n  base: {{ connection.base }}", 4, 9),
            ("actions:\n  a:\n    effect: read\n    query: { q: {{ input.q }} }", 6, 17),
            ("actions:\n  a:\n    effect: read\n    json:\n      - {{ input.q }}", 7, 9),
        ];
        for (text, line, column) in table {
            let said = said(text);
            assert!(
                said.starts_with(&format!("line {line}, column {column}: An expression must stand in quotation marks")),
                "{said}"
            );
        }
        assert!(!said("actions:\n  a: { effect: maybe, get: \"/{{ input.x }}\" }").contains("quotation"));
    }

    #[test]
    fn a_path_leads_to_its_line() {
        let text = "towpath: 1\nhttp:\n  errors:\n    - { if: a }\n    - { if: b, say: c }\nactions:\n  send:\n    json: { text: x, to: y }\n";
        assert_eq!(locate(text, "actions.send.json.to"), Some((8, 22)));
        assert_eq!(locate(text, "http.errors[1].say"), Some((5, 16)));
        assert_eq!(locate(text, "nowhere"), None);
    }
}
