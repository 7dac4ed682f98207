use std::time::Instant;

use twilio_simulator::InboundText;

use crate::bench::{ALICE, Bench, PATIENCE};

const OPERATOR: &str = "+15550004444";

async fn receive(bench: &Bench, from: &str, body: &str, parameters: &[(&str, &str)]) {
    let text = InboundText::new(from, bench.twilio.number(), body);
    let text = parameters.iter().fold(text, |text, (name, value)| text.with_parameter(name, value));
    let delivery = bench.twilio.receive(text).await.unwrap();
    assert_eq!(delivery.status, Some(200), "{}", delivery.body);
}

/// Waits until this many messages from a sender are stored and returns them.
async fn stored(bench: &Bench, sender: &str, count: usize) -> Vec<serde_json::Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let list = bench.json(&["telephony", "messages", "--contact", sender, "--json"]).await;
        let list = list.as_array().unwrap().clone();
        if list.len() >= count {
            return list;
        }
        assert!(Instant::now() < deadline, "{sender}: {list:?}\n{}", bench.gateway_log());
    }
}

#[tokio::test]
async fn an_rcs_sender_is_the_contact_with_the_same_number() {
    let mut bench = Bench::new().await;
    bench.configure(&format!("inboundPolicy: 'allowlist', allowFrom: ['rcs:{ALICE}']"));
    bench.start_gateway().await;
    receive(&bench, &format!("Rcs:{ALICE}"), "hello", &[("To", "rcs:acme_agent"), ("ChannelPrefix", "rcs")]).await;
    assert_eq!(bench.texts(ALICE, 1).await, ["hello"]);
    assert_eq!(stored(&bench, &format!("sms:{ALICE}"), 2).await.len(), 2);
    bench.done(&["telephony", "send", &format!("RCS:{ALICE}"), "news"]).await;
    receive(&bench, &format!("rcs:{ALICE}"), "STOP", &[("To", "rcs:acme_agent")]).await;
    let sent = bench.run(&["telephony", "send", ALICE, "more news"]).await;
    assert!(sent.code == 1 && sent.stderr.contains("opted out"), "{sent:?}");
    receive(&bench, &format!("rcs:{ALICE}"), "START", &[("To", "rcs:acme_agent")]).await;
    stored(&bench, ALICE, 5).await;
    bench.done(&["telephony", "send", ALICE, "more news"]).await;
}

#[tokio::test]
async fn an_unanswerable_sender_is_named_in_log_notice_and_messages() {
    let mut bench = Bench::new().await;
    bench.configure(&format!("inboundPolicy: 'open', allowFrom: ['*'], operator: {{ number: '{OPERATOR}' }}"));
    bench.start_gateway().await;
    for (sender, shown_as) in [
        ("68849", "68849"),
        ("My-Bank 1", "My-Bank 1"),
        ("WhatsApp:+15550103060", "whatsapp:+15550103060"),
        ("messenger:1234567890", "messenger:1234567890"),
    ] {
        receive(&bench, sender, "the code is 918273", &[]).await;
        let stored = stored(&bench, sender, 1).await;
        assert_eq!((&stored[0]["contact"], &stored[0]["text"]), (&shown_as.into(), &"the code is 918273".into()));
        let why = if sender.contains(':') { "unsupported-channel" } else { "not-a-number" };
        assert_eq!((&stored[0]["state"], &stored[0]["why"]), (&"refused".into(), &why.into()));
        let conversation = bench.done(&["telephony", "conversation", sender]).await;
        assert!(conversation.contains("the code is 918273"), "{conversation}");
    }
    let notices = bench.texts(OPERATOR, 1).await.join("\n");
    assert!(notices.contains("68849") && !notices.contains("918273"), "{notices}");
    let status = bench.done(&["telephony", "status"]).await;
    assert!(status.contains("by whatsapp") && status.contains("by messenger"), "{status}");
    let log = bench.gateway_log();
    assert!(log.contains("whatsapp") && log.contains("messenger") && log.contains("short code"), "{log}");
    assert!(!log.contains("918273") && !log.contains("+15550103060") && !log.contains("68849"), "{log}");
    receive(&bench, "whatsapp:+15550103060", "STOP", &[("To", "whatsapp:+14155238886")]).await;
    let sent = bench.run(&["telephony", "send", "+15550103060", "news"]).await;
    assert!(sent.code == 1 && sent.stderr.contains("opted out"), "{sent:?}");
    let refused = bench.run(&["telephony", "send", "whatsapp:+15550103060", "news"]).await;
    assert!(refused.code == 2 && refused.stderr.contains("whatsapp"), "{refused:?}");
}
