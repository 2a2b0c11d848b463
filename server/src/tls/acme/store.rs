//! What is kept of the authority between two starts, in the data directory: the account and the certificate with its key. Nobody but the
//! server's own user may read it. Files are replaced whole or not at all.

use super::Settings;
use crate::tls::{Shown, files};
use anyhow::Context;
use instant_acme::AccountCredentials;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

/// The folder.
pub(super) struct Store(PathBuf);

#[derive(Serialize, Deserialize)]
struct Account {
    directory: String,
    email: String,
    credentials: AccountCredentials,
}

impl Store {
    /// # Errors
    /// A sentence, when the folder can't be made.
    pub(super) fn open(folder: PathBuf) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("The folder {} for certificates can't be made", folder.display()))?;
        Ok(Self(folder))
    }

    /// The account at this authority, if there is one. One that can't be read is as good as none: a new one costs nothing.
    pub(super) fn account(&self, settings: &Settings) -> Option<AccountCredentials> {
        let text = fs::read(self.0.join("account.json")).ok()?;
        let account: Account = serde_json::from_slice(&text).ok()?;
        (account.directory == settings.directory && account.email == settings.email).then_some(account.credentials)
    }

    pub(super) fn keep_account(&self, settings: &Settings, credentials: AccountCredentials) -> anyhow::Result<()> {
        let account = Account { directory: settings.directory.clone(), email: settings.email.clone(), credentials };
        self.write("account.json", &zeroize::Zeroizing::new(serde_json::to_vec(&account)?))
    }

    /// The certificate of an earlier start, if it is from this authority and for this name.
    pub(super) fn certificate(&self, settings: &Settings) -> Option<Shown> {
        let _from_this_authority = self.account(settings)?;
        let text = zeroize::Zeroizing::new(fs::read(self.0.join("certificate.pem")).ok()?);
        let shown = parse(&text).ok()?;
        shown.facts.covers(&settings.name).then_some(shown)
    }

    /// Keeps a chain and its key, both PEM, and answers with them ready for use.
    pub(super) fn keep_certificate(&self, chain: &str, key: &str) -> anyhow::Result<Shown> {
        let text = zeroize::Zeroizing::new(format!("{}\n{}\n", chain.trim_end(), key.trim_end()).into_bytes());
        let shown = parse(&text)?;
        self.write("certificate.pem", &text)?;
        Ok(shown)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.0.join(name);
        let draft = self.0.join(format!(".{name}.new"));
        let written = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&self.0)?.sync_all()
        };
        written().with_context(|| format!("{} can't be written", path.display()))
    }
}

fn parse(text: &[u8]) -> anyhow::Result<Shown> {
    let chain = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>()?;
    Ok(files::shown(chain, PrivateKeyDer::from_pem_slice(text)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_kept_is_closed_to_others_and_belongs_to_one_authority_and_name() {
        let folder = std::env::temp_dir().join(format!("towpath-acme-{}", uuid::Uuid::now_v7()));
        let store = Store::open(folder.clone()).unwrap();
        let settings = Settings {
            email: "ops@example.com".into(),
            directory: "https://ca.example/dir".into(),
            root: None,
            name: "a.example.com".into(),
            http: false,
        };
        let credentials: AccountCredentials = serde_json::from_value(serde_json::json!({
            "id": "https://ca.example/account/1",
            "key_pkcs8": "AAAA",
            "directory": "https://ca.example/dir",
        }))
        .unwrap();
        store.keep_account(&settings, credentials).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(["a.example.com".to_owned()]).unwrap().self_signed(&key).unwrap();
        store.keep_certificate(&certificate.pem(), &key.serialize_pem()).unwrap();
        for name in ["account.json", "certificate.pem"] {
            assert_eq!(fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let again = Store::open(folder.clone()).unwrap();
        assert!(again.certificate(&settings).is_some());
        assert!(again.certificate(&Settings { name: "b.example.com".into(), ..settings.clone() }).is_none());
        assert!(again.certificate(&Settings { directory: "https://other.example".into(), ..settings }).is_none());
        fs::remove_dir_all(folder).unwrap();
    }
}
