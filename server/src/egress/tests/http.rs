//! HTTP through the door: what a workflow's request meets out there.

use super::*;
use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};
use tokio::sync::mpsc;
use towpath_connectors::sdk::{Http, HttpBody, HttpRequest, HttpResponse, Part, PartContent, Redirects, outcome};
use towpath_engine::error::{ErrorKind, StepError};

fn request(method: Method, url: impl AsRef<str>) -> HttpRequest {
    HttpRequest {
        method,
        url: url.as_ref().parse().unwrap(),
        headers: HeaderMap::new(),
        body: HttpBody::Empty,
        authenticate: false,
        redirects: Redirects::Follow,
        deadline: ample(),
        max_response: 1024 * 1024,
    }
}

async fn get(url: impl AsRef<str>) -> Result<HttpResponse, StepError> {
    door().send(request(Method::GET, url)).await
}

/// A server that answers every request on every connection with the same bytes and then closes.
async fn answering(bytes: impl Into<Vec<u8>>) -> SocketAddr {
    let bytes = bytes.into();
    listen(move |mut stream, _| {
        let bytes = bytes.clone();
        async move {
            read_request(&mut stream).await?;
            write(&mut stream, bytes).await?;
            stream.shutdown().await?;
            hang(stream).await
        }
    })
    .await
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_notation() {
    let closed = Egress::with_roots(Settings::default(), clock(), Arc::new(Lies), Roots::of(Vec::new()));
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "127.0.1",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.5",
        "10.5",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fc00::1]",
        "local.example",
        "LOCAL.example",
        "inside.example",
        "①②⑦.⓪.⓪.①",
    ] {
        let error = closed.send(request(Method::GET, format!("http://{host}:8080/"))).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden, "{host}: {}", error.message);
        assert!(error.message.contains("TOWPATH_EGRESS_ALLOW="), "{host}: {}", error.message);
    }
}

#[tokio::test]
async fn what_an_operator_allows_is_reached_on_its_port_only() {
    let address = answering(answer("200 OK", "", "in")).await;
    let other = answering(answer("200 OK", "", "other")).await;
    let door = door_with(Settings { allow: format!("local.example:{}", address.port()).parse().unwrap(), mail: None });
    let url = |port| format!("http://local.example:{port}/");
    assert_eq!(door.send(request(Method::GET, url(address.port()))).await.unwrap().body, "in");
    assert_eq!(door.send(request(Method::GET, url(other.port()))).await.unwrap_err().kind, ErrorKind::Forbidden);
    let by_number = door.send(request(Method::GET, format!("http://{address}/"))).await.unwrap_err();
    assert_eq!(by_number.kind, ErrorKind::Forbidden, "the entry names the host, not its address");
}

#[tokio::test]
async fn a_redirect_into_the_network_is_refused() {
    for location in
        ["http://10.0.0.5:8080/", "http://2130706434:8080/", "http://inside.example/", "http://[::1]:8080/", "//169.254.169.254/"]
    {
        let address = answering(answer("302 Found", &format!("Location: {location}\r\n"), "")).await;
        let error = get(format!("http://{address}/")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden, "{location}: {}", error.message);
    }
    let address = answering(answer("302 Found", "Location: file:///etc/passwd\r\n", "")).await;
    let error = get(format!("http://{address}/")).await.unwrap_err();
    assert!(error.message.contains("not an http:// or https:// address"), "{}", error.message);
}

#[tokio::test]
async fn redirects_for_ever_end_after_five() {
    let hops = Arc::new(AtomicUsize::new(0));
    let counted = hops.clone();
    let address = listen(move |mut stream, _| {
        let counted = counted.clone();
        async move {
            loop {
                read_request(&mut stream).await?;
                let hop = counted.fetch_add(1, Ordering::SeqCst) + 1;
                write(&mut stream, answer("302 Found", &format!("Location: /{hop}\r\n"), "")).await?;
            }
        }
    })
    .await;
    let error = get(format!("http://{address}/")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
    assert!(error.message.contains("more than 5 times"), "{}", error.message);
    assert_eq!(hops.load(Ordering::SeqCst), 6);
    let stopped = HttpRequest { redirects: Redirects::Stop, ..request(Method::GET, format!("http://{address}/")) };
    assert_eq!(door().send(stopped).await.unwrap().status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_post_becomes_a_get_and_keeps_its_secrets_to_its_origin() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let target = listen(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            seen.send(read_request(&mut stream).await?).unwrap();
            write(&mut stream, answer("200 OK", "", "done")).await
        }
    })
    .await;
    let origin =
        answering(answer("303 See Other", &format!("Location: http://local.example:{}/end\r\n", target.port()), "")).await;
    let headers = [("authorization", "Bearer s"), ("cookie", "a=b"), ("x-api-key", "k"), ("accept", "text/x")];
    let sent = HttpRequest {
        headers: headers.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
        body: HttpBody::Bytes("data".into()),
        ..request(Method::POST, format!("http://{origin}/"))
    };
    let response = door().send(sent).await.unwrap();
    assert_eq!((response.body.as_ref(), response.rewritten), (b"done".as_slice(), true));
    assert_eq!(response.url.as_str(), format!("http://local.example:{}/end", target.port()));
    let (head, body) = requests.recv().await.unwrap();
    assert!(head.starts_with("get /end http/1.1"), "{head}");
    assert!(body.is_empty() && head.contains("accept: text/x"));
    assert!(!head.contains("authorization") && !head.contains("cookie") && !head.contains("x-api-key"), "{head}");
}

#[tokio::test]
async fn after_a_post_was_taken_a_dead_end_is_uncertain() {
    let nowhere = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() };
    let location = format!("Location: http://{nowhere}/\r\n");
    for (status, kind) in [("303 See Other", ErrorKind::Uncertain), ("307 Temporary Redirect", ErrorKind::Unavailable)] {
        let address = answering(answer(status, &location, "")).await;
        let error = door().send(request(Method::POST, format!("http://{address}/"))).await.unwrap_err();
        assert_eq!(error.kind, kind, "{status}: {}", error.message);
    }
}

#[tokio::test]
async fn what_was_certainly_not_done_is_unavailable() {
    let nowhere = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() };
    let plain = listen(|mut stream, _| async move {
        stream.read_u8().await?;
        write(&mut stream, answer("400 Bad Request", "", "")).await?;
        hang(stream).await
    })
    .await;
    let closing = listen(|stream, _| async move {
        drop(stream);
        Ok(())
    })
    .await;
    for (url, words) in [
        (format!("http://{nowhere}/"), "can't be reached on port"),
        ("http://nobody.example/".into(), "could not be looked up"),
        (format!("https://{plain}/"), "doesn't speak TLS"),
        (format!("https://{closing}/"), "while it was being secured"),
    ] {
        let error = door().send(request(Method::POST, &url)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{url}: {}", error.message);
        assert!(error.message.contains(words), "{url}: {}", error.message);
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_or_that_is_for_another_is_refused() {
    let certificate = rcgen::generate_simple_self_signed(vec!["local.example".to_owned()]).unwrap();
    let der = certificate.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let address = listen(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await?;
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await?;
            stream.write_all(&answer("200 OK", "", "secure")).await?;
            stream.shutdown().await
        }
    })
    .await;
    let settings = || Settings { allow: "127.0.0.1".parse().unwrap(), mail: None };
    let believing = Egress::with_roots(settings(), clock(), Arc::new(Lies), Roots::of(vec![der]));
    let url = format!("https://local.example:{}/", address.port());
    assert_eq!(believing.send(request(Method::GET, &url)).await.unwrap().body, "secure");
    let stranger = door().send(request(Method::POST, &url)).await.unwrap_err();
    assert_eq!(stranger.kind, ErrorKind::Unavailable);
    assert!(stranger.message.contains("certificate was refused"), "{}", stranger.message);
    let misnamed = believing.send(request(Method::POST, format!("https://{address}/"))).await.unwrap_err();
    assert!(misnamed.message.contains("it is for another name"), "{}", misnamed.message);
}

#[tokio::test]
async fn a_target_that_hangs_is_left_at_the_deadline() {
    let silent = listen(|stream, _| hang(stream)).await;
    let dripping = listen(|mut stream, _| async move {
        read_request(&mut stream).await?;
        write(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstart").await?;
        hang(stream).await
    })
    .await;
    for (address, words) in [(silent, "did not answer within"), (dripping, "began to answer and did not finish")] {
        let deadline = Instant::now() + Duration::from_millis(700);
        let sent = HttpRequest { deadline, ..request(Method::POST, format!("http://{address}/")) };
        let error = door().send(sent).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout, "{}", error.message);
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[tokio::test]
async fn a_cut_connection_leaves_the_outcome_unknown() {
    let before = listen(|mut stream, _| async move {
        read_request(&mut stream).await?;
        Ok(())
    })
    .await;
    let within = answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    let nonsense = answering("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    for (address, words) in [(before, "before it answered"), (within, "in the middle of its answer"), (nonsense, "isn't HTTP")] {
        let error = door().send(request(Method::POST, format!("http://{address}/"))).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Uncertain, "{words}: {}", error.message);
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[tokio::test]
async fn an_error_status_counts_although_its_body_was_cut() {
    let address = answering("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nno such order").await;
    let response = get(format!("http://{address}/")).await.unwrap();
    assert!(response.cut.is_some());
    let error = outcome::of(&response).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("no such order"), "{}", error.message);
}

async fn packed(encoding: &str, plain: &[u8]) -> Vec<u8> {
    use async_compression::tokio::write::{BrotliEncoder, GzipEncoder};
    let mut out = Vec::new();
    if encoding == "gzip" {
        let mut encoder = GzipEncoder::new(&mut out);
        encoder.write_all(plain).await.unwrap();
        encoder.shutdown().await.unwrap();
    } else {
        let mut encoder = BrotliEncoder::with_quality(&mut out, async_compression::Level::Fastest);
        encoder.write_all(plain).await.unwrap();
        encoder.shutdown().await.unwrap();
    }
    out
}

fn with_encoding(encoding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_bomb_stops_at_the_limit() {
    let zeros = vec![0; 64 * 1024 * 1024];
    for encoding in ["gzip", "br"] {
        let bomb = packed(encoding, &zeros).await;
        assert!(bomb.len() < 256 * 1024, "{encoding}: {} bytes on the wire", bomb.len());
        let address = answering(with_encoding(encoding, &bomb)).await;
        let error = get(format!("http://{address}/")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{encoding}");
        assert!(error.message.contains("larger than 1 MiB"), "{encoding}: {}", error.message);
    }
    let address = answering(answer("200 OK", "", &"x".repeat(1024 * 1024 + 1))).await;
    assert!(get(format!("http://{address}/")).await.unwrap_err().message.contains("larger than 1 MiB"));
    let endless = listen(|mut stream, _| async move {
        read_request(&mut stream).await?;
        write(&mut stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await?;
        loop {
            write(&mut stream, [b'x'; 16 * 1024]).await?;
        }
    })
    .await;
    assert!(get(format!("http://{endless}/")).await.unwrap_err().message.contains("larger than 1 MiB"));
    let exact = answering(answer("200 OK", "", &"x".repeat(1024 * 1024))).await;
    assert_eq!(get(format!("http://{exact}/")).await.unwrap().body.len(), 1024 * 1024);
}

#[tokio::test]
async fn packed_answers_are_unpacked_and_damaged_ones_are_said_to_be() {
    for encoding in ["gzip", "br"] {
        let body = packed(encoding, b"hello hello hello").await;
        let address = answering(with_encoding(encoding, &body)).await;
        let response = get(format!("http://{address}/")).await.unwrap();
        assert_eq!(response.body, "hello hello hello");
        assert!(!response.headers.contains_key("content-encoding") && !response.headers.contains_key("content-length"));
        let address = answering(with_encoding(encoding, &body[..body.len() / 2])).await;
        let error = get(format!("http://{address}/")).await.unwrap_err();
        assert!(error.message.contains("can't be unpacked"), "{encoding}: {}", error.message);
    }
    let twice = [packed("gzip", b"one ").await, packed("gzip", b"two").await].concat();
    let address = answering(with_encoding("gzip", &twice)).await;
    assert_eq!(get(format!("http://{address}/")).await.unwrap().body, "one two");
    let empty = answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n").await;
    assert!(get(format!("http://{empty}/")).await.unwrap().body.is_empty());
    let unknown = answering(with_encoding("rot13", b"uryyb")).await;
    let response = get(format!("http://{unknown}/")).await.unwrap();
    assert_eq!(
        (response.body.as_ref(), response.headers["content-encoding"].as_bytes()),
        (b"uryyb".as_slice(), b"rot13".as_slice())
    );
}

#[tokio::test]
async fn headers_without_end_are_cut_off() {
    let large = answering(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(200_000))).await;
    let many = answering(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(500))).await;
    for address in [large, many] {
        let error = get(format!("http://{address}/")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Uncertain);
        assert!(error.message.contains("more headers than"), "{}", error.message);
    }
}

#[tokio::test]
async fn too_many_requests_carries_its_wait() {
    for (value, seconds) in
        [("7", Some(7)), ("Mon, 02 Mar 2026 09:42:00 GMT", Some(60)), ("999999999999", Some(86400)), ("-1", None)]
    {
        let address = answering(answer("429 Too Many Requests", &format!("Retry-After: {value}\r\n"), "slow down")).await;
        let error = outcome::of(&get(format!("http://{address}/")).await.unwrap()).unwrap_err();
        assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimited, seconds.map(Duration::from_secs)), "{value}");
    }
}

#[tokio::test]
async fn connections_are_used_again_and_the_request_is_what_was_asked_for() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let address = listen(move |mut stream, number| {
        let seen = seen.clone();
        async move {
            loop {
                let (head, body) = read_request(&mut stream).await?;
                seen.send((number, head, body)).unwrap();
                write(&mut stream, answer("200 OK", "", "ok")).await?;
            }
        }
    })
    .await;
    let door = door();
    for text in ["one", "two"] {
        let mut headers = HeaderMap::new();
        headers.insert("host", "evil.example".parse().unwrap());
        headers.insert("content-length", "999".parse().unwrap());
        headers.insert("transfer-encoding", "chunked".parse().unwrap());
        let sent = HttpRequest {
            headers,
            body: HttpBody::Bytes(text.into()),
            ..request(Method::PUT, format!("http://u:p@{address}/a%20b?x=1#frag"))
        };
        door.send(sent).await.unwrap();
        let (connection, head, body) = requests.recv().await.unwrap();
        assert_eq!((connection, body.as_slice()), (0, text.as_bytes()));
        assert!(head.starts_with("put /a%20b?x=1 http/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("host: {address}")) && head.contains("content-length: 3"), "{head}");
        assert!(head.contains(concat!("user-agent: towpath/", env!("CARGO_PKG_VERSION"))), "{head}");
        assert!(!head.contains("evil") && !head.contains("chunked") && !head.contains("authorization"), "{head}");
    }
}

#[tokio::test]
async fn a_multipart_request_is_read_as_it_was_meant() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let address = listen(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            seen.send(read_request(&mut stream).await?).unwrap();
            write(&mut stream, answer("200 OK", "", "")).await
        }
    })
    .await;
    let bytes = Bytes::from_static(b"\x00\x01\r\n--x");
    let parts = vec![
        Part { name: "note".into(), content: PartContent::Text("Grüße".into()) },
        Part {
            name: "file".into(),
            content: PartContent::File { name: "ü.bin".into(), media_type: "image/png".into(), bytes: bytes.clone() },
        },
    ];
    let sent = HttpRequest { body: HttpBody::Multipart(parts), ..request(Method::POST, format!("http://{address}/")) };
    door().send(sent).await.unwrap();
    let (head, body) = requests.recv().await.unwrap();
    let boundary =
        head.lines().find_map(|line| line.strip_prefix("content-type: multipart/form-data; boundary=")).unwrap().to_owned();
    let stream = futures_util::stream::once(async move { Ok::<_, io::Error>(Bytes::from(body)) });
    let mut read = multer::Multipart::new(stream, boundary);
    let note = read.next_field().await.unwrap().unwrap();
    assert_eq!((note.name(), note.file_name()), (Some("note"), None));
    assert_eq!(note.text().await.unwrap(), "Grüße");
    let file = read.next_field().await.unwrap().unwrap();
    assert_eq!(
        (file.name(), file.file_name(), file.content_type().unwrap().as_ref()),
        (Some("file"), Some("ü.bin"), "image/png")
    );
    assert_eq!(file.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn plain_tcp_goes_through_the_same_guard() {
    let address = listen(|mut stream, _| async move { write(&mut stream, "hello").await }).await;
    let mut greeting = String::new();
    door().connect("local.example", address.port()).await.unwrap().read_to_string(&mut greeting).await.unwrap();
    assert_eq!(greeting, "hello");
    for host in ["inside.example", "10.0.0.5", "::1", "[::1]"] {
        let refused = door().connect(host, 5432).await.unwrap_err();
        assert!(matches!(refused, crate::egress::NoConnection::Blocked { .. }), "{host}: {refused}");
    }
}
