//! The ways in: plain http on the network, TLS in the process, behind nginx and behind Caddy. Each is signed in through as a browser
//! does, and each must carry cookies, live pages, webhooks and the caller's address.

use reqwest::{Client, StatusCode, Version, header};
use serde_json::json;
use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    process::Command,
    time::Duration,
};
use towpath_tests::{
    Authority, Daemon, Folder, Person, Settings, TestApp, free_port,
    person::{EMAIL, PASSWORD, browser},
    until,
};

const SOON: Duration = Duration::from_secs(20);
/// The name under which people reach the server in these tests.
const NAME: &str = "towpath.test";

/// A browser that believes the test's authority and finds the name on this machine.
fn client(authority: &Authority, port: u16) -> Client {
    browser()
        .tls_certs_only([authority.root()])
        .resolve(NAME, SocketAddr::from(([127, 0, 0, 1], port)))
        .build()
        .expect("a client can be made")
}

/// An address of this machine that isn't loopback.
fn own_address() -> IpAddr {
    // Nothing is sent: the system only says which of its addresses it would use.
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    socket.connect("192.0.2.1:9").expect("this machine has a network");
    socket.local_addr().expect("an address").ip()
}

fn set_cookie(headers: &header::HeaderMap) -> String {
    headers.get(header::SET_COOKIE).expect("a cookie is set").to_str().expect("text").to_owned()
}

async fn sign_in_answer(http: &Client, url: &str) -> reqwest::Response {
    let form = [("email", EMAIL), ("password", PASSWORD)];
    http.post(format!("{url}/sign-in")).form(&form).send().await.expect("the server answers")
}

/// What must hold whichever way people come in over https: sign-in with the strictest cookie, a webhook's 202, a live page whose first
/// line comes at once, other names refused, and the caller's own address in the log.
async fn works_over_https(app: &TestApp, url: &str, http: Client, bare: Client) {
    // Without following redirects, to see the cookie itself.
    let person = Person::set_up_at(app, url, http.clone()).await;
    let answer = sign_in_answer(&bare, url).await;
    assert!(answer.status().is_redirection(), "{}", answer.status());
    let cookie = set_cookie(answer.headers());
    assert!(cookie.starts_with("__Host-towpath=") && cookie.contains("Secure") && cookie.contains("HttpOnly"), "{cookie}");
    assert_eq!(answer.headers()[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000");
    let page = person.get("/workflows").await;
    assert_eq!((page.status(), page.version()), (StatusCode::OK, Version::HTTP_2));

    let hello = person
        .publish(&json!({
            "name": "Hello",
            "trigger": { "use": "webhook", "input": { "methods": ["POST"], "respond": "at_once" } },
            "steps": [ { "id": "hold", "use": "delay", "input": { "for": "1h" } } ]
        }))
        .await;
    assert!(hello.hook().starts_with(url), "links use the public URL: {}", hello.hook());
    let accepted = http.post(hello.hook()).json(&json!({ "hello": "canal" })).send().await.expect("the hook answers");
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let accepted: serde_json::Value = accepted.json().await.expect("JSON");
    let run = accepted["run"].as_str().expect("a run");

    // The run waits for an hour, so the stream stays open: a line of it must come without its end.
    let mut live = person.get(&format!("/runs/{run}/live")).await;
    assert_eq!(live.headers()[header::CONTENT_TYPE], "text/event-stream");
    let first = tokio::time::timeout(SOON, live.chunk()).await.expect("a live page is not held back").expect("it flows");
    assert!(first.is_some_and(|chunk| !chunk.is_empty()));
    drop(live);

    let refused = http.get(format!("{url}/sign-in")).header(header::HOST, "evil.example").send().await;
    // Over HTTP/2 a client can't send both names; what matters is that no page comes under a stranger's name.
    if let Ok(refused) = refused {
        assert!(!refused.status().is_success() || refused.url().host_str() == Some(NAME), "{}", refused.status());
    }
    let wrong = bare.post(format!("{url}/sign-in")).form(&[("email", "nobody@example.com"), ("password", "wrong")]).send().await;
    assert_eq!(wrong.expect("the server answers").status(), StatusCode::UNAUTHORIZED);
    let refusal = until("the refused sign-in is in the log", SOON, || async {
        app.log().lines().rev().find(|line| line.contains("a sign-in was refused")).map(str::to_owned)
    })
    .await;
    assert!(refusal.contains("127.0.0.1"), "the caller's own address: {refusal}");
}

fn bare(authority: &Authority, port: u16) -> Client {
    browser()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([authority.root()])
        .resolve(NAME, SocketAddr::from(([127, 0, 0, 1], port)))
        .build()
        .expect("a client can be made")
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_works_over_plain_http_on_the_network() {
    let address = own_address();
    let app = TestApp::start_with(Settings::default().set("TOWPATH_LISTEN", format!("0.0.0.0:{}", free_port()))).await;
    let url = format!("http://{}", SocketAddr::new(address, app.port));
    Person::set_up_at(&app, &url, browser().build().expect("a client")).await;
    let plain = browser().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let answer = sign_in_answer(&plain, &url).await;
    let cookie = set_cookie(answer.headers());
    assert!(cookie.starts_with("towpath=") && !cookie.contains("Secure") && cookie.contains("HttpOnly"), "{cookie}");
    assert!(!answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
    // The jar holds no cookie that plain http may not carry: the next page knows who asks.
    let page = plain.get(format!("{url}/workflows")).send().await.expect("the server answers");
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.expect("a page");
    assert!(page.contains("/help/https"), "the page says that passwords travel in clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_works_over_tls_in_the_process_and_a_new_certificate_needs_no_restart() {
    let folder = Folder::new("tls");
    let authority = Authority::new(folder.path());
    let pair = authority.certify("server", &[NAME, "127.0.0.1"]);
    let (port, http_port) = (free_port(), free_port());
    let url = format!("https://{NAME}:{port}");
    let app = TestApp::start_with(
        Settings::default()
            .set("TOWPATH_LISTEN", format!("127.0.0.1:{port}"))
            .set("TOWPATH_HTTP_LISTEN", format!("127.0.0.1:{http_port}"))
            .set("TOWPATH_PUBLIC_URL", &url)
            .set("TOWPATH_TLS_CERT", pair.certificate.to_str().expect("text"))
            .set("TOWPATH_TLS_KEY", pair.key.to_str().expect("text")),
    )
    .await;
    works_over_https(&app, &url, client(&authority, port), bare(&authority, port)).await;

    // http, on its own port and on the one for https, is sent on; a strange name is not.
    for plain in [http_port, port] {
        let stranger = bare(&authority, plain);
        let answer = stranger.get(format!("http://{NAME}:{plain}/runs?state=failed")).send().await.expect("it answers");
        assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(answer.headers()[header::LOCATION], format!("{url}/runs?state=failed"));
        let answer = stranger.get(format!("http://127.0.0.1:{plain}/")).header(header::HOST, "evil.example").send().await;
        assert_eq!(answer.expect("it answers").status(), StatusCode::MISDIRECTED_REQUEST);
    }
    // Over https under another name than the public one there is no promise for a year.
    let by_address = bare(&authority, port).get(format!("https://127.0.0.1:{port}/sign-in")).send().await.expect("it answers");
    assert!(!by_address.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));

    let newer = Authority::new(folder.path());
    newer.certify("server", &[NAME]);
    until("the new certificate is used", SOON, || async {
        client(&newer, port).get(format!("{url}/livez")).send().await.ok().filter(|answer| answer.status().is_success())
    })
    .await;
    assert!(
        client(&authority, port).get(format!("{url}/livez")).send().await.is_err(),
        "the old authority is not in use any more"
    );
    assert_eq!(app.stop(), Some(0));
}

/// Settings of a server that is reached through a proxy on this machine.
fn behind(url: &str) -> Settings {
    Settings::default().set("TOWPATH_PUBLIC_URL", url).set("TOWPATH_TRUSTED_PROXIES", "127.0.0.1")
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_works_behind_nginx_with_the_configuration_that_we_publish() {
    let folder = Folder::new("nginx");
    let authority = Authority::new(folder.path());
    let pair = authority.certify("server", &[NAME]);
    let (port, plain) = (free_port(), free_port());
    let url = format!("https://{NAME}:{port}");
    let app = TestApp::start_with(behind(&url)).await;
    let published = include_str!("../../../docs/proxies/nginx.conf");
    let site = published
        .replace("/etc/letsencrypt/live/towpath.example.com/fullchain.pem", pair.certificate.to_str().expect("text"))
        .replace("/etc/letsencrypt/live/towpath.example.com/privkey.pem", pair.key.to_str().expect("text"))
        .replace("towpath.example.com", NAME)
        .replace("server 127.0.0.1:8470;", &format!("server 127.0.0.1:{};", app.port))
        .replace("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl"))
        .replace("listen 80;", &format!("listen 127.0.0.1:{plain};"));
    let here = folder.path().display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {here}/{kind};\n"))
        .collect();
    let main = folder.write(
        "nginx.conf",
        &format!(
            "daemon off;\npid {here}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{site}\n}}\n"
        ),
    );
    // Not every user's path leads there.
    let program = if std::path::Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    let mut command = Command::new(program);
    command.args(["-p"]).arg(folder.path()).arg("-c").arg(main).args(["-e", "stderr"]);
    let _nginx = Daemon::start(command, &folder, port).await;
    works_over_https(&app, &url, client(&authority, port), bare(&authority, port)).await;
    a_caller_can_not_choose_his_address(&app, &url, &bare(&authority, port)).await;
    let sent_on = bare(&authority, plain).get(format!("http://{NAME}:{plain}/runs")).send().await.expect("nginx answers");
    assert_eq!(sent_on.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(sent_on.headers()[header::LOCATION], format!("https://{NAME}/runs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_works_behind_caddy_with_the_configuration_that_we_publish() {
    let folder = Folder::new("caddy");
    let authority = Authority::new(folder.path());
    let pair = authority.certify("server", &[NAME]);
    let (port, plain) = (free_port(), free_port());
    let url = format!("https://{NAME}:{port}");
    let app = TestApp::start_with(behind(&url)).await;
    let certificate = format!("{NAME} {{\n\ttls {} {}", pair.certificate.display(), pair.key.display());
    let site = include_str!("../../../docs/proxies/Caddyfile")
        .replace("towpath.example.com {", &certificate)
        .replace("reverse_proxy 127.0.0.1:8470", &format!("reverse_proxy 127.0.0.1:{}", app.port));
    let global = format!("{{\n\tadmin off\n\thttp_port {plain}\n\thttps_port {port}\n\tdefault_bind 127.0.0.1\n}}\n");
    let file = folder.write("Caddyfile", &format!("{global}{site}"));
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    command.env("XDG_DATA_HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path()).env("HOME", folder.path());
    let _caddy = Daemon::start(command, &folder, port).await;
    works_over_https(&app, &url, client(&authority, port), bare(&authority, port)).await;
    a_caller_can_not_choose_his_address(&app, &url, &bare(&authority, port)).await;
}

/// Whatever a caller writes into the headers of proxies, the log has the address that the proxy saw.
async fn a_caller_can_not_choose_his_address(app: &TestApp, url: &str, http: &Client) {
    let refused = || app.log().lines().filter(|line| line.contains("a sign-in was refused")).count();
    let before = refused();
    let answer = http
        .post(format!("{url}/sign-in"))
        .header("x-forwarded-for", "6.6.6.6")
        .header("forwarded", "for=6.6.6.6;proto=http;host=evil.example")
        .header("x-forwarded-proto", "http")
        .header("x-forwarded-host", "evil.example")
        .form(&[("email", "mallory@example.com"), ("password", "wrong")])
        .send()
        .await
        .expect("the server answers");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "the name and the scheme are the proxy's word");
    until("the refused sign-in is in the log", SOON, || async { (refused() > before).then_some(()) }).await;
    assert!(!app.log().contains("6.6.6.6"), "an address that a caller made up");
}

/// Nobody is trusted: headers of proxies mean nothing.
#[tokio::test(flavor = "multi_thread")]
async fn without_trusted_proxies_their_headers_mean_nothing() {
    let app = TestApp::start().await;
    let http = browser().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    app.owner().await;
    let answer = http
        .post(format!("{}/sign-in", app.url))
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "evil.example")
        .form(&[("email", EMAIL), ("password", PASSWORD)])
        .send()
        .await
        .expect("the server answers");
    let cookie = set_cookie(answer.headers());
    assert!(cookie.starts_with("towpath=") && !cookie.contains("Secure"), "{cookie}");
    assert!(!app.log().contains("6.6.6.6"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_can_not_be_used_is_said_at_start_in_sentences() {
    let app = TestApp::start().await;
    let folder = Folder::new("broken");
    let key = folder.write("key.pem", "nothing");
    let output = Command::new(std::env::var_os("TOWPATH_BIN").expect("TOWPATH_BIN names the binary to test"))
        .arg("serve")
        .env_clear()
        .env("DATABASE_URL", &app.database_url)
        .env("TOWPATH_DATA", folder.path())
        .env("TOWPATH_LISTEN", "127.0.0.1:0")
        .env("TOWPATH_TLS_CERT", "/nonexistent/certificate.pem")
        .env("TOWPATH_TLS_KEY", &key)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("TOWPATH_TLS_CERT names /nonexistent/certificate.pem, which can't be read"), "{said}");
    assert!(said.contains("which holds no private key"), "{said}");
}
