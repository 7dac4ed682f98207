use twilio_simulator::{AccountSettings, AccountType, Service, SimulatorConfig};

use crate::desk::{Desk, PHONE, instant};

const EMPTY_SERVICE: &str = "MG00000000000000000000000000000000";

async fn refusal(desk: &Desk, form: &[(&str, &str)]) -> (u16, u64) {
    let answer = desk.post(&desk.account("/Messages.json"), form).await;
    let code = answer.json["code"].as_u64().unwrap_or_default();
    if answer.status != 201 {
        assert_eq!(answer.text("more_info"), format!("https://www.twilio.com/docs/errors/{code}"));
        assert_eq!(answer.json["status"], answer.status);
        assert!(!answer.text("message").is_empty());
    }
    (answer.status, code)
}

#[tokio::test]
async fn each_mistake_has_its_code() {
    let desk = Desk::with(SimulatorConfig { services: vec![Service::new(EMPTY_SERVICE, &[])], ..instant() }).await;
    let line = desk.twilio.number().to_owned();
    let (long, fits) = ("😀".repeat(801), "😀".repeat(800));
    let eleven: Vec<_> = (0..11).map(|_| ("MediaUrl", "http://example.com/a.png")).collect();
    let good = [("To", PHONE), ("From", line.as_str())];
    let with = |more: &[(&'static str, &str)]| -> Vec<(String, String)> {
        good.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let replaced = |to: &str, from: &str| {
        [("To", to), ("From", from), ("Body", "x")].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    };
    let cases = [
        (vec![("From".to_owned(), line.clone())], 21604),
        (vec![("To".to_owned(), PHONE.to_owned())], 21603),
        (with(&[]), 21602),
        (with(&[("Body", "")]), 21602),
        (with(&[("Body", &long)]), 21617),
        (with(&[("Body", &fits)]), 0),
        (with(&eleven), 21623),
        (with(&[("MediaUrl", "a.png")]), 21620),
        (with(&[("Body", "x"), ("StatusCallback", "nowhere")]), 21609),
        (with(&[("Body", "x"), ("StatusCallback", "http://my_host/")]), 21609),
        (with(&[("Body", "x"), ("StatusCallback", "http://my-host/a_b")]), 0),
        (with(&[("Body", "x"), ("ValidityPeriod", "36001")]), 21624),
        (with(&[("Body", "x"), ("ValidityPeriod", "36000")]), 0),
        (with(&[("Body", "x"), ("MessagingServiceSid", "MGnone")]), 21701),
        (with(&[("Body", "x"), ("MessagingServiceSid", EMPTY_SERVICE)]), 21704),
        (replaced("15550005678", &line), 21211),
        (replaced("+0555", &line), 21211),
        (replaced("+1 (555) 000-5678", &line), 0),
        (replaced(&line, &line), 21211),
        (replaced(PHONE, "OpenClaw"), 0),
        (replaced(PHONE, "My-Bank 1"), 0),
        (replaced(PHONE, "OpenClaw!"), 21212),
        (replaced(PHONE, "Twelveletter"), 21212),
        (replaced(PHONE, "72345"), 21212),
        (replaced(PHONE, "+15559999999"), 21606),
    ];
    for (form, code) in cases {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let status = if code == 0 { 201 } else { 400 };
        assert_eq!(refusal(&desk, &form).await, (status, code), "{form:?}");
    }
}

#[tokio::test]
async fn twilios_magic_numbers_have_their_effects() {
    let desk = Desk::open().await;
    let cases = [
        ("+15005550001", "+15005550006", 21211),
        ("+15005550002", "+15005550006", 21612),
        ("+15005550003", "+15005550006", 21408),
        ("+15005550004", "+15005550006", 21610),
        ("+15005550009", "+15005550006", 21614),
        (PHONE, "+15005550001", 21212),
        (PHONE, "+15005550007", 21606),
        (PHONE, "+15005550008", 21611),
        (PHONE, "+15005550006", 0),
    ];
    for (to, from, code) in cases {
        let status = if code == 0 { 201 } else { 400 };
        let form = [("To", to), ("From", from), ("Body", "x")];
        assert_eq!(refusal(&desk, &form).await, (status, code), "{from} to {to}");
    }
}

#[tokio::test]
async fn a_trial_account_writes_to_verified_numbers_only() {
    let desk = Desk::with(SimulatorConfig {
        account: AccountSettings { account_type: AccountType::Trial, ..AccountSettings::default() },
        ..instant()
    })
    .await;
    let form = [("To", PHONE), ("From", desk.twilio.number()), ("Body", "x")];
    assert_eq!(refusal(&desk, &form).await, (400, 21608));
    assert!(desk.twilio.messages().is_empty());
}

#[tokio::test]
async fn a_trial_account_sends_from_no_name() {
    let account = AccountSettings {
        account_type: AccountType::Trial,
        verified_numbers: vec![PHONE.to_owned()],
        ..AccountSettings::default()
    };
    let desk = Desk::with(SimulatorConfig { account, ..instant() }).await;
    assert_eq!(refusal(&desk, &[("To", PHONE), ("From", "OpenClaw"), ("Body", "x")]).await, (400, 21212));
}
