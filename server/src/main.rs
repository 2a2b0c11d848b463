//! The binary `towpath`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Some dependencies bring another cryptography library along; rustls must be told which one to use.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a cryptography provider was installed before");
    }
    towpath_server::cli::run()
}
