//! What the facts mean: pure.

use super::{
    Finding, Reach, Report, State,
    look::{Arrived, Facts},
};
use chrono::{DateTime, TimeDelta, Utc};

/// Clocks may differ by so much.
const SKEW: TimeDelta = TimeDelta::seconds(2);
/// A certificate that has so little left should have been renewed.
const FEW_DAYS: i64 = 14;

/// Every finding, in the order in which people read them.
pub fn report(facts: &Facts, now: DateTime<Utc>) -> Report {
    let findings = [Some(public_url(facts)), certificate(facts, now), loop_back(facts), proxies(facts), Some(clock(facts))];
    Report { checked_at: now, webhooks: webhooks(facts), findings: findings.into_iter().flatten().collect() }
}

fn webhooks(facts: &Facts) -> Reach {
    match &facts.loop_back {
        // It says nothing about others.
        Some(Ok(_)) if is_this_machine(facts) => Reach::Unknown,
        None => Reach::Unknown,
        Some(Ok(Arrived { echo: Some(_), .. })) => Reach::Reachable,
        Some(_) => Reach::NotReachable,
    }
}

/// Is the public address one that leads everybody to his own machine?
fn is_this_machine(facts: &Facts) -> bool {
    match facts.public_url.as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn finding(about: &'static str, state: State, said: impl Into<String>, advice: Option<&str>) -> Finding {
    Finding { about, state, said: said.into(), advice: advice.map(str::to_owned) }
}

fn public_url(facts: &Facts) -> Finding {
    const ABOUT: &str = "Public address";
    match &facts.public_url {
        None => finding(
            ABOUT,
            State::Unknown,
            "No public address is set, so nobody knows whether services outside can reach this server.",
            Some("Set TOWPATH_PUBLIC_URL to the address under which people and services reach it, and start it again."),
        ),
        Some(url) if is_this_machine(facts) => finding(
            ABOUT,
            State::Unknown,
            format!(
                "The public address is {}, which leads everybody to his own machine: only programs on this one get through.",
                bare(url)
            ),
            Some("Set TOWPATH_PUBLIC_URL to the address under which people and services reach it, and start it again."),
        ),
        Some(url) if url.scheme() == "https" => {
            finding(ABOUT, State::Good, format!("People and services use {}.", bare(url)), None)
        }
        Some(url) => finding(
            ABOUT,
            State::Warning,
            format!("People and services use {}, without encryption: passwords and data can be read on their way.", bare(url)),
            Some("Turn on https: see Help."),
        ),
    }
}

fn bare(url: &url::Url) -> &str {
    url.as_str().trim_end_matches('/')
}

fn certificate(facts: &Facts, now: DateTime<Utc>) -> Option<Finding> {
    const ABOUT: &str = "Certificate";
    let Some(shown) = &facts.certificate else {
        let https = facts.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        return https.then(|| match facts.loop_back {
            Some(Ok(_)) => finding(ABOUT, State::Good, "A proxy in front ends TLS, and its certificate is believed.", None),
            _ => finding(ABOUT, State::Unknown, "TLS ends in front of Towpath; nothing is known about that certificate.", None),
        });
    };
    let days = shown.days_left(now);
    let host = facts.public_url.as_ref().and_then(|url| url.host_str());
    let until = shown.until.format("%-d %B %Y");
    if days < 0 {
        return Some(finding(
            ABOUT,
            State::Bad,
            format!("The certificate expired on {until}. Browsers and services refuse the connection."),
            Some("Put a new one in its place; it is used at once. With TOWPATH_ACME_EMAIL the log says why it was not renewed."),
        ));
    }
    if shown.self_signed {
        return Some(finding(
            ABOUT,
            State::Bad,
            "The certificate is signed by itself, so browsers warn and services refuse it.",
            Some("Use one from an authority: see Help. With TOWPATH_ACME_EMAIL the log says why there is none yet."),
        ));
    }
    if let Some(host) = host.filter(|host| !shown.covers(host)) {
        return Some(finding(
            ABOUT,
            State::Bad,
            format!("The certificate is for {}, not for {host}.", shown.names.join(", ")),
            Some("Get one for the name in TOWPATH_PUBLIC_URL."),
        ));
    }
    let said = format!("Signed by {}, for another {days} days, until {until}.", shown.issuer);
    Some(if days < FEW_DAYS && (shown.until - shown.from).num_days() > 2 * FEW_DAYS {
        finding(ABOUT, State::Warning, said, Some("It should have been renewed by now. Look into what renews it."))
    } else {
        finding(ABOUT, State::Good, said, None)
    })
}

fn loop_back(facts: &Facts) -> Option<Finding> {
    const ABOUT: &str = "Way from outside";
    Some(match facts.loop_back.as_ref()? {
        Ok(Arrived { echo: Some(_), .. }) => {
            finding(ABOUT, State::Good, "A call to the public address arrives at this server.", None)
        }
        Ok(Arrived { status, .. }) => finding(
            ABOUT,
            State::Bad,
            format!(
                "Something else answers at the public address (status {status}): another server, or a proxy that does not pass the call on."
            ),
            Some("Check where the name leads, and what the proxy does with it."),
        ),
        Err(said) => finding(
            ABOUT,
            State::Bad,
            format!("A call to the public address does not arrive: {said}"),
            Some(
                "Check the name, the proxy and the firewall. A network that does not let its own machines use its outer address shows \
                 this too, although services outside get through.",
            ),
        ),
    })
}

fn proxies(facts: &Facts) -> Option<Finding> {
    const ABOUT: &str = "Proxy";
    let Some(Ok(Arrived { echo: Some(echo), .. })) = &facts.loop_back else { return None };
    let wants_https = facts.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    let told = !echo.headers.is_empty();
    let headers = echo.headers.join(", ");
    Some(match (told, facts.peer_is_trusted) {
        (false, false) => finding(ABOUT, State::Good, "Nothing stands between callers and this server.", None),
        (true, false) => finding(
            ABOUT,
            State::Bad,
            format!(
                "A proxy at {} passes calls on ({headers}), and it is not trusted: every caller looks like the proxy.",
                echo.peer
            ),
            Some("Name its address in TOWPATH_TRUSTED_PROXIES and start again."),
        ),
        (false, true) => finding(
            ABOUT,
            State::Warning,
            format!("The proxy at {} does not say who calls: every caller looks like the proxy.", echo.peer),
            Some("Let it set X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host: Help has whole configurations."),
        ),
        (true, true) if wants_https && !echo.headers.iter().any(|name| name == "x-forwarded-proto" || name == "forwarded") => {
            finding(
                ABOUT,
                State::Warning,
                format!("The proxy at {} does not say that callers used https ({headers}).", echo.peer),
                Some("Let it set X-Forwarded-Proto: Help has whole configurations."),
            )
        }
        (true, true) => {
            finding(ABOUT, State::Good, format!("The proxy at {} says who calls ({headers}), and is believed.", echo.peer), None)
        }
    })
}

fn clock(facts: &Facts) -> Finding {
    const ABOUT: &str = "Clock";
    let outside = facts.loop_back.iter().flatten().find_map(|arrived| arrived.ahead);
    let late = |ahead: &TimeDelta| ahead.abs() > SKEW;
    match (&facts.database_ahead, outside) {
        (Err(said), _) => finding(ABOUT, State::Unknown, said.clone(), None),
        (Ok(ahead), _) if late(ahead) => finding(
            ABOUT,
            State::Bad,
            format!("The database's clock differs from this machine's by {}.", seconds(*ahead)),
            Some("Let both keep their time by NTP: schedules and signatures depend on it."),
        ),
        (Ok(_), Some(ahead)) if late(&ahead) => finding(
            ABOUT,
            State::Warning,
            format!("Whoever answers at the public address has a clock that differs from this machine's by {}.", seconds(ahead)),
            Some("Let both keep their time by NTP."),
        ),
        (Ok(_), _) => finding(ABOUT, State::Good, "This machine and its database agree on the time.", None),
    }
}

fn seconds(delta: TimeDelta) -> String {
    format!("{} seconds", delta.abs().num_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::certificate::Facts as Certificate;
    use std::sync::Arc;

    fn facts(public_url: Option<&str>) -> Facts {
        Facts {
            public_url: public_url.map(|url| url.parse().unwrap()),
            certificate: None,
            loop_back: None,
            trusts_proxies: false,
            peer_is_trusted: false,
            database_ahead: Ok(TimeDelta::milliseconds(3)),
        }
    }

    fn arrived(headers: &[&str]) -> Option<Result<Arrived, String>> {
        let echo = serde_json::from_value(serde_json::json!({
            "proof": "", "peer": "10.0.0.2", "address": "203.0.113.9", "https": true, "authority": "a.example", "headers": headers,
        }));
        Some(Ok(Arrived { echo: Some(echo.unwrap()), status: 200, ahead: Some(TimeDelta::zero()) }))
    }

    fn states(facts: &Facts) -> Vec<(&'static str, State)> {
        report(facts, DateTime::UNIX_EPOCH).findings.iter().map(|finding| (finding.about, finding.state)).collect()
    }

    #[test]
    fn what_was_found_decides_what_is_said() {
        use State::{Bad, Good, Unknown, Warning};
        let https = Some("https://a.example");
        assert_eq!(states(&facts(None)), [("Public address", Unknown), ("Clock", Good)]);
        assert_eq!(report(&facts(None), DateTime::UNIX_EPOCH).webhooks, Reach::Unknown);

        let direct = Facts { loop_back: arrived(&[]), ..facts(https) };
        let all_good =
            [("Public address", Good), ("Certificate", Good), ("Way from outside", Good), ("Proxy", Good), ("Clock", Good)];
        assert_eq!(states(&direct), all_good);
        assert_eq!(report(&direct, DateTime::UNIX_EPOCH).webhooks, Reach::Reachable);

        let local = Facts { loop_back: arrived(&[]), ..facts(Some("http://localhost:8470")) };
        assert_eq!(report(&local, DateTime::UNIX_EPOCH).webhooks, Reach::Unknown);
        assert_eq!(states(&local)[0], ("Public address", Unknown));

        let proxy = |headers: &[&str], peer_is_trusted| {
            let facts = Facts { loop_back: arrived(headers), peer_is_trusted, ..facts(https) };
            states(&facts)[3].1
        };
        assert_eq!(proxy(&["x-forwarded-for", "x-forwarded-proto"], true), Good);
        assert_eq!(proxy(&["x-forwarded-for", "x-forwarded-proto"], false), Bad);
        assert_eq!(proxy(&["x-forwarded-for"], true), Warning);
        assert_eq!(proxy(&[], true), Warning);

        let lost = Facts { loop_back: Some(Err("nobody there.".into())), ..facts(Some("http://a.example")) };
        assert_eq!(states(&lost), [("Public address", Warning), ("Way from outside", Bad), ("Clock", Good)]);
        assert_eq!(report(&lost, DateTime::UNIX_EPOCH).webhooks, Reach::NotReachable);
        let somebody_else = Arrived { echo: None, status: 404, ahead: Some(TimeDelta::seconds(-90)) };
        let somebody_else = Facts { loop_back: Some(Ok(somebody_else)), ..facts(https) };
        assert_eq!(states(&somebody_else)[2..], [("Way from outside", Bad), ("Clock", Warning)]);
        let skewed = Facts { database_ahead: Ok(TimeDelta::seconds(5)), ..facts(None) };
        assert_eq!(states(&skewed)[1], ("Clock", Bad));
    }

    #[test]
    fn a_certificate_is_judged_by_its_days_its_signer_and_its_names() {
        use State::{Bad, Good, Warning};
        let day = |number: i64| DateTime::from_timestamp(number * 86_400, 0).unwrap();
        let judged = |from, until, self_signed, name: &str, now| {
            let shown =
                Certificate { names: vec![name.into()], issuer: "R11".into(), from: day(from), until: day(until), self_signed };
            let facts = Facts { certificate: Some(Arc::new(shown)), ..facts(Some("https://a.example")) };
            certificate(&facts, day(now)).unwrap().state
        };
        assert_eq!(judged(0, 90, false, "a.example", 30), Good);
        assert_eq!(judged(0, 90, false, "a.example", 80), Warning);
        assert_eq!(judged(0, 6, false, "a.example", 3), Good, "short ones are renewed late");
        assert_eq!(judged(0, 90, false, "a.example", 91), Bad);
        assert_eq!(judged(0, 90, true, "a.example", 3), Bad);
        assert_eq!(judged(0, 90, false, "b.example", 3), Bad);
    }
}
