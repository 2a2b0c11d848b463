//! TLS in this process: which certificate a caller is shown, and how it is kept fresh while the server runs. Certificates come from
//! files ([`files`]) or from a certificate authority that speaks ACME ([`acme`]). It opens no listener: [`crate::http_server`] does.

pub mod acme;
pub mod certificate;
pub mod files;

use certificate::Facts;
use parking_lot::RwLock;
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock},
};
use tokio_rustls::TlsAcceptor;

/// The protocol name in whose handshake a certificate authority looks for a proof (RFC 8737).
const ACME_PROTOCOL: &[u8] = b"acme-tls/1";

/// The one provider of cryptography.
fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    &PROVIDER
}

/// The certificate in use, and what is needed to prove a name to a certificate authority. Cloning it is cheap; all clones are one.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    shown: RwLock<Shown>,
    proofs: RwLock<Proofs>,
}

/// A certificate with its key, and what people want to know of it.
#[derive(Clone)]
pub struct Shown {
    key: Arc<CertifiedKey>,
    pub facts: Arc<Facts>,
}

/// What a certificate authority is shown while it checks that a name is ours.
#[derive(Default)]
struct Proofs {
    /// For a handshake: the name, and a certificate that holds the proof.
    handshake: Option<(String, Arc<CertifiedKey>)>,
    /// For HTTP: token to answer.
    http: HashMap<String, String>,
}

impl Tls {
    pub fn showing(shown: Shown) -> Self {
        Self(Arc::new(Inner { shown: RwLock::new(shown), proofs: RwLock::default() }))
    }

    /// Shows another certificate from the next handshake on.
    pub fn show(&self, shown: Shown) {
        *self.0.shown.write() = shown;
    }

    /// What is known of the certificate in use.
    pub fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.0.shown.read().facts)
    }

    /// The answer to `/.well-known/acme-challenge/{token}`, while an authority may ask for it.
    pub fn http_proof(&self, token: &str) -> Option<String> {
        self.0.proofs.read().http.get(token).cloned()
    }

    /// What ends TLS for a listener: TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.
    pub fn acceptor(&self) -> TlsAcceptor {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME_PROTOCOL.to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == ACME_PROTOCOL)) {
            let proofs = self.0.proofs.read();
            let (name, key) = proofs.handshake.as_ref()?;
            return hello.server_name().is_some_and(|asked| asked.eq_ignore_ascii_case(name)).then(|| Arc::clone(key));
        }
        Some(Arc::clone(&self.0.shown.read().key))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").field("facts", &self.facts()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").field("facts", &self.facts).finish_non_exhaustive()
    }
}
