use std::fs;
use std::path::PathBuf;

use telephony_domain::delivery::{Status, StatusReport};
use telephony_domain::message::Arrival;
use telephony_store::history::Filter;
use telephony_store::journal::{self, Journal, JournalEntry, JournalEvent};
use twilio_simulator::MessageRecord;

use crate::stage::{ALICE, BOB, Plan, SOON, Stage};

/// Returns a text to the bot as its webhook would have reported it while the gateway was down.
async fn missed(stage: &Stage, from: &str, text: &str) -> Arrival {
    let delivery = stage.twilio.text(from, stage.bot(), text).await.unwrap();
    assert_eq!(delivery.status, None);
    arrival(stage, &delivery.sid, from, text)
}

fn arrival(stage: &Stage, sid: &str, from: &str, text: &str) -> Arrival {
    Arrival {
        provider_id: sid.to_owned(),
        from: from.to_owned(),
        to: stage.bot().to_owned(),
        messaging_service: None,
        text: text.to_owned(),
        media: Vec::new(),
        also_to: Vec::new(),
        opt_out_type: None,
        provider_time: None,
        signed: None,
    }
}

fn file(stage: &Stage) -> PathBuf {
    stage.state.path().join("arrivals")
}

async fn leave(stage: &Stage, event: JournalEvent, is_unverified: bool) {
    let journal = Journal::open(&file(stage)).unwrap();
    journal.append(&JournalEntry { at: stage.now(), is_unverified, provider: "twilio".into(), event }).await.unwrap();
}

#[tokio::test]
async fn readable_entries_are_answered_and_lost_ones_found_at_twilio() {
    let mut stage = Plan::default().start().await;
    stage.stop_gateway().await;
    for (from, text) in [(ALICE, "one"), (BOB, "damaged"), (ALICE, "two")] {
        let arrival = missed(&stage, from, text).await;
        leave(&stage, JournalEvent::Message(arrival), false).await;
    }
    damage(&stage);
    stage.start_gateway().await;
    stage.expect(ALICE, &["one", "two"]).await;
    stage.expect(BOB, &["damaged"]).await;
    assert_eq!(stage.expect_rest().await.received_today, 3);
    let notices = stage.store().notices(stage.now()).await.unwrap();
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!(notice.name, "journal-damaged");
    assert!(notice.text("Twilio").contains("in 1 place ("), "{}", notice.text("Twilio"));
    let [copy] = &journal::copies(&file(&stage))[..] else { panic!("no copy") };
    assert!(notice.text("Twilio").ends_with(&copy.display().to_string()), "{}", notice.text("Twilio"));
}

#[tokio::test]
async fn damage_stays_in_the_journal_until_twilio_can_be_asked_for_what_is_lost() {
    const REFUSES: &str = "CREATE TRIGGER refuses BEFORE UPDATE OF seen_until ON watched BEGIN
                               SELECT RAISE(ABORT, 'on purpose'); END";
    let mut stage = Plan::default().start().await;
    stage.stop_gateway().await;
    let database = rusqlite::Connection::open(stage.state.path().join("telephony.sqlite")).unwrap();
    // The entry before the damage is older than the last check at Twilio.
    database.execute("UPDATE watched SET seen_until = seen_until + 3600000", ()).unwrap();
    for (from, text) in [(ALICE, "one"), (BOB, "damaged"), (ALICE, "two")] {
        let arrival = missed(&stage, from, text).await;
        leave(&stage, JournalEvent::Message(arrival), false).await;
    }
    damage(&stage);
    database.execute(REFUSES, ()).unwrap();
    stage.start_gateway().await;
    wait_until_stored(&stage, "one").await;
    stage.twilio.text(BOB, stage.bot(), "and now?").await.unwrap();
    assert!(!stage.journal().is_applied());
    database.execute("DROP TRIGGER refuses", ()).unwrap();
    stage.expect(ALICE, &["one", "two"]).await;
    stage.expect_rest().await;
    let notices = stage.store().notices(stage.now()).await.unwrap();
    assert!(notices.iter().any(|notice| notice.name == "journal-damaged"), "{notices:?}");
}

async fn wait_until_stored(stage: &Stage, text: &str) {
    let look = async {
        loop {
            let messages = stage.store().messages(Filter { limit: 10, ..Filter::default() }).await.unwrap();
            if messages.iter().any(|message| message.text == text) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, look).await.unwrap();
}

/// Flips a bit in the entry that contains this text.
fn damage(stage: &Stage) {
    let mut bytes = fs::read(file(stage)).unwrap();
    let inside = bytes.windows(7).position(|window| window == b"damaged").unwrap();
    bytes[inside] ^= 1;
    fs::write(file(stage), bytes).unwrap();
}

#[tokio::test]
async fn unverified_entries_execute_no_commands() {
    const OPERATOR: &str = "+15550007777";
    let mut stage = Plan { operator: Some(OPERATOR), ..Plan::default() }.start().await;
    stage.stop_gateway().await;
    for is_unverified in [true, false] {
        // Twilio has both, so only the mark distinguishes them.
        let order = missed(&stage, OPERATOR, "STATUS").await;
        leave(&stage, JournalEvent::Message(order), is_unverified).await;
    }
    stage.start_gateway().await;
    let to_operator = |message: &&MessageRecord| message.is_outbound() && message.to == OPERATOR;
    let waited = stage.twilio.wait_for(|messages| messages.iter().filter(to_operator).count() >= 2, SOON).await;
    assert!(waited.is_ok(), "{:?}", stage.bodies(OPERATOR));
    stage.expect_rest().await;
    let texts = stage.bodies(OPERATOR);
    assert_eq!(texts.iter().filter(|text| *text == "STATUS").count(), 1, "the agent repeats one: {texts:?}");
    assert_eq!(texts.len(), 2, "and the other is obeyed: {texts:?}");
}

#[tokio::test]
async fn an_unverified_report_is_ignored() {
    let mut stage = Plan::default().start().await;
    stage.text(ALICE, "hello").await;
    stage.expect(ALICE, &["hello"]).await;
    stage.expect_rest().await;
    let sid = stage.twilio.messages().into_iter().find(|message| message.is_outbound()).unwrap().sid;
    stage.stop_gateway().await;
    let report = StatusReport {
        provider_id: sid,
        correlation_id: None,
        status: Status::Undelivered,
        error_code: Some(21610),
        is_opt_out: true,
        segments: None,
    };
    leave(&stage, JournalEvent::Report(report), true).await;
    stage.start_gateway().await;
    stage.expect_rest().await;
    stage.text(ALICE, "still there?").await;
    stage.expect(ALICE, &["hello", "still there?"]).await;
}
