//! Messages from short codes, names and other channels are stored and reported but never answered; STOP counts on any
//! channel.

use telephony_domain::keyword::Keyword;
use telephony_domain::message::{Arrival, MessageDraft, MessagePurpose};
use telephony_domain::policy::Refusal;
use telephony_store::history::Filter;
use telephony_store::inbox::{Accepted, ArrivalRules};
use telephony_store::notices::RaisedNotice;

use super::world::{ANN, BOB, World, at, draft, number, open_to_all};

const OPERATOR: &str = "+15550004444";

impl World {
    async fn refused(&self, from: &str, text: &str, why: Refusal, second: i64) {
        let accepted = self.says(from, text, at(second)).await;
        assert!(matches!(accepted, Accepted::Refused(_, refusal) if refusal == why), "{from}: {accepted:?}");
    }

    async fn held(&self, second: i64) -> Vec<RaisedNotice> {
        self.store.notices(at(second)).await.unwrap()
    }

    /// Sends the operator all pending notices.
    async fn send_all(&self, second: i64) {
        let unsent = self.store.unsent_notices(at(second)).await.unwrap().notices;
        let names = unsent.into_iter().map(|notice| notice.name).collect();
        let draft =
            MessageDraft { purpose: MessagePurpose::Notice, ..draft(&format!("notice-{second}"), OPERATOR, &["news"]) };
        self.store.send_notices(names, self.line, draft, at(second)).await.unwrap();
    }

    async fn texts_of(&self, contact: &str) -> Vec<String> {
        let filter = Filter { contact: Some(contact.to_owned()), limit: 100, ..Filter::default() };
        self.store.messages(filter).await.unwrap().into_iter().map(|entry| entry.text).collect()
    }
}

#[tokio::test]
async fn login_codes_are_kept_and_reported_without_their_text() {
    let world = World::new().await;
    for (second, sender) in (1..).zip(["68849", "729725", "SUPPORT", "My-Bank 1", "AT&T"]) {
        world.refused(sender, "Your code is 123456", Refusal::NotANumber, second).await;
        assert_eq!(world.texts_of(sender).await, ["Your code is 123456"]);
        let notice = world.held(second).await.pop().unwrap();
        assert!(
            notice.text("Twilio").contains(sender) && notice.text("Twilio").contains("messages --contact"),
            "{}",
            notice.text("Twilio")
        );
        assert!(!notice.text("Twilio").contains("123456"), "{}", notice.text("Twilio"));
    }
    assert_eq!(world.turns_idle(at(9)).await, None);
    assert!(world.store.pairing_requests(at(9)).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_next_login_code_raises_a_new_notice_once_the_last_was_sent() {
    let world = World::new().await;
    world.says("68849", "1111", at(1)).await;
    world.says("68849", "2222", at(2)).await;
    let unsent = world.store.unsent_notices(at(2)).await.unwrap().notices;
    assert_eq!(unsent.len(), 1);
    assert!(unsent[0].text("Twilio").starts_with("Texts from short code 68849"), "{}", unsent[0].text("Twilio"));
    world.send_all(3).await;
    assert!(world.store.unsent_notices(at(4)).await.unwrap().notices.is_empty());
    world.says("68849", "3333", at(5)).await;
    let unsent = world.store.unsent_notices(at(5)).await.unwrap();
    assert_eq!(unsent.notices.len(), 1);
    assert!(unsent.from > at(5), "notices closely together are one SMS");
}

#[tokio::test]
async fn a_flood_of_senders_raises_few_notices() {
    let world = World::new().await;
    for n in 0..60 {
        world.says(&format!("{}", 20_000 + n), "spam", at(n)).await;
        world.says(&format!("viber{n}:1"), "spam", at(n)).await;
        world.says(&format!("whatsapp:+1555000{n:04}"), "STOP", at(n)).await;
    }
    let notices = world.held(60).await;
    assert_eq!(notices.len(), 33, "{notices:?}");
}

#[tokio::test]
async fn stop_from_a_short_code_or_a_name_does_nothing() {
    let world = World::new().await;
    for sender in ["68849", "SUPPORT", "messenger:1234", ""] {
        let why = if sender.contains(':') { Refusal::UnsupportedChannel } else { Refusal::NotANumber };
        world.refused(sender, "STOP", why, 1).await;
    }
    assert!(world.store.opt_outs().await.unwrap().is_empty());
    assert_eq!(world.store.lines().await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_channel_gets_no_answer_and_is_reported() {
    let world = World::new().await;
    let sender = format!("whatsapp:{ANN}");
    world.refused(&sender, "hello", Refusal::UnsupportedChannel, 1).await;
    world.refused("messenger:1234", "hello", Refusal::UnsupportedChannel, 2).await;
    let notices = world.held(2).await;
    let texts: Vec<String> = notices.iter().map(|notice| notice.text("Twilio")).collect();
    assert!(texts[0].contains("by whatsapp") && texts[0].contains("not supported"), "{texts:?}");
    assert!(texts[1].contains("by messenger") && texts[1].contains("messenger:1234"), "{texts:?}");
    assert_eq!(world.texts_of(&sender).await, ["hello"]);
    assert_eq!(world.texts_of(ANN).await, ["hello"], "a person's export and purge hold it");
    assert_eq!(world.turns_idle(at(3)).await, None);
}

#[tokio::test]
async fn a_stop_by_another_channel_applies_to_the_phone_and_only_the_phone_can_undo_it() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let waiting = world.send("news", ANN, &["news"], at(1)).await;
    let accepted = world.says(&format!("whatsapp:{ANN}"), "Stop", at(2)).await;
    assert!(matches!(accepted, Accepted::Keyword(_, Keyword::OptOut)), "{accepted:?}");
    assert_eq!(world.store.progress(waiting).await.unwrap().parts[0].state.as_str(), "canceled");
    assert!(world.store.enqueue(world.line, draft("more", ANN, &["more"]), at(3)).await.is_err());
    assert!(
        world
            .held(3)
            .await
            .iter()
            .any(|notice| notice.text("Twilio").contains(&format!("{ANN} sent STOP by whatsapp")))
    );
    world.refused(&format!("whatsapp:{ANN}"), "START", Refusal::UnsupportedChannel, 4).await;
    assert!(world.store.standing(world.line, &number(ANN)).await.unwrap().is_opted_out);
    world.says(ANN, "START", at(5)).await;
    assert!(!world.store.standing(world.line, &number(ANN)).await.unwrap().is_opted_out);
}

#[tokio::test]
async fn a_message_to_an_rcs_agent_belongs_to_the_configured_line() {
    let world = World::new().await;
    let home = || ArrivalRules { line: Some(world.line), ..open_to_all() };
    let to_agent = |from: &str, text: &str| Arrival { to: "rcs:acme_agent".to_owned(), ..world.text(from, text) };
    world.says(BOB, "by SMS", at(1)).await;
    world.accept(to_agent(BOB, "by RCS"), home(), at(2)).await;
    let turn = world.lease(at(3)).await;
    assert_eq!((turn.messages.len(), turn.line.id), (2, world.line));
    world.answer(&turn, "hi", at(3)).await.unwrap();
    world.accept(to_agent(BOB, "STOP"), home(), at(4)).await;
    assert!(world.store.standing(world.line, &number(BOB)).await.unwrap().is_opted_out);
    let elsewhere = Arrival { to: "+15550007777".to_owned(), ..world.text(BOB, "hello") };
    assert!(matches!(world.accept(elsewhere, home(), at(5)).await, Accepted::Unconfirmed(_)));
}

#[tokio::test]
async fn a_purge_covers_every_channel() {
    let world = World::new().await;
    world.says(&format!("whatsapp:{ANN}"), "hello", at(1)).await;
    while !world.store.purge(&number(ANN), 10, at(2)).await.unwrap().is_done {}
    assert!(world.texts_of(&format!("whatsapp:{ANN}")).await.is_empty());
    assert!(world.held(3).await.iter().all(|notice| !notice.text("Twilio").contains(ANN)));
}
