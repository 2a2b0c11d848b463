//! Certificates from an authority that speaks ACME: Debian's `pebble`, which checks for real that the name is ours.

use reqwest::Client;
use serde_json::json;
use std::{net::SocketAddr, process::Command, time::Duration};
use towpath_tests::{Authority, Daemon, Folder, Settings, TestApp, free_port, until};

const NAME: &str = "towpath.test";
/// The authority refuses a nonce now and then: an order may fail altogether, and the next try is a minute later.
const LONG: Duration = Duration::from_secs(150);

/// An authority whose word on `https` is checked on `tls_port` and on `http` on `http_port`, and that signs for `seconds`.
struct Pebble {
    directory: String,
    management: u16,
    folder: Folder,
    trust: Authority,
    _resolver: Daemon,
    _server: Daemon,
}

impl Pebble {
    async fn start(tls_port: u16, http_port: u16, seconds: u64) -> Self {
        let folder = Folder::new("pebble");
        let trust = Authority::new(folder.path());
        let pair = trust.certify("pebble", &["localhost", "127.0.0.1"]);
        let (port, management, dns, dns_management) = (free_port(), free_port(), free_port(), free_port());
        let config = json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": pair.certificate,
            "privateKey": pair.key,
            "httpPort": http_port,
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "domainBlocklist": [],
            "retryAfter": { "authz": 1, "order": 1 },
            "certificateValidityPeriod": seconds,
        } });
        let config = folder.write("pebble.json", &config.to_string());
        let mut resolver = Command::new("pebble-challtestsrv");
        resolver.args(["-defaultIPv6", "", "-defaultIPv4", "127.0.0.1", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
        resolver.args(["-dns01", &format!("127.0.0.1:{dns}"), "-management", &format!("127.0.0.1:{dns_management}")]);
        let resolver = Daemon::start(resolver, &folder, dns_management).await;
        let mut server = Command::new("pebble");
        server.arg("-config").arg(config).args(["-strict", "-dnsserver", &format!("127.0.0.1:{dns}")]);
        server.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "5");
        let server = Daemon::start(server, &folder, port).await;
        let directory = format!("https://localhost:{port}/dir");
        Self { directory, management, folder, trust, _resolver: resolver, _server: server }
    }

    /// Who signs the certificates that it hands out; another one at each start.
    async fn root(&self) -> reqwest::Certificate {
        let http = Client::builder().tls_certs_only([self.trust.root()]).no_proxy().build().expect("a client");
        let url = format!("https://localhost:{}/roots/0", self.management);
        let pem = http.get(url).send().await.expect("pebble answers").bytes().await.expect("a certificate");
        reqwest::Certificate::from_pem(&pem).expect("a certificate")
    }

    fn settings(&self, tls_port: u16) -> Settings {
        Settings::default()
            .set("TOWPATH_LISTEN", format!("127.0.0.1:{tls_port}"))
            .set("TOWPATH_PUBLIC_URL", format!("https://{NAME}"))
            .set("TOWPATH_ACME_EMAIL", "ops@towpath.test")
            .set("TOWPATH_ACME_DIRECTORY", &self.directory)
            .set("TOWPATH_ACME_ROOT", self.trust.file().to_str().expect("text"))
    }
}

/// Somebody who believes the authority, and finds the name on this machine.
fn visitor(root: reqwest::Certificate, port: u16) -> Client {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Client::builder().tls_certs_only([root]).resolve(NAME, address).tls_info(true).no_proxy().build().expect("a client")
}

/// The certificate that a visitor is shown, once one is that he believes.
async fn certificate(root: &reqwest::Certificate, port: u16) -> Option<Vec<u8>> {
    let answer = visitor(root.clone(), port).get(format!("https://{NAME}:{port}/livez")).send().await.ok()?;
    assert!(answer.status().is_success());
    answer.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate().map(<[u8]>::to_vec)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_got_kept_and_renewed_and_stays_in_use_when_the_authority_is_gone() {
    let (tls_port, http_port) = (free_port(), free_port());
    let pebble = Pebble::start(tls_port, http_port, 24).await;
    let app = TestApp::start_with(pebble.settings(tls_port)).await;
    let root = pebble.root().await;
    let first = until("the first certificate is in use", LONG, || certificate(&root, tls_port)).await;

    // After two thirds of its 24 seconds there is another.
    until("the certificate was renewed", LONG, || async { certificate(&root, tls_port).await.filter(|now| *now != first) }).await;

    // A restart goes on with what was kept, without the authority, of which nothing is needed until the next renewal.
    let directory = pebble.folder.path().display().to_string();
    drop(pebble);
    assert!(!std::path::Path::new(&directory).exists());
    app.kill();
    app.boot().await;
    assert!(
        !app.log().lines().rev().take_while(|line| !line.contains("is ready")).any(|line| line.contains("asking")),
        "{}",
        app.log()
    );
    let renewed = certificate(&root, tls_port).await;
    assert!(renewed.is_some_and(|kept| kept != first), "the certificate that was kept is shown");
    until("the failed renewal is said", LONG, || async { app.log().contains("stays in use until").then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_is_proved_over_http_where_the_handshake_is_not_reached() {
    let (tls_port, http_port) = (free_port(), free_port());
    // The authority looks for the handshake where nobody listens, as behind a load balancer that ends TLS by itself.
    let pebble = Pebble::start(free_port(), http_port, 3600).await;
    let settings = pebble.settings(tls_port).set("TOWPATH_HTTP_LISTEN", format!("127.0.0.1:{http_port}"));
    let app = TestApp::start_with(settings).await;
    let root = pebble.root().await;
    until("the failure says why", LONG, || async { app.log().contains("could not reach this server").then_some(()) }).await;
    until("the certificate is in use", Duration::from_secs(120), || certificate(&root, tls_port)).await;
}
