//! TLS towards others: rustls, the system's certificate authorities, and no switch that turns verification off.

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use std::sync::Arc;

/// The certificate authorities that are believed.
#[derive(Clone)]
pub(super) struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Those of the operating system (or of `SSL_CERT_FILE`), so that a company's own authority is believed where it is installed. A
    /// system without any gets Mozilla's list, which is compiled in.
    pub(super) fn of_the_system() -> Self {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            tracing::warn!(errors = ?found.errors, "the system has no certificate authorities; Mozilla's list is used");
        }
        Self(found.certs)
    }

    #[cfg(test)]
    pub(super) fn of(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self(certificates)
    }

    /// Empty when Mozilla's list is to be used.
    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// A client's configuration that believes these authorities.
    pub(super) fn client_config(&self) -> ClientConfig {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(self.0.iter().cloned());
        if store.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for TLS 1.2 and 1.3")
            .with_root_certificates(store)
            .with_no_client_auth()
    }
}
