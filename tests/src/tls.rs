//! A listener whose connections are TLS.

use crate::authority::Pair;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl TlsListener {
    /// Presents this certificate on a free port of the loopback interface.
    pub async fn bind(pair: &Pair) -> Self {
        let certificates = CertificateDer::pem_file_iter(&pair.certificate).expect("a readable file").flatten().collect();
        let key = PrivateKeyDer::from_pem_file(&pair.key).expect("a readable file");
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .expect("the key belongs to the certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().expect("it is bound").port()
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // Whoever doesn't speak TLS is not served.
            if let Ok((stream, from)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
