use super::*;
use std::{fs, path::Path};

fn read(variables: &[(&str, &str)]) -> Result<Config, Mistakes> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::read(Environment { variables: variables.chain([("HOME".into(), "/nowhere".into())]).collect(), root: false })
}

/// A folder of its own for a test; gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("towpath-config-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn no_setting_is_needed() {
    let config = read(&[]).unwrap();
    assert_eq!(config.data.directory, Path::new("/nowhere/.local/share/towpath"));
    assert_eq!(config.server.listen, server::Listen::Everywhere { port: server::DEFAULT_PORT });
    assert_eq!((config.limits.max_body, config.limits.retention_days), (5 << 20, 30));
    assert!(config.database.url.is_none() && config.mail.smtp.is_none() && config.egress.allow.is_empty());
    let root = Config::read(Environment { root: true, ..Environment::default() }).unwrap();
    assert_eq!(root.data.directory, Path::new("/var/lib/towpath"));
}

#[test]
fn every_mistake_is_said_at_once_and_no_secret_is() {
    let folder = Folder::new();
    let file = folder.write("settings.toml", "TOWPATH_LISTENS = 1\nTOWPATH_RETENTION_DAYS = 0\nTOWPATH_DATA = \"/x\"\n");
    let mistakes = read(&[
        ("TOWPATH_CONFIG", &file),
        ("TOWPATH_LISTEN", "8400x"),
        ("TOWPATH_MAX_BODY", "5 parsecs"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("TOWPATH_SMTP_URL", "smtp://me:hunter2@mail"),
        ("TOWPATH_EGRESS_ALLOW", "10.0.0.0/8, nonsense"),
        ("TOWPATH_PUBLIC_URL", "towpath.example.com"),
        ("TOWPATH_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("TOWPATH_LOG", "inof"),
        ("TOWPATH_PG_BIN", "/nonexistent"),
        ("TOWPATH_KEY_FILE", "relative"),
    ])
    .unwrap_err();
    let text = mistakes.to_string();
    for name in [
        "TOWPATH_LISTEN is \"8400x\"; it must be a port (8470), or an address and a port",
        "TOWPATH_LISTENS, which is not a setting of Towpath. Did you mean TOWPATH_LISTEN?",
        "TOWPATH_RETENTION_DAYS is \"0\" in ",
        "TOWPATH_DATA can be set in the environment only",
        "TOWPATH_MAX_BODY is \"5 parsecs\"",
        "DATABASE_URL has a value that is not shown here; it must be",
        "It names no sender (?from=…).",
        "\"nonsense\" is none of these.",
        "TOWPATH_PUBLIC_URL is",
        "\"10.0.0.0/99\" is not an address or a network.",
        "\"inof\" is not a level.",
        "TOWPATH_PG_BIN is",
        "TOWPATH_KEY_FILE is",
    ] {
        assert!(text.contains(name), "{name} is missing in\n{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_environment_wins_over_the_file_and_a_value_may_be_in_a_file_of_its_own() {
    let folder = Folder::new();
    folder.write(
        "towpath.toml",
        "TOWPATH_LISTEN = 9000\nTOWPATH_RETENTION_DAYS = 7\nTOWPATH_EGRESS_ALLOW = [\"10.0.0.1\", \"crm:80\"]\n",
    );
    let url = folder.write("url", "postgres://u:hunter2@db/x\n");
    let set = [("TOWPATH_DATA", folder.path()), ("TOWPATH_LISTEN", "[::1]:9001"), ("DATABASE_URL_FILE", &url)];
    let config = read(&set).unwrap();
    assert_eq!(config.server.listen, server::Listen::On("[::1]:9001".parse().unwrap()));
    assert_eq!(config.limits.retention_days, 7);
    assert_eq!(config.egress.allow, "10.0.0.1, crm:80".parse().unwrap());
    assert_eq!(config.database.url.as_ref().unwrap().reveal(), "postgres://u:hunter2@db/x");
    assert!(!format!("{config:?}").contains("hunter2"));
    let twice = [("DATABASE_URL_FILE", url.as_str()), ("DATABASE_URL", "postgres://u@db/x")];
    assert_eq!(read(&twice).unwrap_err().0, ["DATABASE_URL and DATABASE_URL_FILE are both set; keep one of them."]);
    let gone = read(&[("DATABASE_URL_FILE", "/nonexistent")]).unwrap_err().to_string();
    assert!(gone.contains("DATABASE_URL_FILE names /nonexistent, which can't be read"), "{gone}");
}

#[test]
fn a_broken_file_of_settings_is_named_with_its_line() {
    let folder = Folder::new();
    let file = folder.write("settings.toml", "TOWPATH_LISTEN = 9000\nTOWPATH_LOG = info\n");
    let text = read(&[("TOWPATH_CONFIG", &file)]).unwrap_err().to_string();
    assert!(text.contains("settings.toml is not valid TOML in line 2"), "{text}");
    let text = read(&[("TOWPATH_CONFIG", "/nonexistent.toml")]).unwrap_err().to_string();
    assert!(text.contains("TOWPATH_CONFIG names /nonexistent.toml, which can't be read"), "{text}");
}

#[test]
fn an_empty_value_is_not_set_and_a_slip_in_the_environment_is_a_warning() {
    let config =
        read(&[("DATABASE_URL", ""), ("TOWPATH_LISTEN", " "), ("TOWPATH_LISTNE", "1"), ("TOWPATH_SERVICE_HOST", "10.0.0.1")]);
    let config = config.unwrap();
    assert!(config.database.url.is_none());
    assert_eq!(
        config.warnings,
        ["The environment sets TOWPATH_LISTNE, which is not a setting of Towpath. Did you mean TOWPATH_LISTEN?"]
    );
}

#[test]
fn tls_is_a_pair_of_files_or_an_authority_and_each_half_is_missed() {
    let files =
        read(&[("TOWPATH_TLS_CERT", "/c.pem"), ("TOWPATH_TLS_KEY", "/k.pem"), ("TOWPATH_HTTP_LISTEN", "80")]).unwrap().server;
    assert!(files.tls.is_on() && files.listen == server::Listen::Everywhere { port: server::DEFAULT_PORT });
    assert_eq!(files.tls.http_listen, Some(server::Listen::Everywhere { port: 80 }));
    let acme = [("TOWPATH_PUBLIC_URL", "https://flows.example.com"), ("TOWPATH_ACME_EMAIL", "ops@example.com")];
    let server = read(&acme).unwrap().server;
    assert_eq!(server.listen, server::Listen::Everywhere { port: 443 });
    let tls::Source::Acme(settings) = server.tls.source else { panic!("{:?}", server.tls) };
    assert_eq!((settings.name.as_str(), settings.directory.as_str()), ("flows.example.com", crate::tls::acme::DIRECTORY));
    for (set, said) in [
        (&[("TOWPATH_TLS_CERT", "/c.pem")][..], "TOWPATH_TLS_CERT is set and TOWPATH_TLS_KEY is not"),
        (&[("TOWPATH_TLS_KEY", "/k.pem")], "TOWPATH_TLS_KEY is set and TOWPATH_TLS_CERT is not"),
        (&[("TOWPATH_TLS_CERT", "c.pem"), ("TOWPATH_TLS_KEY", "/k.pem")], "TOWPATH_TLS_CERT is \"c.pem\""),
        (&[acme[0], acme[1], ("TOWPATH_TLS_CERT", "/c.pem")], "keep one of the two ways"),
        (&[acme[1]], "it is not set"),
        (&[acme[1], ("TOWPATH_PUBLIC_URL", "http://flows.example.com")], "it is http://flows.example.com/"),
        (&[acme[1], ("TOWPATH_PUBLIC_URL", "https://10.0.0.1")], "a name that the whole internet knows"),
        (&[acme[1], ("TOWPATH_PUBLIC_URL", "https://localhost")], "a name that the whole internet knows"),
        (&[acme[0], ("TOWPATH_ACME_EMAIL", "nobody")], "TOWPATH_ACME_EMAIL is \"nobody\""),
        (&[acme[0], acme[1], ("TOWPATH_ACME_DIRECTORY", "http://ca.example")], "TOWPATH_ACME_DIRECTORY is"),
        (&[("TOWPATH_HTTP_LISTEN", "80")], "has no https to send anybody on to"),
    ] {
        let mistakes = read(set).unwrap_err();
        assert!(mistakes.0.len() == 1 && mistakes.0[0].contains(said), "{said}: {mistakes}");
    }
}

#[test]
fn a_mail_server_is_a_url_with_a_sender() {
    let smtp = read(&[("TOWPATH_SMTP_URL", "smtp://me%40x:p@mail:587?tls=required&from=Towpath <t@example.com>")])
        .unwrap()
        .mail
        .smtp
        .unwrap();
    assert_eq!((smtp.host.as_str(), smtp.port, smtp.from.to_string().as_str()), ("mail", 587, "Towpath <t@example.com>"));
    for wrong in [
        "http://mail?from=t@example.com",
        "smtp://mail?from=nobody",
        "smtp://mail?from=a@b.c&tls=maybe",
        "smtps://mail?from=a@b.c&tls=required",
        "smtp://mail?from=a@b.c&to=x",
    ] {
        assert!(read(&[("TOWPATH_SMTP_URL", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn sizes_are_read_with_their_units() {
    for (text, bytes) in
        [("5MiB", 5 << 20), ("5M", 5 << 20), ("5 mb", 5 << 20), ("1k", 1 << 10), ("2048", 2048), ("1GiB", 1 << 30)]
    {
        assert_eq!(read(&[("TOWPATH_MAX_BODY", text)]).unwrap().limits.max_body, bytes, "{text}");
    }
    for wrong in ["1", "2GiB", "99999999999999999999", "5mm", "-5M", "M"] {
        assert!(read(&[("TOWPATH_MAX_BODY", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn the_documentation_is_made_from_the_settings() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let page = document::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &page).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "docs/configuration.md is not what the settings say; run UPDATE_DOCS=1 cargo test -p towpath-server --lib config"
    );
}
