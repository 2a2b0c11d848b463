//! A certificate and its key in files that somebody else renews (certbot, a company's own authority, Kubernetes). A change is noticed
//! within seconds and used from the next handshake on; files that can't be used leave the certificate that was there in use.

use super::{Shown, Tls, certificate::Facts, provider};
use rustls::{
    CertificateError, Error as TlsError, InconsistentKeys,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(2);

/// Where the two are. They may be one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those between it and its authority, PEM.
    pub certificate: PathBuf,
    /// PEM: PKCS #8, PKCS #1 or SEC1, without a passphrase.
    pub key: PathBuf,
}

impl Files {
    /// Reads both.
    ///
    /// # Errors
    /// Everything that is wrong with them, each a sentence.
    pub fn load(&self) -> Result<Shown, Vec<String>> {
        match (self.chain(), self.private_key()) {
            (Ok(chain), Ok(key)) => self.pair(chain, key).map_err(|mistake| vec![mistake]),
            (chain, key) => Err(chain.err().into_iter().chain(key.err()).collect()),
        }
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let path = self.certificate.display();
        let text = read("TOWPATH_TLS_CERT", &self.certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        match chain {
            Ok(chain) if chain.is_empty() => Err(format!(
                "TOWPATH_TLS_CERT names {path}, which holds no certificate. It must hold PEM text that begins with -----BEGIN \
                 CERTIFICATE-----, the server's own certificate first."
            )),
            Ok(chain) => Ok(chain),
            Err(error) => Err(format!("TOWPATH_TLS_CERT names {path}, whose PEM text is damaged ({error}).")),
        }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, String> {
        let path = self.key.display();
        let text = zeroize::Zeroizing::new(read("TOWPATH_TLS_KEY", &self.key)?);
        PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
            if text.windows(21).any(|window| window == b"BEGIN ENCRYPTED PRIVA") {
                format!(
                    "TOWPATH_TLS_KEY names {path}, whose key has a passphrase, and nobody is there to type it. Write the key without one: \
                     openssl pkey -in {path} -out key.pem"
                )
            } else {
                format!("TOWPATH_TLS_KEY names {path}, which holds no private key in PEM text.")
            }
        })
    }

    fn pair(&self, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Shown, String> {
        let (certificate, key_path) = (self.certificate.display(), self.key.display());
        shown(chain, key).map_err(|error| match error {
            TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => format!(
                "The key in {key_path} (TOWPATH_TLS_KEY) does not belong to the certificate in {certificate} (TOWPATH_TLS_CERT). The \
                 server's own certificate must be the first in its file."
            ),
            TlsError::InvalidCertificate(_) => {
                format!("The first certificate in {certificate} (TOWPATH_TLS_CERT) is not one that TLS can use ({error}).")
            }
            error => format!("The key in {key_path} (TOWPATH_TLS_KEY) can't be used: {error}."),
        })
    }

    /// Looks at the files for as long as the server runs, and shows what is new.
    pub async fn watch(self, tls: Tls) {
        let mut seen = self.stamps();
        let mut said = None;
        loop {
            tokio::time::sleep(PERIOD).await;
            let stamps = self.stamps();
            // What failed is tried again: a certificate is often written before its key.
            if stamps == seen && said.is_none() {
                continue;
            }
            match self.load() {
                Ok(shown) => {
                    tracing::info!(until = %shown.facts.until, "a new certificate is in use");
                    tls.show(shown);
                    said = None;
                }
                Err(mistakes) => {
                    let mistakes = mistakes.join(" ");
                    // Not in the moment in which the files change, and not more than once.
                    if stamps == seen && said.as_ref() != Some(&mistakes) {
                        tracing::error!("The new certificate can't be used, so the old one stays in use. {mistakes}");
                    }
                    said = Some(if stamps == seen { mistakes } else { String::new() });
                }
            }
            seen = stamps;
        }
    }

    fn stamps(&self) -> [Option<(u64, i64, i64, u64)>; 2] {
        [&self.certificate, &self.key].map(|path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.len()))
        })
    }
}

/// A chain and its key, ready for use.
pub(super) fn shown(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Shown, TlsError> {
    let facts =
        chain.first().and_then(|own| Facts::of(own)).ok_or(TlsError::InvalidCertificate(CertificateError::BadEncoding))?;
    let key = CertifiedKey::from_der(chain, key, provider())?;
    Ok(Shown { key: Arc::new(key), facts: Arc::new(facts) })
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{setting} names {}, which can't be read: {error}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for a test; gone when dropped.
    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("towpath-tls-{}", uuid::Uuid::now_v7()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn files(&self, certificate: &str, key: &str) -> Files {
            let write = |name: &str, text: &str| {
                let path = self.0.join(name);
                fs::write(&path, text).unwrap();
                path
            };
            Files { certificate: write("certificate.pem", certificate), key: write("key.pem", key) }
        }
    }

    fn pair(name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn every_mistake_in_the_files_is_a_sentence_that_names_its_file_and_setting() {
        let folder = Folder::new();
        let (certificate, key) = pair("a.example.com");
        let (_, other_key) = pair("b.example.com");
        let fine = folder.files(&certificate, &key).load().unwrap();
        assert_eq!(fine.facts.names, ["a.example.com"]);
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (certificate, key, said) in [
            (key.as_str(), key.as_str(), vec!["which holds no certificate"]),
            (&certificate, &certificate, vec!["which holds no private key"]),
            ("", "", vec!["which holds no certificate", "which holds no private key"]),
            (&certificate, encrypted, vec!["openssl pkey -in"]),
            (&certificate, &other_key, vec!["does not belong to the certificate"]),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &key, vec!["is not one that TLS can use"]),
            ("-----BEGIN CERTIFICATE-----\nAA*A\n-----END CERTIFICATE-----\n", &key, vec!["is damaged"]),
        ] {
            let mistakes = folder.files(certificate, key).load().unwrap_err();
            assert_eq!(mistakes.len(), said.len(), "{mistakes:?}");
            for (mistake, said) in mistakes.iter().zip(said) {
                assert!(mistake.contains(said) && mistake.contains("TOWPATH_TLS_") && mistake.contains(".pem"), "{mistake}");
            }
        }
        let gone = Files { certificate: "/nonexistent/c.pem".into(), key: "/nonexistent/k.pem".into() };
        assert_eq!(gone.load().unwrap_err().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_is_used_and_a_broken_one_is_not() {
        let folder = Folder::new();
        let (certificate, key) = pair("old.example.com");
        let files = folder.files(&certificate, &key);
        let tls = Tls::showing(files.load().unwrap());
        let watching = tokio::spawn(files.clone().watch(tls.clone()));
        let shows = async |name: &str| {
            for _ in 0..100 {
                if tls.facts().names == [name] {
                    return true;
                }
                tokio::time::sleep(PERIOD / 2).await;
            }
            false
        };
        tokio::time::sleep(PERIOD * 2).await;
        let (certificate, key) = pair("newer.example.com");
        fs::write(&files.certificate, &certificate).unwrap();
        // Between the two writes they don't fit.
        tokio::time::sleep(PERIOD * 3).await;
        assert_eq!(tls.facts().names, ["old.example.com"]);
        fs::write(&files.key, &key).unwrap();
        assert!(shows("newer.example.com").await);
        fs::write(&files.key, "nothing").unwrap();
        tokio::time::sleep(PERIOD * 5).await;
        assert_eq!(tls.facts().names, ["newer.example.com"]);
        let (certificate, key) = pair("newest.example.com");
        folder.files(&certificate, &key);
        assert!(shows("newest.example.com").await, "it goes on after broken files");
        watching.abort();
    }
}
