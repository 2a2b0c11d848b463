//! Mail against a small server that speaks SMTP, and stops speaking it where a test wants.

use super::*;
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::io::{AsyncBufReadExt, BufReader};
use towpath_connectors::sdk::{Attachment, Mail, MailMessage};
use towpath_engine::error::{ErrorKind, StepError};

/// Where the server says something else than yes: the start of a command, and its answer. `"."` is the end of the content; an empty
/// answer cuts the connection.
type Script = &'static [(&'static str, &'static str)];

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<String>>>);

impl Received {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A server with the extensions it announces.
async fn server(extensions: &'static [&'static str], script: Script) -> (SocketAddr, Received) {
    let received = Received::default();
    let record = received.clone();
    let address = listen(move |stream, _| converse(stream, extensions, script, record.clone())).await;
    (address, received)
}

async fn converse(stream: TcpStream, extensions: &[&str], script: Script, received: Received) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let greeting = script.iter().find(|(on, _)| on.is_empty()).map_or("220 ready", |(_, answer)| answer);
    stream.write_all(format!("{greeting}\r\n").as_bytes()).await?;
    let mut content = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        received.0.lock().unwrap().push(line.clone());
        if content && line != "." {
            continue;
        }
        let answer = match script.iter().find(|(on, _)| !on.is_empty() && line.to_uppercase().starts_with(on)) {
            Some((_, "")) => return Ok(()),
            Some((_, answer)) => (*answer).to_owned(),
            None => match line.split(' ').next().unwrap_or_default() {
                "EHLO" => {
                    ["250-test"].iter().chain(extensions).fold(String::new(), |all, line| format!("{all}{line}\r\n")) + "250 HELP"
                }
                "DATA" => "354 go on".into(),
                "QUIT" => "221 bye".into(),
                "AUTH" => "235 welcome".into(),
                "." => "250 2.0.0 queued as 42".into(),
                _ => "250 ok".into(),
            },
        };
        content = answer.starts_with("354");
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

fn message() -> MailMessage {
    MailMessage {
        id: "key@example.com".into(),
        from: None,
        to: vec!["Ada <ada@example.com>".into()],
        cc: vec!["bob@example.com".into()],
        bcc: vec!["eve@example.com".into()],
        subject: "Grüße".into(),
        text: Some("Hello\n.\nbye".into()),
        html: Some("<p>Hello</p>".into()),
        attachments: vec![Attachment { name: "a.csv".into(), media_type: "text/csv".into(), bytes: "x,y".into() }],
        ..MailMessage::default()
    }
}

async fn send(url: String) -> Result<String, StepError> {
    send_until(url, ample()).await
}

async fn send_until(url: String, deadline: Instant) -> Result<String, StepError> {
    // Nothing is allowed by the guard: the operator's own setting is reached all the same.
    let door = door_with(Settings { allow: Default::default(), mail: Some(url.parse().unwrap()) });
    Mail::send(&door, message(), deadline).await
}

#[tokio::test]
async fn a_mail_arrives_whole_for_everybody_with_its_stable_id() {
    let (address, received) = server(&["250-8BITMIME", "250-AUTH PLAIN LOGIN"], &[]).await;
    let answer = send(format!("smtp://me%40shop.example:pw@{address}?from=Shop%20%3Corders@shop.example%3E")).await.unwrap();
    assert_eq!(answer, "250 2.0.0 queued as 42");
    let lines = received.lines();
    assert_eq!(lines[0], "EHLO shop.example");
    assert_eq!(lines[1], "AUTH PLAIN AG1lQHNob3AuZXhhbXBsZQBwdw==");
    assert!(lines[2].starts_with("MAIL FROM:<orders@shop.example>"), "{}", lines[2]);
    assert_eq!(lines[3..6], ["RCPT TO:<ada@example.com>", "RCPT TO:<bob@example.com>", "RCPT TO:<eve@example.com>"]);
    let text = lines[7..].join("\n");
    assert!(text.contains("Message-ID: <key@example.com>"), "{text}");
    assert!(text.contains("From: Shop <orders@shop.example>") && text.contains("Cc: bob@example.com"), "{text}");
    assert!(!text.contains("eve@"), "hidden recipients stay hidden: {text}");
    assert!(text.contains("multipart/mixed") && text.contains("multipart/alternative") && text.contains("eCx5"), "{text}");
    assert!(lines.contains(&"..".to_owned()), "a line with a dot alone doesn't end the mail: {text}");
    assert_eq!(lines.last().unwrap(), "QUIT");
}

#[tokio::test]
async fn refusals_before_the_content_are_told_by_their_code() {
    let table: [(Script, ErrorKind, Option<&str>, &str); 10] = [
        (&[("RCPT TO:<BOB", "550 5.1.1 no such user")], ErrorKind::InvalidInput, Some("to"), "no such user"),
        (&[("RCPT TO:<BOB", "451 4.7.1 greylisted, come back")], ErrorKind::Unavailable, None, "greylisted"),
        (&[("MAIL", "553 5.7.1 not your address")], ErrorKind::InvalidInput, Some("from"), "not your address"),
        (&[("MAIL", "421 4.3.2 shutting down")], ErrorKind::Unavailable, None, "shutting down"),
        (&[("DATA", "554 5.5.1 no")], ErrorKind::InvalidInput, None, "refused the mail"),
        (&[("", "554 go away")], ErrorKind::InvalidInput, None, "go away"),
        (&[("", "421 busy")], ErrorKind::Unavailable, None, "busy"),
        (&[("RCPT", "")], ErrorKind::Unavailable, None, "before the mail was sent"),
        (&[("DATA", "")], ErrorKind::Unavailable, None, "before the mail was sent"),
        (&[("EHLO", "nonsense")], ErrorKind::Unavailable, None, "before the mail was sent"),
    ];
    for (script, kind, field, words) in table {
        let (address, received) = server(&[], script).await;
        let error = send(format!("smtp://{address}?from=me@example.com")).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (kind, field), "{script:?}: {}", error.message);
        assert!(error.message.contains(words), "{script:?}: {}", error.message);
        assert!(!received.lines().iter().any(|line| line == "."), "{script:?}: nobody got the mail");
    }
}

#[tokio::test]
async fn after_the_content_only_the_servers_word_counts() {
    let table: [(Script, ErrorKind, &str); 4] = [
        (&[(".", "")], ErrorKind::Uncertain, "may have been delivered"),
        (&[(".", "nonsense")], ErrorKind::Uncertain, "may have been delivered"),
        (&[(".", "552 5.3.4 too big")], ErrorKind::InvalidInput, "too big"),
        (&[(".", "452 4.3.1 disk full")], ErrorKind::Unavailable, "disk full"),
    ];
    for (script, kind, words) in table {
        let (address, _) = server(&[], script).await;
        let error = send(format!("smtp://{address}?from=me@example.com")).await.unwrap_err();
        assert_eq!(error.kind, kind, "{script:?}: {}", error.message);
        assert!(error.message.contains(words), "{script:?}: {}", error.message);
    }
    let (address, _) = server(&[], &[("QUIT", "")]).await;
    assert!(send(format!("smtp://{address}?from=me@example.com")).await.is_ok(), "delivered is delivered");
}

#[tokio::test]
async fn a_server_that_hangs_is_left_at_the_deadline() {
    let silent = listen(|stream, _| hang(stream)).await;
    let error = send_until(format!("smtp://{silent}?from=me@example.com"), Instant::now() + Duration::from_millis(500))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{}", error.message);
    let swallowing = listen(|stream, _| async move {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 ready\r\n").await?;
        for line in stream.get_mut().peer_addr().into_iter().cycle() {
            let _ = line;
            let mut text = String::new();
            if stream.read_line(&mut text).await? == 0 {
                return Ok(());
            }
            if text.starts_with("DATA") {
                stream.write_all(b"354 go on\r\n").await?;
                return hang(stream.into_inner()).await;
            }
            stream.write_all(b"250 ok\r\n").await?;
        }
        Ok(())
    })
    .await;
    let error =
        send_until(format!("smtp://{swallowing}?from=me@example.com"), Instant::now() + Duration::from_millis(1500)).await;
    assert_eq!(error.unwrap_err().kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn nothing_travels_in_clear_where_encryption_is_demanded() {
    let (address, received) = server(&[], &[]).await;
    let error = send(format!("smtp://u:pw@{address}?from=me@example.com&tls=required")).await.unwrap_err();
    assert!(error.message.contains("STARTTLS") && error.hint.unwrap().contains("?tls=none"));
    assert!(!received.lines().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{:?}", received.lines());
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let (address, _) = server(&["250-AUTH PLAIN"], &[("AUTH", "535 5.7.8 bad credentials")]).await;
    let error = send(format!("smtp://user:secretpw@{address}?from=me@example.com")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert!(error.message.contains("bad credentials") && error.hint.as_deref().unwrap().contains("TOWPATH_SMTP_URL"));
    assert!(!format!("{error:?}").contains("secretpw"));
}

#[tokio::test]
async fn without_a_mail_server_the_error_names_the_setting() {
    let error = Mail::send(&door(), message(), ample()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert!(error.hint.unwrap().contains("TOWPATH_SMTP_URL"));
}

/// A certificate for `localhost`, and what a server needs to use it.
fn certificate() -> (rustls::pki_types::CertificateDer<'static>, tokio_rustls::TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.der().clone(), tokio_rustls::TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn both_ways_of_encrypting_work_and_check_the_certificate() {
    let (authority, acceptor) = certificate();
    let implicit = listen({
        let acceptor = acceptor.clone();
        move |stream, _| {
            let acceptor = acceptor.clone();
            async move { speak(acceptor.accept(stream).await?).await }
        }
    })
    .await;
    let upgraded = listen(move |mut stream, _| {
        let acceptor = acceptor.clone();
        async move {
            write(&mut stream, "220 ready\r\n").await?;
            let mut reader = BufReader::new(&mut stream);
            let mut line = String::new();
            reader.read_line(&mut line).await?;
            reader.write_all(b"250-test\r\n250 STARTTLS\r\n").await?;
            line.clear();
            reader.read_line(&mut line).await?;
            assert_eq!(line, "STARTTLS\r\n");
            reader.write_all(b"220 go\r\n").await?;
            speak_on(acceptor.accept(stream).await?).await
        }
    })
    .await;
    for (scheme, port) in [("smtps", implicit.port()), ("smtp", upgraded.port())] {
        let setting = format!("{scheme}://localhost:{port}?from=me@example.com");
        let settings = || Settings { allow: Default::default(), mail: Some(setting.parse().unwrap()) };
        let believing = Egress::with_roots(settings(), clock(), Arc::new(Localhost), Roots::of(vec![authority.clone()]));
        assert_eq!(Mail::send(&believing, message(), ample()).await.unwrap(), "250 queued", "{scheme}");
        let stranger = Egress::with_roots(settings(), clock(), Arc::new(Localhost), Roots::of(Vec::new()));
        let error = Mail::send(&stranger, message(), ample()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{scheme}: {}", error.message);
    }
}

struct Localhost;

impl crate::egress::Names for Localhost {
    fn look_up<'a>(&'a self, _: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]) })
    }
}

async fn speak<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    stream.write_all(b"220 ready\r\n").await?;
    speak_on(stream).await
}

/// Says yes to everything.
async fn speak_on<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(stream: S) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut content = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match line.trim_end() {
            "." => "250 queued",
            _ if content => continue,
            "DATA" => "354 go on",
            _ => "250 ok",
        };
        content = answer.starts_with("354");
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
