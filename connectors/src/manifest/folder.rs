//! A connector's folder: its files, wherever they are. Those of this repository are compiled in; those of an installation are read from
//! a directory. It reads files and nothing else.

use rust_embed::Embed;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR"]
#[include = "*/connector.yaml"]
#[include = "*/icon.svg"]
#[include = "*/README.md"]
#[include = "*/cases/*.yaml"]
#[exclude = "src/*"]
struct Embedded;

/// The largest file of a folder that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// A connector's files by their names: `connector.yaml`, `icon.svg`, `README.md`, `cases/<name>.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    pub name: String,
    files: BTreeMap<String, Cow<'static, [u8]>>,
}

impl Folder {
    /// The folders that are compiled in, by their names.
    pub fn embedded() -> Vec<Self> {
        let names: BTreeSet<String> =
            Embedded::iter().filter_map(|path| Some(path.strip_suffix("/connector.yaml")?.to_owned())).collect();
        let folder = |name: String| {
            let prefix = format!("{name}/");
            let files = Embedded::iter()
                .filter_map(|path| Some((path.strip_prefix(&prefix)?.to_owned(), Embedded::get(&path)?.data)))
                .collect();
            Self { name, files }
        };
        names.into_iter().map(folder).collect()
    }

    /// One folder on disk.
    ///
    /// # Errors
    /// When it can't be read, or has no `connector.yaml`.
    pub fn open(path: &Path) -> io::Result<Self> {
        let name = path.canonicalize()?.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut files = BTreeMap::new();
        for wanted in ["connector.yaml", "icon.svg", "README.md"] {
            match small(&path.join(wanted)) {
                Ok(bytes) => _ = files.insert(wanted.to_owned(), Cow::Owned(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound && wanted != "connector.yaml" => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.join(wanted).display()))),
            }
        }
        match fs::read_dir(path.join("cases")) {
            Ok(cases) => {
                for case in cases {
                    let case = case?;
                    let file = case.file_name().to_string_lossy().into_owned();
                    if file.ends_with(".yaml") {
                        files.insert(format!("cases/{file}"), Cow::Owned(small(&case.path())?));
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self { name, files })
    }

    /// All folders below a directory that hold a `connector.yaml`, by their names.
    ///
    /// # Errors
    /// When the directory or one of them can't be read.
    pub fn below(directory: &Path) -> io::Result<Vec<Self>> {
        let mut paths: Vec<_> = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        paths.sort();
        paths.into_iter().filter(|path| path.join("connector.yaml").is_file()).map(|path| Self::open(&path)).collect()
    }

    /// A folder that is nowhere on disk: files by their names.
    pub fn of(name: &str, files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = files.into_iter().map(|(file, text)| (file, Cow::Owned(text.into_bytes()))).collect();
        Self { name: name.into(), files }
    }

    pub fn text(&self, file: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(file)?).ok()
    }

    /// The recorded exchanges: names and texts.
    pub fn cases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(name, bytes)| {
            let name = name.strip_prefix("cases/")?;
            Some((name, std::str::from_utf8(bytes).unwrap_or_default()))
        })
    }
}

fn small(path: &Path) -> io::Result<Vec<u8>> {
    let size = fs::metadata(path)?.len();
    if size > MAX_FILE {
        return Err(io::Error::other(format!("the file has {size} bytes; {MAX_FILE} are the most")));
    }
    fs::read(path)
}
