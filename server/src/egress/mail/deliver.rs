//! One SMTP conversation: connect, secure, sign in, hand the mail over. What matters is when it fails: before the content was sent,
//! nothing has happened; after that, only the server's last word says whether it has.

use super::{
    compose::Composed,
    setting::{MailSettings, Security, Whose},
};
use crate::egress::{CONNECT_LIMIT, connect::Connector, failure, tls::Roots};
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters},
    commands::{Data, Mail, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    response::Response,
};
use rustls::pki_types::ServerName;
use std::{
    error::Error as _,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use towpath_engine::error::{ErrorKind, StepError};

/// How long the goodbye may take; the mail is delivered by then.
const GOODBYE: Duration = Duration::from_secs(2);

/// Delivers to every recipient or to none, and answers with the server's last line.
pub(super) async fn deliver(
    connector: &Connector,
    roots: &Roots,
    settings: &MailSettings,
    mail: Composed,
    deadline: Instant,
) -> Result<String, StepError> {
    let begun = Instant::now();
    let conversation = Conversation { connector, roots, settings, content_sent: AtomicBool::new(false) };
    match timeout_at(deadline, conversation.hold(&mail)).await {
        Ok(result) => result,
        Err(_) => {
            let seconds = begun.elapsed().as_secs().max(1);
            let message = format!("The mail server {} did not finish within {seconds} seconds.", settings.host);
            let sent = conversation.content_sent.load(Ordering::Relaxed);
            Err(StepError::new(if sent { ErrorKind::Timeout } else { ErrorKind::Unavailable }, message))
        }
    }
}

/// As far as the sign-in, and then goodbye.
pub(super) async fn check(
    connector: &Connector,
    roots: &Roots,
    settings: &MailSettings,
    deadline: Instant,
) -> Result<(), StepError> {
    let conversation = Conversation { connector, roots, settings, content_sent: AtomicBool::new(false) };
    let signing_in = async {
        let mut connection = conversation.open().await?;
        conversation.sign_in(&mut connection).await?;
        // It has let us in: a server that doesn't say goodbye changes nothing.
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(())
    };
    match timeout_at(deadline, signing_in).await {
        Ok(result) => result,
        Err(_) => {
            let message = format!("The mail server {} did not let us sign in within the time.", settings.host);
            Err(StepError::new(ErrorKind::Unavailable, message))
        }
    }
}

struct Conversation<'a> {
    connector: &'a Connector,
    roots: &'a Roots,
    settings: &'a MailSettings,
    /// From here on a cut leaves the outcome unknown.
    content_sent: AtomicBool,
}

impl Conversation<'_> {
    async fn hold(&self, mail: &Composed) -> Result<String, StepError> {
        let mut connection = self.open().await?;
        self.sign_in(&mut connection).await?;
        let options = self.options(&connection, mail)?;
        let from = mail.envelope.from().cloned();
        let name = from.as_ref().map(ToString::to_string).unwrap_or_default();
        self.said(connection.command(Mail::new(from, options)).await, &format!("the sender {name}"), Some("from"))?;
        for recipient in mail.envelope.to() {
            let answer = connection.command(Rcpt::new(recipient.clone(), vec![])).await;
            self.said(answer, &format!("the recipient {recipient}"), Some("to"))?;
        }
        self.said(connection.command(Data).await, "the mail", None)?;
        self.content_sent.store(true, Ordering::Relaxed);
        let answer = self.said(connection.message(&mail.bytes).await, "the mail", None)?;
        // Delivered: a server that doesn't say goodbye changes nothing.
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(words(&answer))
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, StepError> {
        let Self { settings, .. } = self;
        let hello = ClientId::Domain(settings.hello.clone());
        let connected = match &settings.whose {
            Whose::Setting => self.connector.connect_by_setting(&settings.host, settings.port, CONNECT_LIMIT).await,
            Whose::Connection(_) => self.connector.connect(&settings.host, settings.port, CONNECT_LIMIT).await,
        };
        let tcp = connected.map_err(|error| {
            let mut error = failure::of_connecting(&error);
            error.message = format!("The mail server can't be reached. {}", error.message);
            error.hint = Some(settings.whose.hint("sets it", "sets it"));
            error
        })?;
        let stream: Box<dyn AsyncTokioStream> = match settings.security {
            Security::Tls => Box::new(self.secure(tcp).await?),
            Security::StartTls | Security::Offered | Security::None => Box::new(tcp),
        };
        let greeted = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
        let mut connection = self.said(greeted, "the connection", None)?;
        let starts = match settings.security {
            Security::StartTls => true,
            Security::Offered => connection.can_starttls(),
            Security::Tls | Security::None => false,
        };
        if starts {
            if !connection.can_starttls() {
                return Err(StepError::invalid_input(format!(
                    "The mail server {} offers no encryption (STARTTLS), so nothing was sent.",
                    settings.host
                ))
                .hint(settings.whose.hint("can allow that with ?tls=none", "can choose another security")));
            }
            let started = connection.starttls(self.tls_parameters()?, &hello).await;
            self.said(started, "an encrypted connection", None)?;
        }
        Ok(connection)
    }

    async fn secure(&self, tcp: TcpStream) -> Result<Tls, StepError> {
        let host = &self.settings.host;
        let unavailable = |why: String| {
            StepError::new(ErrorKind::Unavailable, format!("No secure connection to the mail server {host}: {why}."))
        };
        let name = ServerName::try_from(host.clone()).map_err(|error| unavailable(error.to_string()))?;
        let connecting = TlsConnector::from(Arc::new(self.roots.client_config())).connect(name, tcp);
        match timeout(CONNECT_LIMIT, connecting).await {
            Ok(stream) => stream.map(Tls).map_err(|error| unavailable(error.to_string())),
            Err(_) => Err(unavailable("it took too long".into())),
        }
    }

    /// The same authorities as everywhere; lettre wants them one by one.
    fn tls_parameters(&self) -> Result<TlsParameters, StepError> {
        let unusable = |error: Error| StepError::new(ErrorKind::Internal, format!("TLS can't be set up: {}.", causes(&error)));
        let roots = self.roots.certificates();
        let store = if roots.is_empty() { CertificateStore::WebpkiRoots } else { CertificateStore::None };
        let mut builder = TlsParameters::builder(self.settings.host.clone()).certificate_store(store);
        for root in roots {
            // A system's store may hold what rustls can't read; it is passed over there as well.
            if let Ok(certificate) = Certificate::from_der(root.to_vec()) {
                builder = builder.add_root_certificate(certificate);
            }
        }
        builder.build().map_err(unusable)
    }

    async fn sign_in(&self, connection: &mut AsyncSmtpConnection) -> Result<(), StepError> {
        let Some(sign_in) = &self.settings.sign_in else { return Ok(()) };
        let credentials = Credentials::new(sign_in.user.clone(), sign_in.password.clone());
        match connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(StepError::new(
                ErrorKind::Unauthorized,
                format!("The mail server {} refused the sign-in: {}.", self.settings.host, causes(&error)),
            )
            .hint(self.settings.whose.hint("sets the user name and the password", "enters the user name and the password"))),
            Err(error) if error.is_client() => Err(StepError::invalid_input(format!(
                "The mail server {} offers no way to sign in that Towpath knows (PLAIN or LOGIN).",
                self.settings.host
            ))),
            Err(error) => self.said(Err(error), "the sign-in", None),
        }
    }

    /// What MAIL has to announce; a server that can't take it is told nothing.
    fn options(&self, connection: &AsyncSmtpConnection, mail: &Composed) -> Result<Vec<MailParameter>, StepError> {
        let mut options = Vec::new();
        let addresses = mail.envelope.from().into_iter().chain(mail.envelope.to());
        if !addresses.into_iter().all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(StepError::invalid_input(format!(
                    "The mail server {} takes no addresses with letters beyond ASCII.",
                    self.settings.host
                ))
                .field("to"));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !mail.bytes.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(options)
    }

    /// The server's answer to one thing it was told, as the step's.
    fn said<T>(&self, answer: Result<T, Error>, about: &str, field: Option<&str>) -> Result<T, StepError> {
        let host = &self.settings.host;
        answer.map_err(|error| {
            let why = causes(&error);
            let (kind, message) = if error.is_permanent() {
                (ErrorKind::InvalidInput, format!("The mail server {host} refused {about}: {why}."))
            } else if error.is_transient() {
                (ErrorKind::Unavailable, format!("The mail server {host} can't take {about} at the moment: {why}."))
            } else if self.content_sent.load(Ordering::Relaxed) {
                (
                    ErrorKind::Uncertain,
                    format!("The connection to the mail server {host} was lost after the mail was handed over ({why}). It may have been delivered."),
                )
            } else {
                (ErrorKind::Unavailable, format!("The conversation with the mail server {host} broke off before the mail was sent: {why}."))
            };
            let error = StepError::new(kind, message);
            if let (Some(field), ErrorKind::InvalidInput) = (field, kind) { error.field(field) } else { error }
        })
    }
}

/// An error and what caused it, in a line, without a full stop.
fn causes(error: &Error) -> String {
    let code = error.status().map(|code| format!("{code} ")).unwrap_or_default();
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    if text.is_empty() {
        text = error.to_string();
    }
    let text: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let text: String = text.join(" ").chars().take(300).collect();
    format!("{code}{}", text.trim_end_matches('.'))
}

fn words(answer: &Response) -> String {
    let lines: Vec<&str> = answer.message().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("{} {}", answer.code(), lines.join(" ")).chars().filter(|c| !c.is_control()).take(500).collect()
}

/// TLS from the first byte, as a stream that lettre takes.
#[derive(Debug)]
struct Tls(TlsStream<TcpStream>);

impl AsyncTokioStream for Tls {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Tls {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Tls {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
