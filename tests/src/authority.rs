//! A certificate authority of a test's own, and certificates by it, in files.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::{Path, PathBuf};

/// The authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

/// A certificate and its key, PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// A new one that keeps its files in `folder`.
    pub fn new(folder: &Path) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "The test's own authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("keys can be made");
        let issuer = CertifiedIssuer::self_signed(parameters, key).expect("an authority can be made");
        std::fs::write(folder.join("authority.pem"), issuer.pem()).expect("the folder can be written to");
        Self { issuer, folder: folder.to_owned() }
    }

    /// The file with the authority's own certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// What clients are told to believe.
    pub fn root(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(self.issuer.pem().as_bytes()).expect("it is a certificate")
    }

    /// Writes a certificate for these names into files named after `file`, over what was there.
    pub fn certify(&self, file: &str, names: &[&str]) -> Pair {
        let key = KeyPair::generate().expect("keys can be made");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate =
            CertificateParams::new(names).expect("these are names").signed_by(&key, &self.issuer).expect("it can be signed");
        let pair = Pair { certificate: self.folder.join(format!("{file}.pem")), key: self.folder.join(format!("{file}.key")) };
        std::fs::write(&pair.certificate, certificate.pem()).expect("the folder can be written to");
        std::fs::write(&pair.key, key.serialize_pem()).expect("the folder can be written to");
        pair
    }
}
