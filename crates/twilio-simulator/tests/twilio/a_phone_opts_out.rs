use twilio_simulator::{DEFAULT_NUMBER, MessageDirection, Number, OptOut, OptOutKeyword, Service, SimulatorConfig};

use crate::desk::{Desk, PHONE, instant};
use crate::receiver::Receiver;

async fn refused(desk: &Desk) -> bool {
    let answer = desk.send("Hello").await;
    assert!(answer.status == 201 || answer.json["code"] == 21610);
    answer.status == 400
}

#[tokio::test]
async fn stop_blocks_the_pair_and_start_unblocks_it() {
    let mut us = Receiver::open().await;
    let numbers = vec![Number::new(DEFAULT_NUMBER).sms_url(&us.url("/in")), Number::new("+15550001235")];
    let desk = Desk::with(SimulatorConfig { numbers, ..instant() }).await;
    assert!(!refused(&desk).await);

    desk.twilio.text(PHONE, DEFAULT_NUMBER, " Stop ").await.unwrap();
    assert_eq!(us.next().await.get("OptOutType"), "STOP");
    assert!(refused(&desk).await);
    let other = [("To", PHONE), ("From", "+15550001235"), ("Body", "x")];
    assert_eq!(desk.post(&desk.account("/Messages.json"), &other).await.status, 201);

    desk.twilio.text(PHONE, DEFAULT_NUMBER, "STOP please").await.unwrap();
    assert_eq!(us.next().await.find("OptOutType"), None);
    assert!(refused(&desk).await);

    desk.twilio.text(PHONE, DEFAULT_NUMBER, "unstop").await.unwrap();
    assert_eq!(us.next().await.get("OptOutType"), "START");
    assert!(!refused(&desk).await);
}

#[tokio::test]
async fn twilio_answers_keywords_itself_once() {
    let desk = Desk::open().await;
    for body in ["STOP", "QUIT", "START", "START", "HELP"] {
        desk.twilio.text(PHONE, DEFAULT_NUMBER, body).await.unwrap();
    }
    let messages = desk.settled().await;
    let answers: Vec<_> = messages.iter().filter(|m| m.direction == MessageDirection::OutboundReply).collect();
    assert_eq!(answers.len(), 3);
    assert!(answers[0].body.contains("unsubscribed"));
    assert!(answers.iter().all(|m| m.to == PHONE && m.error_code.is_none()));
}

#[tokio::test]
async fn a_twiml_reply_to_an_opted_out_phone_fails() {
    let us = Receiver::open().await;
    let numbers = vec![Number::new(DEFAULT_NUMBER).sms_url(&us.url("/in"))];
    let desk = Desk::with(SimulatorConfig { numbers, ..instant() }).await;
    us.answers(200, "text/xml", "<Response><Message>Sorry to see you go</Message></Response>");
    let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "STOP").await.unwrap();
    let messages = desk.settled().await;
    let reply = messages.iter().find(|message| message.sid == delivery.replies[0]).unwrap();
    assert_eq!(reply.error_code, Some(21610));
}

#[tokio::test]
async fn stop_to_one_number_silences_its_whole_service() {
    let service = "MG0123456789abcdef0123456789abcdef";
    let numbers = vec![Number::new(DEFAULT_NUMBER), Number::new("+15550001235")];
    let services = vec![Service::new(service, &[DEFAULT_NUMBER, "+15550001235"])];
    let desk = Desk::with(SimulatorConfig { numbers, services, ..instant() }).await;
    desk.twilio.text(PHONE, "+15550001235", "STOP").await.unwrap();
    assert!(refused(&desk).await);
    let form = [("To", PHONE), ("MessagingServiceSid", service), ("Body", "x")];
    assert_eq!(desk.post(&desk.account("/Messages.json"), &form).await.json["code"], 21610);
}

#[tokio::test]
async fn without_advanced_opt_out_the_webhook_lacks_opt_out_type() {
    let mut us = Receiver::open().await;
    for (opt_out, is_blocked) in [(OptOut::Standard, true), (OptOut::Off, false)] {
        let numbers = vec![Number::new(DEFAULT_NUMBER).sms_url(&us.url("/in"))];
        let desk = Desk::with(SimulatorConfig { numbers, opt_out, ..instant() }).await;
        desk.twilio.text(PHONE, DEFAULT_NUMBER, "STOP").await.unwrap();
        assert_eq!(us.next().await.find("OptOutType"), None);
        assert_eq!(refused(&desk).await, is_blocked, "{opt_out:?}");
    }
}

#[tokio::test]
async fn stop_to_a_toll_free_number_always_blocks() {
    let toll_free = "+18335550001";
    let desk =
        Desk::with(SimulatorConfig { numbers: vec![Number::new(toll_free)], opt_out: OptOut::Off, ..instant() }).await;
    for body in ["HELP", "END", "STOP"] {
        desk.twilio.text(PHONE, toll_free, body).await.unwrap();
    }
    let messages = desk.settled().await;
    let answers: Vec<_> = messages.iter().filter(|message| message.is_outbound()).collect();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].body.starts_with("NETWORK MSG: ") && answers[0].keyword == Some(OptOutKeyword::Stop));
    assert!(refused(&desk).await);
    desk.twilio.text(PHONE, toll_free, "unstop").await.unwrap();
    assert!(!refused(&desk).await);
}

#[tokio::test]
async fn keywords_to_a_short_code_on_its_own_get_no_answer() {
    let desk = Desk::with(SimulatorConfig { numbers: vec![Number::new("55501")], ..instant() }).await;
    desk.twilio.text(PHONE, "55501", "STOP").await.unwrap();
    assert_eq!(desk.twilio.messages().len(), 1);
    assert!(!refused(&desk).await);
}
