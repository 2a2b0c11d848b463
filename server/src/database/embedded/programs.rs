//! Finds PostgreSQL's programs. Data made by one major version can be read by that version only.

use anyhow::{Context, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The programs of one installed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    pub folder: PathBuf,
    pub major: u32,
}

/// The oldest version that has everything the schema uses.
const OLDEST: u32 = crate::database::OLDEST;

/// The programs to run: those that the setting names, those of the existing data's version, or the newest.
///
/// # Errors
/// A sentence that says what to install.
pub fn find(setting: Option<&Path>, existing: Option<u32>) -> anyhow::Result<Programs> {
    let installed = match setting {
        Some(folder) => vec![ask(folder).with_context(|| format!("TOWPATH_PG_BIN names {}", folder.display()))?],
        None => installed(),
    };
    choose(installed, existing)
}

fn choose(installed: Vec<Programs>, existing: Option<u32>) -> anyhow::Result<Programs> {
    let newest = installed.iter().max_by_key(|programs| programs.major).cloned();
    let Some(newest) = newest else {
        bail!(
            "Towpath runs a private PostgreSQL, whose programs are not installed on this machine. Install them (Debian and Ubuntu: \
             apt-get install postgresql; Fedora: dnf install postgresql-server; Alpine: apk add postgresql), name their folder with \
             TOWPATH_PG_BIN, or set DATABASE_URL to a PostgreSQL server."
        );
    };
    let Some(major) = existing else {
        if newest.major < OLDEST {
            bail!(
                "The installed PostgreSQL is version {} ({}); Towpath needs version {OLDEST} or later. Install one, or set DATABASE_URL.",
                newest.major,
                newest.folder.display()
            );
        }
        return Ok(newest);
    };
    installed.into_iter().find(|programs| programs.major == major).with_context(|| {
        format!(
            "The data was made by PostgreSQL {major}, whose programs are not here (found: version {}). Install that version (Debian and \
             Ubuntu: apt-get install postgresql-{major}) and start again. With both versions installed, \
             towpath database upgrade moves the data to the newer one.",
            newest.major
        )
    })
}

fn installed() -> Vec<Programs> {
    let mut found = Vec::new();
    // The path says the version: nothing needs to be run.
    for (parent, prefix, below) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/usr/libexec", "postgresql", ""),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        found.extend(entries.filter_map(|entry| {
            let major = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            let folder = entry.path().join(below);
            complete(&folder).then_some(Programs { folder, major })
        }));
    }
    if found.is_empty() {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).filter_map(|folder| {
            // Distributions put links there; the other programs and the libraries are beside the real one.
            folder.join("postgres").canonicalize().ok()?.parent().map(Path::to_owned)
        });
        found.extend(folders.filter(|folder| complete(folder)).filter_map(|folder| ask(&folder).ok()));
    }
    found
}

fn complete(folder: &Path) -> bool {
    folder.join("postgres").is_file() && folder.join("initdb").is_file()
}

fn ask(folder: &Path) -> anyhow::Result<Programs> {
    let program = folder.join("postgres");
    let output =
        Command::new(&program).arg("--version").output().with_context(|| format!("{} can't be run", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let major = major_of(&text).with_context(|| format!("{} does not say its version", program.display()))?;
    Ok(Programs { folder: folder.to_owned(), major })
}

/// `postgres (PostgreSQL) 15.13 (Debian …)`, `postgres (PostgreSQL) 18beta1`
fn major_of(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits = number.len() - number.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(majors: &[u32]) -> Vec<Programs> {
        majors.iter().map(|major| Programs { folder: format!("/pg/{major}").into(), major: *major }).collect()
    }

    #[test]
    fn existing_data_decides_and_else_the_newest_wins() {
        assert_eq!(choose(versions(&[14, 17, 15]), None).unwrap().major, 17);
        assert_eq!(choose(versions(&[14, 17, 15]), Some(15)).unwrap().major, 15);
        let gone = choose(versions(&[17]), Some(15)).unwrap_err().to_string();
        assert!(gone.contains("apt-get install postgresql-15"), "{gone}");
        let old = choose(versions(&[13]), None).unwrap_err().to_string();
        assert!(old.contains("version 13") && old.contains("needs version 14"), "{old}");
        let none = choose(versions(&[]), None).unwrap_err().to_string();
        assert!(none.contains("apt-get install postgresql") && none.contains("DATABASE_URL"), "{none}");
    }

    #[test]
    fn a_version_is_read_from_what_the_program_says() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("postgres (GreengageDB) 6"), None);
    }
}
