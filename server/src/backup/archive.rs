//! The file: written whole or not at all, closed to others, and checked from beginning to end before it is believed.

use super::manifest::{End, FORMAT, Manifest, Size};
use anyhow::{Context, bail, ensure};
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use tar::{Archive, Builder, EntryType, Header};

/// Rows are written in pieces of about this many bytes: an entry's size comes before its content.
const PIECE: usize = 4 << 20;
/// Nothing that we wrote is larger; a file that says otherwise is not ours.
const LARGEST_PIECE: u64 = 1 << 30;

/// A backup that is being written.
pub struct Writer {
    tar: Builder<GzEncoder<BufWriter<File>>>,
    draft: PathBuf,
    to: PathBuf,
    end: End,
    table: String,
    piece: Vec<u8>,
    number: u32,
    when: u64,
}

impl Writer {
    /// Begins a file beside `to`, which must not be there.
    pub fn create(to: &Path, manifest: &Manifest) -> anyhow::Result<Self> {
        ensure!(!to.exists(), "{} is there already. Name a file that isn't.", to.display());
        let mut name = to.file_name().with_context(|| format!("{} is not the name of a file", to.display()))?.to_owned();
        name.push(".unfinished");
        let draft = to.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .with_context(|| format!("{} can't be written", draft.display()))?;
        let mut writer = Self {
            tar: Builder::new(GzEncoder::new(BufWriter::new(file), Compression::new(4))),
            draft,
            to: to.to_owned(),
            end: End::default(),
            table: String::new(),
            piece: Vec::new(),
            number: 0,
            when: u64::try_from(manifest.made_at.timestamp()).unwrap_or_default(),
        };
        writer.entry("manifest.json", &serde_json::to_vec_pretty(manifest)?)?;
        Ok(writer)
    }

    /// The rows that follow are this table's.
    pub fn table(&mut self, name: &str) -> anyhow::Result<()> {
        self.flush()?;
        name.clone_into(&mut self.table);
        self.number = 0;
        self.end.tables.insert(name.to_owned(), Size::default());
        Ok(())
    }

    /// Rows as COPY writes them: text, a line each.
    pub fn rows(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let size = self.end.tables.get_mut(&self.table).context("rows without a table")?;
        size.bytes += bytes.len() as u64;
        // A newline inside a value is written as two other characters.
        size.rows += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Ends the file and gives it its name. Answers with its size.
    pub fn finish(mut self) -> anyhow::Result<u64> {
        self.flush()?;
        let end = serde_json::to_vec_pretty(&self.end)?;
        self.entry("end.json", &end)?;
        let place = self.draft.clone();
        let file = || -> std::io::Result<u64> {
            let file = self.tar.into_inner()?.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.sync_all()?;
            // Not over a file that came meanwhile.
            fs::hard_link(&self.draft, &self.to)?;
            fs::remove_file(&self.draft)?;
            if let Some(folder) = self.to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                File::open(folder)?.sync_all()?;
            }
            Ok(file.metadata()?.len())
        };
        file().with_context(|| format!("{} can't be written", place.display()))
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        self.number += 1;
        let piece = std::mem::take(&mut self.piece);
        self.entry(&format!("data/{}/{:06}", self.table, self.number), &piece)?;
        self.piece = piece;
        self.piece.clear();
        Ok(())
    }

    fn entry(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(self.when);
        self.tar.append_data(&mut header, name, bytes).with_context(|| format!("{} can't be written", self.draft.display()))
    }
}

/// One entry of a backup that is being read.
pub enum Piece {
    Rows { table: String, bytes: Vec<u8> },
    End(End),
}

/// Reads the manifest and hands every following piece to `each`.
pub fn read(path: &Path, mut each: impl FnMut(Piece) -> anyhow::Result<()>) -> anyhow::Result<Manifest> {
    let file = File::open(path).with_context(|| format!("{} can't be read", path.display()))?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::new(file)));
    let damaged = || format!("{} is not a whole backup of Towpath", path.display());
    let mut manifest = None;
    for entry in archive.entries().with_context(damaged)? {
        let mut entry = entry.with_context(damaged)?;
        let name = entry.path().with_context(damaged)?.to_string_lossy().into_owned();
        ensure!(entry.size() <= LARGEST_PIECE, "{}: {name} is larger than anything that Towpath writes", path.display());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).with_context(damaged)?;
        match (&manifest, name.as_str()) {
            (None, "manifest.json") => {
                let read: Manifest = serde_json::from_slice(&bytes).with_context(damaged)?;
                ensure!(
                    read.format == FORMAT,
                    "{} was written by Towpath {} in a format that this one does not know. Use that one or a newer one.",
                    path.display(),
                    read.towpath
                );
                manifest = Some(read);
            }
            (None, _) => bail!("{}: it does not begin with a manifest", damaged()),
            (Some(_), "end.json") => each(Piece::End(serde_json::from_slice(&bytes).with_context(damaged)?))?,
            (Some(_), name) => match name.strip_prefix("data/").and_then(|name| name.split_once('/')) {
                Some((table, _)) => each(Piece::Rows { table: table.to_owned(), bytes })?,
                None => bail!("{}: {name} has no place in it", damaged()),
            },
        }
    }
    manifest.with_context(damaged)
}

/// Reads the whole file and compares it with what it says about itself.
pub fn check(path: &Path) -> anyhow::Result<Manifest> {
    let mut seen = End::default();
    let mut end = None;
    let manifest = read(path, |piece| {
        match piece {
            Piece::Rows { table, bytes } => {
                let size = seen.tables.entry(table).or_default();
                size.bytes += bytes.len() as u64;
                size.rows += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            }
            Piece::End(said) => end = Some(said),
        }
        Ok(())
    })?;
    let end = end.with_context(|| format!("{} was cut off: its end is missing", path.display()))?;
    for (table, size) in &end.tables {
        ensure!(
            seen.tables.get(table).copied().unwrap_or_default() == *size,
            "{} is damaged: the rows of {table} are not what they were",
            path.display()
        );
        ensure!(
            manifest.tables.iter().any(|known| known.name == *table),
            "{} holds {table}, which its manifest does not name",
            path.display()
        );
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::manifest::Table;
    use chrono::DateTime;

    fn manifest() -> Manifest {
        Manifest {
            format: FORMAT,
            towpath: "0.1.0".into(),
            postgresql: "15".into(),
            made_at: DateTime::UNIX_EPOCH,
            migrations: Vec::new(),
            tables: vec![Table { name: "person".into(), columns: vec!["id".into()] }],
            partitions: Vec::new(),
            sequences: std::collections::BTreeMap::new(),
            settings: std::collections::BTreeMap::new(),
            note: String::new(),
        }
    }

    #[test]
    fn a_file_comes_back_as_it_was_written_and_a_damaged_one_is_refused() {
        let folder = std::env::temp_dir().join(format!("towpath-archive-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("backup");
        let mut writer = Writer::create(&path, &manifest()).unwrap();
        writer.table("person").unwrap();
        let row = [b"x".repeat(1 << 20), b"\n".to_vec()].concat();
        for _ in 0..9 {
            writer.rows(&row).unwrap();
        }
        assert!(!path.exists(), "not before it is whole");
        writer.finish().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions(), std::os::unix::fs::PermissionsExt::from_mode(0o100_600));
        assert_eq!(check(&path).unwrap().tables.len(), 1);
        let (mut pieces, mut bytes) = (0, 0);
        read(&path, |piece| {
            if let Piece::Rows { bytes: rows, .. } = piece {
                (pieces, bytes) = (pieces + 1, bytes + rows.len());
            }
            Ok(())
        })
        .unwrap();
        assert!(pieces > 1 && bytes == 9 * row.len());
        assert!(Writer::create(&path, &manifest()).err().unwrap().to_string().contains("is there already"));

        let whole = fs::read(&path).unwrap();
        let cut = folder.join("cut");
        fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
        assert!(check(&cut).is_err());
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&cut, &flipped).unwrap();
        assert!(check(&cut).is_err());
        fs::write(&cut, "no backup").unwrap();
        assert!(check(&cut).unwrap_err().to_string().contains("is not a whole backup"));
        fs::remove_dir_all(folder).unwrap();
    }
}
