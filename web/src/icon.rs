//! Icons: 20 × 20 strokes, drawn inline so that they take the colour of the text. The paths live in `assets/icons.json`, which the
//! scripts read too.

use std::{collections::HashMap, fmt, sync::LazyLock};

static PATHS: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../assets/icons.json")).expect("a test reads the file"));

/// An icon as SVG. It is decoration: what carries it has words or an `aria-label`.
pub struct Icon(Drawing);

enum Drawing {
    Path(&'static str),
    /// A connector's own.
    Connector(String),
}

/// The icon of this name, for templates: `{{ crate::icon("plus") }}`. A name that isn't ours is a connector's, which draws its own.
pub fn icon(name: impl AsRef<str>) -> Icon {
    let name = name.as_ref();
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    match PATHS.get(name) {
        Some(path) => Icon(Drawing::Path(path)),
        None if plain => Icon(Drawing::Connector(name.to_owned())),
        None => Icon(Drawing::Path(PATHS.get("circle").map_or("", String::as_str))),
    }
}

/// Is there an icon of this name?
pub fn exists(name: &str) -> bool {
    PATHS.contains_key(name)
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Drawing::Path(path) => {
                write!(f, r#"<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="{path}"/></svg>"#)
            }
            Drawing::Connector(id) => {
                write!(f, r#"<img class="icon" src="/connectors/{id}/icon.svg" alt="" width="20" height="20">"#)
            }
        }
    }
}

impl askama::filters::HtmlSafe for Icon {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn every_path_is_plain_path_data() {
        for (name, path) in PATHS.iter() {
            assert!(path.chars().all(|c| c.is_ascii_alphanumeric() || " .,-".contains(c)), "{name}");
        }
    }

    #[test]
    fn every_icon_that_a_template_names_exists() {
        fn walk(folder: &Path, seen: &mut usize) {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    walk(&entry.path(), seen);
                    continue;
                }
                for piece in fs::read_to_string(entry.path()).unwrap().split("crate::icon(\"").skip(1) {
                    let name = piece.split('"').next().unwrap();
                    assert!(exists(name), "{}: no icon {name}", entry.path().display());
                    *seen += 1;
                }
            }
        }
        let mut seen = 0;
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut seen);
        assert!(seen > 0);
    }
}
