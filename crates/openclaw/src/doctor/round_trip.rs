//! Checks incoming requests end to end: sends a signed request through the public URL to the running gateway.

use std::net::IpAddr;
use std::time::Duration;

use telephony_gateway::control::probe::{self, ProbeVerdict, Sighting};
use telephony_providers::checks::{ProbeAnswer, ProbeFailure, WebhookProbe};
use telephony_providers::provider::Provider;
use telephony_providers::route::Traffic;

use super::catalog::{
    COULD_NOT_CHECK, PUBLIC_URL_MISSING, PUBLIC_URL_PLAIN, PUBLIC_URL_PRIVATE, SIGNATURE_LOST, SIGNATURE_MISMATCH,
    URL_ANSWERED_BY_ANOTHER, URL_CERTIFICATE, URL_REDIRECTS, URL_UNREACHABLE, URL_UNRESOLVED, URL_WITHOUT_TLS,
    URL_WRONG_PATH,
};
use super::{Checkup, ReportedFinding, Subject};
use crate::public_url::{self, server};

/// The gateway reports a request at once; if it has not by then, something else responded.
const REPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes the round trip with the URL that Twilio should have and the one that it has.
pub async fn check(subject: &Subject, provider: &dyn Provider) -> Checkup {
    let mut checkup = Checkup::default();
    let ours = subject.url.as_ref().map(|url| public_url::callbacks(url).webhook);
    match &ours {
        Some(url) => check_form(provider, url, &mut checkup),
        None if subject.loaded.telephony.tunnel.provider.is_none() => checkup.found(PUBLIC_URL_MISSING.found("")),
        None => {}
    }
    let urls = urls(subject, provider, ours).await;
    if subject.gateway.is_none() {
        if !urls.is_empty() {
            checkup.found(COULD_NOT_CHECK.found("incoming requests: no gateway is running"));
        }
        return checkup;
    }
    for url in urls {
        travel(subject, provider, &url, &mut checkup).await;
    }
    checkup
}

/// Returns our URL, and Twilio's if it is a different one on the same server or the only known one.
async fn urls(subject: &Subject, provider: &dyn Provider, ours: Option<String>) -> Vec<String> {
    let routes = subject.routes(provider).await.unwrap_or_default();
    let settings = routes.iter().filter_map(|route| route.url(Traffic::Messages));
    let theirs = settings.map(|setting| setting.value.split('#').next().unwrap_or_default().to_owned());
    let is_near = |url: &String| match &ours {
        Some(ours) => host_of(url) == host_of(ours) && url != ours,
        None => !url.is_empty(),
    };
    let mut urls: Vec<String> = theirs.filter(is_near).collect();
    urls.dedup();
    ours.iter().cloned().chain(urls).collect()
}

fn check_form(provider: &dyn Provider, url: &str, checkup: &mut Checkup) {
    // A local stand-in for the provider, as in tests, can reach private addresses.
    let host = host_of(url);
    if is_private(&host) && !is_private(&host_of(provider.api_url())) {
        checkup.found(PUBLIC_URL_PRIVATE.found(host));
    }
    if !url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) {
        checkup.found(PUBLIC_URL_PLAIN.found(""));
    }
}

fn host_of(url: &str) -> String {
    server(url).map(|(host, _)| host).unwrap_or_default()
}

/// Returns true if the host name alone shows that the internet cannot reach it.
fn is_private(host: &str) -> bool {
    let host = host.to_lowercase();
    let local = ["localhost", "local", "lan", "internal", "home.arpa"];
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(v4)) => {
            let is_shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || is_shared
        }
        Ok(IpAddr::V6(v6)) => {
            v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local()
        }
        Err(_) => local.iter().any(|end| host == *end || host.ends_with(&format!(".{end}"))),
    }
}

async fn travel(subject: &Subject, provider: &dyn Provider, url: &str, checkup: &mut Checkup) {
    let arrived = match Trip::make(subject, provider, url, url).await {
        Ok(trip) => arrived(subject, provider, url, &trip).await,
        Err(found) => Err(found),
    };
    match arrived {
        Ok(well) => checkup.well(well),
        Err(found) => checkup.found(found),
    }
}

/// A request sent, and the results on both sides.
struct Trip {
    probe: WebhookProbe,
    answer: ProbeAnswer,
    sighting: Option<Sighting>,
}

impl Trip {
    /// Sends a request to `url`, signed as if `signed` were configured at Twilio.
    async fn make(
        subject: &Subject,
        provider: &dyn Provider,
        signed: &str,
        url: &str,
    ) -> Result<Trip, ReportedFinding> {
        let cannot = |why: String| COULD_NOT_CHECK.found(format!("incoming requests: {why}"));
        let announced = probe::announce(&subject.loaded.state).await;
        let announced = announced.map_err(|error| cannot(format!("the gateway's socket: {error}")))?;
        let probe = provider.webhook_probe(signed, url, announced.name());
        let probe = probe.map_err(|failure| cannot(failure.to_string()))?;
        let answer = provider.send_probe(&probe).await.map_err(|failure| broken_off(&failure))?;
        Ok(Trip { probe, answer, sighting: announced.sighting(REPORT_TIMEOUT).await })
    }
}

fn broken_off(failure: &ProbeFailure) -> ReportedFinding {
    let finding = match failure {
        ProbeFailure::NoUrl(_) => COULD_NOT_CHECK,
        ProbeFailure::NoAddress { .. } => URL_UNRESOLVED,
        ProbeFailure::NoConnection { .. } | ProbeFailure::NoAnswer(_) => URL_UNREACHABLE,
        ProbeFailure::Plain { .. } => URL_WITHOUT_TLS,
        ProbeFailure::NoTls(_) => URL_CERTIFICATE,
    };
    finding.found(failure)
}

async fn arrived(
    subject: &Subject,
    provider: &dyn Provider,
    url: &str,
    trip: &Trip,
) -> Result<String, ReportedFinding> {
    let Some(sighting) = &trip.sighting else { return Err(answered_by_another(url, &trip.answer)) };
    match &sighting.verdict {
        ProbeVerdict::Valid if trip.answer.status == 200 => Ok(format!("a signed request arrived through {url}")),
        ProbeVerdict::Valid => Err(answered_by_another(url, &trip.answer)),
        ProbeVerdict::Unsigned => Err(SIGNATURE_LOST.found(url)),
        ProbeVerdict::NoSuchPath | ProbeVerdict::WrongMethod => {
            let came = format!("{} {}", sighting.method, sighting.path);
            let serve = &subject.loaded.telephony.serve.path;
            Err(URL_WRONG_PATH.found(format!("{url} arrived as {came}, the gateway has POST {serve}")))
        }
        ProbeVerdict::Refused(reason) => {
            let detail = mismatch(subject, provider, url, &trip.probe, sighting, reason).await;
            Err(SIGNATURE_MISMATCH.found(detail))
        }
    }
}

fn answered_by_another(url: &str, answer: &ProbeAnswer) -> ReportedFinding {
    let server = answer.server.as_ref().map(|server| format!(" by {server}")).unwrap_or_default();
    match &answer.location {
        Some(location) => {
            let location = location.split(['?', '#']).next().unwrap_or_default();
            URL_REDIRECTS.found(format!("{url} redirects to {location}"))
        }
        None => URL_ANSWERED_BY_ANOTHER.found(format!("{url} responds with {}{server}", answer.status)),
    }
}

/// Describes what was signed, what the gateway checked, and the change that would make them match.
async fn mismatch(
    subject: &Subject,
    provider: &dyn Provider,
    url: &str,
    probe: &WebhookProbe,
    sighting: &Sighting,
    reason: &str,
) -> String {
    let expected: Vec<_> = sighting.urls.iter().map(|url| without_name(url)).collect();
    let mut detail = format!("signed for {url}; the gateway expected {}", expected.join(" or "));
    if sighting.urls.contains(&probe.url) {
        return format!(
            "{detail}: the URL matches, so the gateway has a different Auth Token, or the body was changed ({reason})"
        );
    }
    detail.push_str(&if_it_were_the_url(subject, provider, url, sighting).await);
    for difference in provider.differences(probe, &sighting.urls) {
        detail.push_str("; ");
        detail.push_str(difference);
    }
    if let Some(host) = &sighting.host {
        detail.push_str(&format!("; the Host header was {host}"));
    }
    detail
}

/// Sends a second request, signed for the URL that the gateway expects, to find out whether only the URL is wrong.
async fn if_it_were_the_url(subject: &Subject, provider: &dyn Provider, url: &str, sighting: &Sighting) -> String {
    let Some(theirs) = sighting.urls.first() else { return String::new() };
    let second = Trip::make(subject, provider, without_name(theirs), url).await;
    match second.ok().and_then(|trip| trip.sighting).map(|sighting| sighting.verdict) {
        Some(ProbeVerdict::Valid) => format!("; {url} as publicUrl would have matched"),
        Some(ProbeVerdict::Refused(_)) => {
            "; a signature for that URL does not match either, so the gateway also has a \
            different Auth Token, or the body was changed"
                .to_owned()
        }
        _ => String::new(),
    }
}

/// Returns the URL without the parameter that marks a probe.
fn without_name(url: &str) -> &str {
    let end = url.find("openclaw-probe=").unwrap_or(url.len() + 1);
    url.get(..end - 1).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_hosts_are_recognized_by_name() {
        for host in ["localhost", "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.1.1", "100.64.0.1"] {
            assert!(is_private(host), "{host}");
        }
        for host in
            ["::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "0.0.0.0", "printer.local", "a.home.arpa", "LOCALHOST"]
        {
            assert!(is_private(host), "{host}");
        }
        for host in
            ["phone.example.com", "203.0.113.7", "2001:db8::1", "100.128.0.1", "172.32.0.1", "local.example.com"]
        {
            assert!(!is_private(host), "{host}");
        }
    }

    #[test]
    fn the_name_is_not_shown() {
        assert_eq!(without_name("https://a.b/c?openclaw-probe=12"), "https://a.b/c");
        assert_eq!(without_name("https://a.b/c?x=1&openclaw-probe=12"), "https://a.b/c?x=1");
        assert_eq!(without_name("https://a.b/c"), "https://a.b/c");
    }
}
