//! Doctor's findings at Twilio: the credentials, the account, its numbers, services and webhooks.

use tokio::net::TcpListener;
use twilio_simulator::{
    AccountSettings, AccountStatus, AccountType, AlertRecord, ApiKey, DEFAULT_NUMBER, Fault, FaultExtent, Number,
    NumberCapabilities, Service, SimulatorConfig,
};

use crate::bench::{ALICE, Bench};
use crate::diagnosis::{doctor, edit};
use crate::proxy::{Habits, Proxy};

pub const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
const KEY: &str = "SK0123456789abcdef0123456789abcdef";

async fn with_number(number: Number) -> Bench {
    Bench::with(SimulatorConfig { numbers: vec![number], ..SimulatorConfig::default() }).await
}

async fn with_service(service: Service) -> Bench {
    let bench = Bench::with(SimulatorConfig { services: vec![service], ..SimulatorConfig::default() }).await;
    bench.configure("publicUrl: 'https://nowhere.invalid',");
    edit(&bench, "twilio: { ", &format!("twilio: {{ messagingServiceSid: '{SERVICE}', "));
    bench
}

async fn with_account(account: AccountSettings) -> Bench {
    Bench::with(SimulatorConfig { account, ..SimulatorConfig::default() }).await
}

#[tokio::test]
async fn credentials_are_wrong() {
    let bench = Bench::new().await;
    edit(&bench, bench.twilio.auth_token(), "00000000000000000000000000000000");
    let diagnosis = doctor(&bench).await;
    diagnosis.has("credentials-wrong");
    diagnosis.has_not("twilio-unreachable");
}

#[tokio::test]
async fn a_standard_api_key_is_accepted_and_a_wrong_token_reported() {
    let key = ApiKey { sid: KEY.to_owned(), secret: "simulated-secret".to_owned() };
    let bench = Bench::with(SimulatorConfig { api_keys: vec![key], ..SimulatorConfig::default() }).await;
    edit(&bench, "twilio: { ", &format!("twilio: {{ apiKeySid: '{KEY}', apiKeySecret: 'simulated-secret', "));
    let diagnosis = doctor(&bench).await;
    diagnosis.has_not("credentials-wrong");
    diagnosis.has_not("auth-token-wrong");
    assert!(diagnosis.is_well("an API key cannot read"), "{:#}", diagnosis.report);
    edit(&bench, bench.twilio.auth_token(), "00000000000000000000000000000000");
    doctor(&bench).await.has("auth-token-wrong");
}

#[tokio::test]
async fn twilio_cannot_be_reached() {
    let bench = Bench::new().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    edit(&bench, bench.twilio.base_url(), &format!("http://{closed}"));
    let diagnosis = doctor(&bench).await;
    let detail = diagnosis.detail("twilio-unreachable");
    assert!(detail.contains(&format!("(http://{closed}, from twilio.apiBaseUrl)")), "{detail}");
    let report = bench.run(&["telephony", "doctor"]).await.stdout;
    for area in ["Number", "Registration", "Alerts", "Webhook"] {
        assert!(report.contains(&format!("\nskipped  {area}: ")), "{report}");
    }
    assert!(report.contains("page: docs/reference/doctor.md#twilio-unreachable\n"), "{report}");
    assert!(report.contains("\nDo this first: Twilio's API is unreachable. Check this machine's internet"), "{report}");
    assert!(report.ends_with("doctor --explain twilio-unreachable\n"), "{report}");
}

#[tokio::test]
async fn a_trial_an_empty_balance_and_a_suspension_are_reported() {
    let trial =
        AccountSettings { account_type: AccountType::Trial, balance: "0.05".to_owned(), ..AccountSettings::default() };
    let bench = with_account(trial).await;
    bench.configure(&format!("allowFrom: ['{ALICE}'],"));
    let diagnosis = doctor(&bench).await;
    assert_eq!(diagnosis.detail("account-trial"), "not verified: +1555•••5678");
    diagnosis.has("balance-low");
    bench.twilio.set_account(AccountSettings { balance: "-1.20".to_owned(), ..AccountSettings::default() });
    doctor(&bench).await.has("balance-empty");
    bench.twilio.set_account(AccountSettings { status: AccountStatus::Suspended, ..AccountSettings::default() });
    let diagnosis = doctor(&bench).await;
    diagnosis.has("account-inactive");
    diagnosis.has_not("credentials-wrong");
}

#[tokio::test]
async fn a_missing_product_is_reported_as_unchecked() {
    let bench = Bench::new().await;
    bench.twilio.set_missing(&["/v1/", "/Balance"]);
    let diagnosis = doctor(&bench).await;
    let unchecked: Vec<_> = diagnosis.report["findings"].as_array().unwrap().iter().collect();
    let details: Vec<_> = unchecked.iter().filter(|row| row["id"] == "could-not-check").collect();
    for what in ["the balance", "Twilio's alerts", "the A2P registration"] {
        assert!(details.iter().any(|row| row["detail"].as_str().unwrap().starts_with(what)), "{what}: {details:#?}");
    }
    diagnosis.has_not("credentials-wrong");
    diagnosis.has_not("twilio-unreachable");
    bench.twilio.set_missing(&["/v1/", "/Balance", "/IncomingPhoneNumbers"]);
    let diagnosis = doctor(&bench).await;
    assert!(diagnosis.report.to_string().contains("the credentials: Twilio does not have it here"));
    diagnosis.has_not("twilio-unreachable");
}

#[tokio::test]
async fn a_foreign_or_incapable_number_is_reported() {
    let bench = Bench::new().await;
    edit(&bench, DEFAULT_NUMBER, "+15550007777");
    assert_eq!(doctor(&bench).await.detail("number-missing"), "+15550007777");
    let mute = NumberCapabilities { sms: false, mms: false, voice: false };
    let bench = with_number(Number::new(DEFAULT_NUMBER).capabilities(mute)).await;
    bench.configure("voice: { enabled: true },");
    let diagnosis = doctor(&bench).await;
    diagnosis.has("number-without-sms");
    diagnosis.has("number-without-voice");
}

#[tokio::test]
async fn a_missing_empty_or_silent_service_is_reported() {
    let bench = with_service(Service::new(SERVICE, &[])).await;
    let diagnosis = doctor(&bench).await;
    diagnosis.has("service-without-numbers");
    diagnosis.has("service-defers-to-numbers");
    edit(&bench, SERVICE, "MG00000000000000000000000000000000");
    doctor(&bench).await.has("service-missing");
    let bench =
        with_service(Service { use_inbound_webhook_on_number: false, ..Service::new(SERVICE, &[DEFAULT_NUMBER]) })
            .await;
    doctor(&bench).await.has("service-drops-messages");
}

#[tokio::test]
async fn an_empty_webhook_is_reported_also_if_no_public_url_is_known() {
    let bench = Bench::new().await;
    doctor(&bench).await.has("webhook-not-set");
    bench.twilio.set_sms_url(DEFAULT_NUMBER, "https://nowhere.invalid/telephony/webhook").unwrap();
    doctor(&bench).await.has_not("webhook-not-set");
}

#[tokio::test]
async fn twilio_has_another_webhook_and_fix_sets_it() {
    let bench = Bench::new().await;
    bench.configure("publicUrl: 'https://nowhere.invalid', voice: { enabled: true },");
    doctor(&bench).await.has("webhook-not-set");
    bench.twilio.set_sms_url(DEFAULT_NUMBER, "https://nowhere.invalid/telephony/webhook").unwrap();
    doctor(&bench).await.has("webhook-without-overrides");
    bench.twilio.set_sms_url(DEFAULT_NUMBER, "https://nowhere.invalid/telephony/webhook/").unwrap();
    let diagnosis = doctor(&bench).await;
    diagnosis.has_not("webhook-elsewhere");
    diagnosis.has("webhook-without-overrides");
    bench.twilio.set_sms_url(DEFAULT_NUMBER, "https://nowhere.invalid/telephony/other").unwrap();
    let diagnosis = doctor(&bench).await;
    diagnosis.has("webhook-elsewhere");
    diagnosis.has("voice-webhook-elsewhere");
    let ran = bench.run(&["telephony", "doctor", "--fix"]).await;
    assert_eq!(ran.code, 1, "no one was asked: {ran:?}");
    assert!(
        ran.stdout.contains("Twilio delivers incoming messages to a different URL."),
        "the report is not lost: {ran:?}"
    );
    assert!(ran.stderr.contains("stdin is not a terminal"), "{ran:?}");
    bench.run(&["telephony", "doctor", "--fix", "--yes"]).await;
    let diagnosis = doctor(&bench).await;
    diagnosis.has_not("webhook-elsewhere");
    diagnosis.has_not("voice-webhook-elsewhere");
}

#[tokio::test]
async fn other_receivers_of_the_traffic_are_reported() {
    let application = "AP0123456789abcdef0123456789abcdef";
    let number = Number::new(DEFAULT_NUMBER).sms_application(application).trunk("TK0123456789abcdef0123456789abcdef");
    let bench = with_number(number.sms_fallback_url("https://other.example.com/fallback")).await;
    bench.configure("publicUrl: 'https://nowhere.invalid',");
    let diagnosis = doctor(&bench).await;
    assert!(diagnosis.detail("webhook-overridden").contains(application));
    assert!(diagnosis.is_well("calls go to the trunk"), "{:#}", diagnosis.report);
    assert!(diagnosis.detail("fallback-elsewhere").contains("https://other.example.com/fallback"));
    bench.twilio.add_service(Service {
        use_inbound_webhook_on_number: false,
        inbound_request_url: Some("https://other.example.com".to_owned()),
        ..Service::new(SERVICE, &[DEFAULT_NUMBER])
    });
    assert!(doctor(&bench).await.detail("webhook-of-another-service").contains(SERVICE));
}

#[tokio::test]
async fn the_webhook_is_called_with_get() {
    let bench = Bench::new().await;
    bench.configure("publicUrl: 'https://nowhere.invalid',");
    let shown = bench.json(&["telephony", "webhook", "show", "--json"]).await;
    let sid = shown["routes"][0]["sid"].as_str().unwrap();
    let (account, base) = (bench.twilio.account_sid(), bench.twilio.base_url());
    let url = format!("{base}/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{sid}.json");
    let changed = crate::bench::client().post(url).basic_auth(account, Some(bench.twilio.auth_token()));
    let changed = changed.header("content-type", "application/x-www-form-urlencoded").body("SmsMethod=GET");
    assert_eq!(changed.send().await.unwrap().status(), 200);
    doctor(&bench).await.has("webhook-wrong-method");
}

#[tokio::test]
async fn a_missing_us_registration_is_reported() {
    let bench = Bench::new().await;
    doctor(&bench).await.has("a2p-not-registered");
    let pending = Service { campaign_status: Some("PENDING".to_owned()), ..Service::new(SERVICE, &[DEFAULT_NUMBER]) };
    bench.twilio.add_service(pending);
    assert!(doctor(&bench).await.detail("a2p-not-approved").ends_with("PENDING"));
}

#[tokio::test]
async fn alerts_of_twilio_are_reported() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        bench.twilio.add_alert(AlertRecord::new(11200, "no answer", "https://nowhere.invalid/telephony/webhook"));
    }
    let diagnosis = doctor(&bench).await;
    assert!(diagnosis.detail("alerts").starts_with("11200, 3 times: "), "{:#}", diagnosis.report);
}

#[tokio::test]
async fn a_rejected_account_and_stopped_sending_are_reported() {
    let bench = Bench::new().await;
    bench.twilio.misbehave(Fault::RefuseSends { code: 20006 }, FaultExtent::All);
    bench.run(&["telephony", "send", ALICE, "hello"]).await;
    assert!(doctor(&bench).await.detail("sending-stopped").contains("20006"));
}

#[tokio::test]
async fn the_cause_of_a_stop_is_listed_before_the_stop() {
    let bench = Bench::new().await;
    edit(&bench, bench.twilio.auth_token(), "ffffffffffffffffffffffffffffffff");
    bench.run(&["telephony", "send", ALICE, "hello"]).await;
    let report = bench.run(&["telephony", "doctor"]).await.stdout;
    assert!(report.contains("#sending-stopped"), "{report}");
    assert!(report.ends_with("doctor --explain credentials-wrong\n"), "{report}");
}

#[tokio::test]
async fn a_rejecting_proxy_is_not_blamed_on_credentials_or_number() {
    for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found"] {
        let (bench, proxy) = (Bench::new().await, Proxy::start().await);
        let twilio = bench.twilio.address().to_string();
        let answer = Box::new(move |head: String| head.replacen("200 OK", status, 1));
        proxy.does(Habits { target: Some(twilio), answer, ..Habits::default() });
        edit(&bench, bench.twilio.base_url(), &format!("http://{}", proxy.address));
        let diagnosis = doctor(&bench).await;
        for blamed in ["credentials-wrong", "auth-token-wrong", "account-inactive", "number-missing"] {
            diagnosis.has_not(blamed);
        }
        let unreachable = diagnosis.detail("twilio-unreachable");
        assert!(unreachable.contains("does not come from Twilio's API"), "{status}: {unreachable}");
    }
}

#[tokio::test]
async fn the_clock_is_wrong() {
    let (bench, proxy) = (Bench::new().await, Proxy::start().await);
    let twilio = bench.twilio.address().to_string();
    proxy.does(Habits {
        target: Some(twilio),
        answer: Box::new(|head| {
            let lines = head.lines().map(|line| match line.to_lowercase().starts_with("date:") {
                true => "date: Sun, 22 Nov 2020 06:33:00 GMT",
                false => line,
            });
            lines.collect::<Vec<_>>().join("\r\n")
        }),
        ..Habits::default()
    });
    edit(&bench, bench.twilio.base_url(), &format!("http://{}", proxy.address));
    assert!(doctor(&bench).await.detail("clock-off").ends_with("s fast"));
}
