//! Certificates from an authority that speaks ACME (RFC 8555), such as Let's Encrypt: asked for at first start, renewed after two
//! thirds of their life. What fails is tried again with growing pauses, and the certificate that is there stays in use meanwhile. It asks
//! for one name: the public URL's.

mod order;
mod store;

use super::{Shown, Tls, files};
use crate::{clock::Clock, shutdown::Shutdown};
use anyhow::Context;
use rustls::pki_types::PrivateKeyDer;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use store::Store;

/// Let's Encrypt's.
pub const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Which authority is asked, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the authority writes to when something is wrong with a certificate.
    pub email: String,
    /// The authority's directory.
    pub directory: String,
    /// A PEM file with the authority whose word on the directory's own certificate is taken, where it isn't a public one.
    pub root: Option<PathBuf>,
    /// The name to prove and to be certified.
    pub name: String,
    /// Does the listener for plain HTTP answer as well? Then the name can be proved there too.
    pub http: bool,
}

/// How the authority checks that the name is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By a handshake on port 443.
    Handshake,
    /// By a request on port 80.
    Http,
}

/// The certificate that an earlier start left in `folder`, if it is from this authority and for this name.
pub fn kept(settings: &Settings, folder: &Path) -> Option<Shown> {
    Store::open(folder.to_owned()).ok()?.certificate(settings)
}

/// Keeps the certificate fresh.
pub struct Renewal {
    settings: Settings,
    store: Store,
    tls: Tls,
}

impl Renewal {
    /// Starts with the certificate that an earlier start left in `folder`, or with one that we sign ourselves until there is another.
    ///
    /// # Errors
    /// A sentence, when the folder can't be used.
    pub fn start(settings: Settings, folder: PathBuf) -> anyhow::Result<Self> {
        let store = Store::open(folder)?;
        let tls = match store.certificate(&settings) {
            Some(kept) => Tls::showing(kept),
            None => {
                tracing::info!(
                    "asking {} for a certificate for {}; until it is there browsers warn",
                    settings.directory,
                    settings.name
                );
                Tls::showing(provisional(&settings.name).context("No provisional certificate could be made")?)
            }
        };
        Ok(Self { settings, store, tls })
    }

    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Renews for as long as the server runs.
    pub async fn run(self, clock: Clock, shutdown: Shutdown) {
        let mut failures = 0;
        let mut next = if self.tls.facts().self_signed { clock.now() } else { self.tls.facts().renewal() };
        loop {
            let wait = (next - clock.now()).to_std().unwrap_or_default();
            tokio::select! {
                // The wall clock may be set meanwhile, and a machine may sleep: look again.
                () = tokio::time::sleep(wait.min(Duration::from_secs(600))) => {}
                () = shutdown.begun() => return,
            }
            if clock.now() < next {
                continue;
            }
            match order::certificate(&self.settings, &self.store, &self.tls, way(self.settings.http, failures)).await {
                Ok(shown) => {
                    tracing::info!(issuer = %shown.facts.issuer, until = %shown.facts.until, "the certificate for {} is in use", self.settings.name);
                    failures = 0;
                    next = shown.facts.renewal();
                    self.tls.show(shown);
                }
                Err(error) => {
                    failures += 1;
                    let pause = pause(failures);
                    next = clock.now() + pause;
                    tracing::warn!(
                        "No certificate for {} from {}: {error:#}. The next try is in {} minutes; what is in use stays in use until {}",
                        self.settings.name,
                        self.settings.directory,
                        pause.as_secs().div_ceil(60),
                        self.tls.facts().until
                    );
                }
            }
        }
    }
}

/// Where both ways are open, the other one is tried after a failure.
fn way(http: bool, failures: u32) -> Way {
    if http && failures % 2 == 1 { Way::Http } else { Way::Handshake }
}

/// How long to wait after so many failures in a row. Let's Encrypt takes five failed proofs of a name an hour.
fn pause(failures: u32) -> Duration {
    Duration::from_secs(match failures {
        0 | 1 => 60,
        2 => 5 * 60,
        3 => 20 * 60,
        4 => 60 * 60,
        _ => 6 * 60 * 60,
    })
}

fn provisional(name: &str) -> anyhow::Result<Shown> {
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new([name.to_owned()])?.self_signed(&key)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    Ok(files::shown(vec![certificate.der().clone()], key)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_tried_again_later_and_later_and_by_the_other_way_where_it_is_open() {
        let pauses: Vec<u64> = (1..=7).map(|failures| pause(failures).as_secs() / 60).collect();
        assert_eq!(pauses, [1, 5, 20, 60, 360, 360, 360]);
        assert_eq!([0, 1, 2].map(|failures| way(true, failures)), [Way::Handshake, Way::Http, Way::Handshake]);
        assert_eq!([0, 1].map(|failures| way(false, failures)), [Way::Handshake; 2]);
    }

    #[test]
    fn until_there_is_a_certificate_we_sign_one_ourselves() {
        let shown = provisional("flows.example.com").unwrap();
        assert!(shown.facts.self_signed && shown.facts.covers("flows.example.com"));
    }
}
