use telephony_domain::policy::{InboundPolicy, Policy};
use telephony_store::history::{Filter, MessageEntry};
use telephony_store::lines::Line;
use twilio_simulator::{InboundText, MessageRecord};

use crate::stage::{ALICE, BOB, Plan, SOON, Scripted, Stage};

const OPERATOR: &str = "+15550004444";

/// Delivers a message in which these parameters replace the defaults.
async fn receive(stage: &Stage, from: &str, body: &str, parameters: &[(&str, &str)]) {
    let text = InboundText::new(from, stage.bot(), body);
    let text = parameters.iter().fold(text, |text, (name, value)| text.with_parameter(name, value));
    let delivery = stage.twilio.receive(text).await.unwrap();
    assert_eq!(delivery.status, Some(200), "{}", delivery.body);
    stage.expect_rest().await;
}

async fn entries(stage: &Stage, contact: &str) -> Vec<MessageEntry> {
    let filter = Filter { contact: Some(contact.to_owned()), limit: 100, ..Filter::default() };
    stage.store().messages(filter).await.unwrap()
}

async fn is_opted_out(stage: &Stage, contact: &str) -> bool {
    let lines: Vec<Line> = stage.store().lines().await.unwrap();
    assert_eq!(lines.len(), 1, "{lines:?}");
    stage.store().standing(lines[0].id, &contact.parse().unwrap()).await.unwrap().is_opted_out
}

#[tokio::test]
async fn commands_of_the_operator_by_rcs_are_executed() {
    let from_number = format!("Rcs:{OPERATOR}");
    for parameters in [&[("To", "rcs:acme_agent"), ("ChannelPrefix", "rcs")][..], &[("ChannelPrefix", "RCS")], &[]] {
        let stage = Plan { operator: Some(OPERATOR), ..Plan::pairing() }.start().await;
        let by_rcs = InboundText::new(&from_number, stage.bot(), &format!("REJECT {BOB} BLOCK"));
        let text = parameters.iter().fold(by_rcs, |text, (name, value)| text.with_parameter(name, value));
        assert_eq!(stage.twilio.receive(text).await.unwrap().status, Some(200));
        let is_blocked = |messages: &[MessageRecord]| {
            messages.iter().any(|message| message.to == OPERATOR && message.body.contains("Blocked"))
        };
        stage.twilio.wait_for(is_blocked, SOON).await.unwrap();
    }
}

#[tokio::test]
async fn rcs_texts_are_answered_and_their_opt_outs_applied() {
    let policy =
        Policy { inbound: InboundPolicy::Allowlist, allow: [ALICE.parse().unwrap()].into(), ..Policy::default() };
    let stage = Plan { policy, ..Plan::default() }.start().await;
    let by_rcs = format!("RCS:{ALICE}");
    for parameters in [&[("To", "rcs:acme_agent"), ("ChannelPrefix", "rcs")][..], &[("ChannelPrefix", "RCS")], &[]] {
        receive(&stage, &by_rcs, "hello", parameters).await;
    }
    stage.text(ALICE, "by SMS").await;
    stage.expect(ALICE, &["hello", "hello", "hello", "by SMS"]).await;
    let messages = stage.twilio.messages();
    let from = |message: &&twilio_simulator::MessageRecord| message.is_outbound();
    assert!(messages.iter().filter(from).all(|message| message.from.as_deref() == Some(stage.bot())));
    assert_eq!(entries(&stage, ALICE).await.len(), 8, "one conversation");
    receive(&stage, &by_rcs, "STOP", &[("To", "rcs:acme_agent")]).await;
    assert!(is_opted_out(&stage, ALICE).await);
    receive(&stage, &by_rcs, "START", &[("To", "rcs:acme_agent")]).await;
    assert!(!is_opted_out(&stage, ALICE).await);
}

#[tokio::test]
async fn a_whatsapp_text_gets_no_answer_and_raises_a_notice() {
    let agent = Scripted::repeating();
    let stage = Plan { operator: Some(OPERATOR), ..Plan::default() }.with_agent(agent.clone()).start().await;
    receive(&stage, &format!("WhatsApp:{BOB}"), "hello", &[("To", "whatsapp:+14155238886")]).await;
    receive(&stage, BOB, "hello", &[("ChannelPrefix", "whatsapp")]).await;
    let is_it = |message: &twilio_simulator::MessageRecord| {
        message.to == OPERATOR && message.body.contains("by whatsapp") && message.body.contains("not supported")
    };
    stage.twilio.wait_for(|messages| messages.iter().any(is_it), SOON).await.unwrap();
    let refused = entries(&stage, &format!("whatsapp:{BOB}")).await;
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|entry| format!("{:?}", entry.standing).contains("unsupported-channel")), "{refused:?}");
    receive(&stage, &format!("whatsapp:{BOB}"), "STOP", &[("To", "whatsapp:+14155238886")]).await;
    assert!(is_opted_out(&stage, BOB).await);
    assert!(agent.questions().is_empty() && stage.bodies(BOB).is_empty());
}

#[tokio::test]
async fn a_login_code_is_reported_without_its_text_and_never_answered() {
    let agent = Scripted::repeating();
    let stage = Plan { operator: Some(OPERATOR), ..Plan::pairing() }.with_agent(agent.clone()).start().await;
    for sender in ["68849", "SUPPORT", "My-Bank 1"] {
        receive(&stage, sender, "Your code is 918273", &[]).await;
        assert_eq!(entries(&stage, sender).await[0].text, "Your code is 918273");
    }
    let is_it = |message: &twilio_simulator::MessageRecord| message.to == OPERATOR && message.body.contains("68849");
    stage.twilio.wait_for(|messages| messages.iter().any(is_it), SOON).await.unwrap();
    let outbound: Vec<_> = stage.twilio.messages().into_iter().filter(|message| message.is_outbound()).collect();
    assert!(outbound.iter().all(|message| message.to == OPERATOR && !message.body.contains("918273")), "{outbound:?}");
    assert!(agent.questions().is_empty());
}
