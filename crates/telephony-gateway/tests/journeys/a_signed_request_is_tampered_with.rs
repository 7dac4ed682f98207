use std::time::Duration;

use reqwest::StatusCode;
use twilio_simulator::{Fault, FaultExtent, InboundText};

use crate::stage::{ALICE, BOB, Plan, SOON, Stage};

const OPERATOR: &str = "+15550004444";
const SID: &str = "SM0123456789abcdef0123456789abcdef";
const FORGED: &str = "SMffffffffffffffffffffffffffffffff";

type Fields<'a> = Vec<(&'a str, String)>;

fn text<'a>(stage: &Stage, from: &str, sid: &str, body: &str) -> Fields<'a> {
    let (sid, from) = (sid.to_owned(), from.to_owned());
    vec![
        ("AccountSid", stage.twilio.account_sid().to_owned()),
        ("ApiVersion", "2010-04-01".to_owned()),
        ("Body", body.to_owned()),
        ("From", from),
        ("MessageSid", sid.clone()),
        ("NumMedia", "0".to_owned()),
        ("SmsMessageSid", sid.clone()),
        ("SmsSid", sid),
        ("SmsStatus", "received".to_owned()),
        ("To", stage.bot().to_owned()),
    ]
}

fn body(fields: &Fields<'_>) -> String {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// Posts a form with Twilio's signature.
async fn post(stage: &Stage, fields: &Fields<'_>) -> StatusCode {
    stage.post_signed("", body(fields)).await.status()
}

/// Returns the same signed text with the end of the body in a separate field.
fn shortened(fields: &Fields<'_>) -> Fields<'static> {
    let mut cut = Fields::new();
    for (name, value) in fields {
        match value.split_once("ButtonText").filter(|_| *name == "Body") {
            Some((body, tail)) => cut.extend([("Body", body.to_owned()), ("ButtonText", tail.to_owned())]),
            None => cut.push((Box::leak((*name).to_owned().into_boxed_str()), value.clone())),
        }
    }
    cut
}

async fn notices(stage: &Stage) -> Vec<String> {
    stage.store().notices(stage.now()).await.unwrap().into_iter().map(|notice| notice.name).collect()
}

async fn wait_for_notice(stage: &Stage, name: &str) {
    let wait = async {
        while !notices(stage).await.iter().any(|found| found == name) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, wait).await.unwrap_or_else(|_| panic!("no notice `{name}`"));
}

#[tokio::test]
async fn a_tampered_copy_after_the_original_is_rejected_and_reported() {
    let stage = Plan::default().start().await;
    let genuine = text(&stage, ALICE, SID, "transfer nothingButtonText to anybody");
    assert_eq!(post(&stage, &genuine).await, StatusCode::OK);
    for _ in 0..2 {
        assert_eq!(post(&stage, &shortened(&genuine)).await, StatusCode::FORBIDDEN);
        assert_eq!(post(&stage, &genuine).await, StatusCode::OK, "Twilio repeats what was not answered in time");
        stage.expect_rest().await;
    }
    wait_for_notice(&stage, "recut").await;
    stage.expect(ALICE, &["transfer nothingButtonText to anybody"]).await;
    assert_eq!(stage.expect_rest().await.received_today, 1);
}

#[tokio::test]
async fn a_genuine_text_that_looks_tampered_is_found_at_twilio() {
    let stage = Plan::default().start().await;
    let text = InboundText::new(ALICE, stage.bot(), "hello").with_parameter("CarrierNote", &format!("xFrom{BOB}"));
    assert_eq!(stage.twilio.receive(text).await.unwrap().status, Some(403));
    wait_for_notice(&stage, "recut").await;
    stage.expect(ALICE, &["hello"]).await;
}

#[tokio::test]
async fn only_one_of_two_simultaneous_versions_counts() {
    let stage = Plan::default().start().await;
    for n in 0..20 {
        let genuine = text(&stage, ALICE, &format!("SM{n:032}"), "oneButtonTexttwo");
        let cut = shortened(&genuine);
        let (first, second) = tokio::join!(post(&stage, &genuine), post(&stage, &cut));
        let mut statuses = [first.as_u16(), second.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "{n}");
    }
    assert_eq!(stage.expect_rest().await.received_today, 20);
}

#[tokio::test]
async fn a_strangers_text_cannot_become_the_operators() {
    let stage = Plan { operator: Some(OPERATOR), ..Plan::pairing() }.start().await;
    let forged_text = format!("APPROVE {BOB}From{OPERATOR}MessageSid{FORGED}MessageSidX");
    let genuine = text(&stage, ALICE, SID, &forged_text);
    let whole: String = genuine.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let rest = whole.split_once("MessageSidX").unwrap().1;
    let mut cut = genuine[..2].to_vec();
    cut.extend([("Body", format!("APPROVE {BOB}")), ("From", OPERATOR.to_owned()), ("MessageSid", FORGED.to_owned())]);
    cut.push(("MessageSidX", rest.to_owned()));
    // The attacker may come first.
    assert_eq!(post(&stage, &cut).await, StatusCode::FORBIDDEN);
    assert_eq!(post(&stage, &genuine).await, StatusCode::OK);
    assert_eq!(post(&stage, &cut).await, StatusCode::FORBIDDEN);
    wait_for_notice(&stage, "recut").await;
    stage.expect_rest().await;
    assert!(!stage.bodies(OPERATOR).iter().any(|body| body.contains("Approved")), "{:?}", stage.bodies(OPERATOR));
}

#[tokio::test]
async fn a_command_is_rejected_if_the_key_cannot_read_messages() {
    let stage = Plan { operator: Some(OPERATOR), ..Plan::pairing() }.start().await;
    stage.twilio.misbehave(Fault::RefuseReads { code: 20006 }, FaultExtent::All);
    stage.text(OPERATOR, "STATUS").await;
    wait_for_notice(&stage, "order-unchecked").await;
    assert!(!stage.bodies(OPERATOR).iter().any(|body| body.contains("received")), "{:?}", stage.bodies(OPERATOR));
}

#[tokio::test]
async fn a_command_unknown_to_twilio_is_rejected() {
    let stage = Plan { operator: Some(OPERATOR), ..Plan::pairing() }.start().await;
    // It contains the operator's other message.
    stage.text(OPERATOR, "good morning").await;
    let known = stage.twilio.messages().into_iter().find(|message| message.body == "good morning").map(|m| m.sid);
    for (sid, order) in [(known.unwrap(), format!("APPROVE {BOB}")), (FORGED.to_owned(), format!("REJECT {BOB} BLOCK"))]
    {
        let forged = text(&stage, OPERATOR, &sid, &order);
        assert_eq!(post(&stage, &forged).await, StatusCode::OK, "{order}");
    }
    stage.clock.advance(Duration::from_secs(30));
    wait_for_notice(&stage, "order-refused").await;
    stage.expect_rest().await;
    assert!(!stage.bodies(OPERATOR).iter().any(|body| body.contains("Blocked") || body.contains("Approved")));
}

#[tokio::test]
async fn a_command_waits_while_twilio_is_unreachable() {
    let stage = Plan { operator: Some(OPERATOR), ..Plan::pairing() }.start().await;
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    stage.text(OPERATOR, &format!("REJECT {BOB} BLOCK")).await;
    let is_asked = |entries: &[twilio_simulator::LogEntry]| {
        entries.iter().any(|entry| entry.method == "GET" && entry.target.contains("/Messages/SM"))
    };
    stage.twilio.wait_for_log(is_asked, SOON).await.unwrap();
    assert!(stage.bodies(OPERATOR).is_empty());
    stage.twilio.behave();
    stage.clock.advance(Duration::from_secs(30));
    let answered = |messages: &[twilio_simulator::MessageRecord]| messages.iter().any(|m| m.body.contains("Blocked"));
    stage.twilio.wait_for(answered, SOON).await.unwrap();
}

#[tokio::test]
async fn an_opt_out_is_applied_even_if_twilio_does_not_list_it() {
    let stage = Plan { operator: Some(OPERATOR), ..Plan::default() }.start().await;
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    assert_eq!(post(&stage, &text(&stage, ALICE, SID, "STOP")).await, StatusCode::OK);
    assert_eq!(stage.expect_rest().await.received_today, 1);
    assert_eq!(post(&stage, &text(&stage, ALICE, FORGED, "are you there?")).await, StatusCode::OK);
    stage.expect_rest().await;
    assert!(stage.bodies(ALICE).is_empty());
}
