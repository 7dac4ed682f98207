//! Every notice: its name, whether and how long it is shown, its text, and the JSON that stores keep.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write;

use telephony_domain::id::{CallId, ConversationId, LineId, MessageId};
use telephony_domain::notice::Notice;

fn every_notice() -> Vec<Notice> {
    let contact = || "+15550005678".to_owned();
    let reason = || "the agent is unavailable".to_owned();
    vec![
        Notice::NotStoring { error: "the disk is full".to_owned(), hint: "free some space".to_owned() },
        Notice::StoringAgain { rejected: 1 },
        Notice::StoringAgain { rejected: 2 },
        Notice::JournalDamaged { places: 1, bytes: 7, copy: None },
        Notice::JournalDamaged { places: 2, bytes: 14, copy: Some("/state/copy".to_owned()) },
        Notice::MessageSkipped,
        Notice::Tampered,
        Notice::TunnelDown { tunnel: "ngrok".to_owned(), problem: "it has ended (see its log)".to_owned() },
        Notice::TunnelUrlUnknown { webhook: "https://example.com/sms".to_owned() },
        Notice::Undelivered { code: 30034, explanation: "The number is not registered.".to_owned() },
        Notice::AccountStopped { code: Some(20003), reason: "The token is wrong.".to_owned() },
        Notice::AccountStopped { code: None, reason: "The token is wrong.".to_owned() },
        Notice::GaveUpSending { message: MessageId(7), contact: contact(), hours: 24, reason: reason() },
        Notice::GaveUpWhileStopped,
        Notice::SendingUnknown { message: MessageId(7), contact: contact() },
        Notice::DailyLimitReached { most: 100 },
        Notice::ContactLimitReached { most: 20, contact: contact(), is_approved: true },
        Notice::ContactLimitReached { most: 20, contact: contact(), is_approved: false },
        Notice::ReplyLimitReached { most: 10, contact: contact() },
        Notice::ProviderCapReached { reason: "the daily cap is reached".to_owned() },
        Notice::QueueFull { line: LineId(1), sender: "+15550001234".to_owned(), segments: 36_000 },
        Notice::Paused { conversation: ConversationId(3), contact: contact(), is_approved: true },
        Notice::Paused { conversation: ConversationId(3), contact: contact(), is_approved: false },
        Notice::Unanswered { contact: contact(), reason: reason() },
        Notice::GaveUpAnswering { contact: contact(), reason: reason() },
        Notice::PairingRequested { contact: contact(), code: "ABCD2345".to_owned() },
        Notice::PairingLimitReached { sent: 5 },
        text_from("68849", true, false),
        text_from("My-Bank 1", false, true),
        Notice::MoreSendersUnanswerable,
        by_whatsapp("whatsapp:+15550005678", false),
        by_whatsapp("whatsapp:+15550005678", true),
        Notice::MoreChannelsUnsupported,
        Notice::OptedOutByChannel { contact: contact(), channel: "whatsapp".to_owned() },
        Notice::MoreOptedOutByChannel,
        Notice::CommandNotGenuine,
        Notice::CommandUnchecked,
        Notice::WrongPins,
        Notice::CallNotPlaced { call: CallId(2), reason: "the line is busy.".to_owned() },
        Notice::CallUnknown { call: CallId(2) },
    ]
}

fn text_from(sender: &str, is_short_code: bool, is_several: bool) -> Notice {
    Notice::SenderUnanswerable { sender: sender.to_owned(), is_short_code, is_several }
}

fn by_whatsapp(sender: &str, is_several: bool) -> Notice {
    Notice::ChannelUnsupported { channel: "whatsapp".to_owned(), sender: sender.to_owned(), is_several }
}

#[test]
fn every_notice_has_a_name_a_text_and_a_stored_form() {
    let mut shown = String::new();
    for notice in every_notice() {
        let (name, json) = (notice.name(), serde_json::to_string(&notice).unwrap());
        let hours = notice.lasts().map_or("until it ends".to_owned(), |lasts| format!("{} h", lasts.as_secs() / 3600));
        let by_sms = if notice.is_by_sms() { "" } else { ", no SMS" };
        write!(shown, "{name}, {hours}{by_sms}\n{}\n{json}\n\n", notice.text("Twilio")).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_stored_notice_is_read_as_it_was() {
    for notice in every_notice() {
        let json = serde_json::to_string(&notice).unwrap();
        assert_eq!(serde_json::from_str::<Notice>(&json).unwrap(), notice, "{json}");
    }
}

#[test]
fn a_text_names_the_provider_that_it_is_given() {
    for notice in every_notice() {
        assert_eq!(notice.text("Acme").replace("Acme", "Twilio"), notice.text("Twilio"));
        assert!(!notice.text("Acme").contains("Twilio"), "{}", notice.name());
    }
    assert!(Notice::Tampered.text("Acme").contains("Acme's genuine signature"));
}

#[test]
fn debug_shows_no_text() {
    for notice in every_notice() {
        assert_eq!(format!("{notice:?}"), format!("Notice({:?})", notice.name()));
    }
}

#[test]
fn a_sender_with_odd_characters_is_escaped_and_not_part_of_a_command() {
    let text = text_from("Bank\u{202E}`rm`", false, false).text("Twilio");
    assert!(text.contains("Bank?`rm`") && text.ends_with("messages --status refused"), "{text}");
    let text = text_from("", false, false).text("Twilio");
    assert!(text.contains("sender (hidden) arrived") && text.ends_with("--status refused"), "{text}");
}
