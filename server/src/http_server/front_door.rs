//! All ways in of one server: the listener that people and services use, over TLS if there is a certificate, and beside it one that sends
//! browsers on from plain http and one for metrics. Everything that can be wrong with them is said before the database is opened.

use super::{
    Listening,
    connection::{self, Entrance, Secure},
    redirect,
};
use crate::{
    app::App,
    config::{Config, tls::Source},
    metrics::{self, figures},
    routes,
    shutdown::Shutdown,
    tls::{Tls, acme::Renewal, files::Files},
};
use anyhow::bail;

/// The ways in, bound but not yet answering.
pub struct FrontDoor {
    main: Listening,
    plain: Option<Listening>,
    metrics: Option<Listening>,
    certificate: Certificate,
}

/// Where the certificate comes from, and what keeps it fresh.
enum Certificate {
    None,
    Files(Files, Tls),
    Authority(Renewal),
}

impl FrontDoor {
    /// Binds the sockets and reads the certificate.
    ///
    /// # Errors
    /// Sentences for the person who starts the server.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let server = &config.server;
        let certificate = match &server.tls.source {
            Source::None => Certificate::None,
            Source::Files(files) => match files.load() {
                Ok(shown) => Certificate::Files(files.clone(), Tls::showing(shown)),
                Err(mistakes) => bail!("Towpath did not start: its certificate can't be used.\n  - {}", mistakes.join("\n  - ")),
            },
            Source::Acme(settings) => {
                Certificate::Authority(Renewal::start(settings.clone(), config.data.directory.join("acme"))?)
            }
        };
        let main = Listening::bind(server.listen, "TOWPATH_LISTEN", server.tls.is_on())?;
        let plain = server.tls.http_listen.map(|listen| Listening::bind(listen, "TOWPATH_HTTP_LISTEN", false)).transpose()?;
        let metrics = server.metrics_listen.map(|listen| Listening::bind(listen, "TOWPATH_METRICS_LISTEN", false)).transpose()?;
        Ok(Self { main, plain, metrics, certificate })
    }

    /// The listener that people and services use.
    pub fn listening(&self) -> &Listening {
        &self.main
    }

    /// The certificate in use, if there is one.
    pub fn tls(&self) -> Option<Tls> {
        match &self.certificate {
            Certificate::None => None,
            Certificate::Files(_, tls) => Some(tls.clone()),
            Certificate::Authority(renewal) => Some(renewal.tls()),
        }
    }

    /// Answers until [`Shutdown`] has begun and what was under way has ended.
    pub async fn serve(self, app: App, shutdown: Shutdown) {
        let trusted = app.config.server.trusted_proxies.clone();
        let tls = self.tls();
        let plain = tls.as_ref().map(|tls| redirect::router(&app, tls, self.main.port()));
        let mut background = tokio::task::JoinSet::new();
        match self.certificate {
            Certificate::None => {}
            Certificate::Files(files, tls) => {
                background.spawn(files.watch(tls));
            }
            Certificate::Authority(renewal) => {
                background.spawn(renewal.run(app.clock.clone(), shutdown.clone()));
            }
        }
        let beside = self.plain.zip(plain.clone()).map(|(listening, router)| Entrance { listening, router, tls: None });
        let secure = tls.zip(plain).map(|(tls, plain)| Secure { acceptor: tls.acceptor(), plain });
        let main = Entrance { listening: self.main, router: routes::all().into_router(&app), tls: secure };
        background.spawn(figures().keep_small());
        let metrics = self.metrics.map(|listening| Entrance { listening, router: metrics::page::router(&app), tls: None });
        let entrances = std::iter::once(main).chain(beside).chain(metrics);
        futures_util::future::join_all(entrances.map(|entrance| connection::run(entrance, trusted.clone(), shutdown.clone())))
            .await;
    }
}

/// Reads the certificate as a start would, and binds nothing.
///
/// # Errors
/// Everything that is wrong with it, as sentences.
pub fn check(config: &Config) -> anyhow::Result<()> {
    match &config.server.tls.source {
        Source::Files(files) => files.load().map(|_| ()).map_err(|mistakes| anyhow::anyhow!("{}", mistakes.join("\n"))),
        Source::None | Source::Acme(_) => Ok(()),
    }
}
