use twilio_simulator::{ApiKey, DEFAULT_NUMBER, Number, SimulatorConfig};

use crate::desk::{Desk, PHONE, instant};
use crate::receiver::Receiver;

const KEY: &str = "SK0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_wrong_token_is_not_let_in() {
    let mut desk = Desk::open().await;
    desk.credentials.1 = "wrong".to_owned();
    for path in [desk.account("/Messages.json"), desk.account(".json"), "/v1/Services".to_owned()] {
        let answer = desk.get(&path).await;
        assert_eq!((answer.status, answer.json["code"].as_u64()), (401, Some(20003)), "{path}");
    }
}

#[tokio::test]
async fn a_rotated_token_takes_the_place_of_the_one_before() {
    let mut us = Receiver::open().await;
    let numbers = vec![Number::new(DEFAULT_NUMBER).sms_url(&us.url("/in"))];
    let mut desk = Desk::with(SimulatorConfig { numbers, ..instant() }).await;
    let rotated = "fedcba9876543210fedcba9876543210";
    desk.twilio.rotate_auth_token(rotated);
    assert_eq!(desk.get(&desk.account(".json")).await.status, 401);
    desk.credentials.1 = rotated.to_owned();
    assert_eq!(desk.get(&desk.account(".json")).await.text("auth_token"), rotated);
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "hello").await.unwrap();
    let hook = us.next().await;
    assert_eq!(hook.header("x-twilio-signature"), hook.signature(rotated, &us.url("/in")));
}

#[tokio::test]
async fn a_standard_key_may_do_all_but_see_the_account() {
    let keys = vec![ApiKey { sid: KEY.to_owned(), secret: "secret".to_owned() }];
    let mut desk = Desk::with(SimulatorConfig { api_keys: keys, ..instant() }).await;
    desk.credentials = (KEY.to_owned(), "secret".to_owned());
    assert_eq!(desk.send("Hello").await.status, 201);
    assert_eq!(desk.get(&desk.account("/Balance.json")).await.text("currency"), "USD");
    for path in ["/2010-04-01/Accounts.json".to_owned(), desk.account(".json")] {
        let answer = desk.get(&path).await;
        assert_eq!((answer.status, answer.json["code"].as_u64()), (401, Some(20003)), "{path}");
    }
}

#[tokio::test]
async fn the_account_sees_itself() {
    let desk = Desk::open().await;
    let account = desk.get(&desk.account(".json")).await;
    assert_eq!((account.text("type"), account.text("status")), ("Full", "active"));
    let list = desk.get("/2010-04-01/Accounts.json").await;
    assert_eq!(list.json["accounts"][0]["sid"], desk.twilio.account_sid());
}

#[tokio::test]
async fn another_account_and_an_unknown_path_are_not_found() {
    let desk = Desk::open().await;
    let other = "/2010-04-01/Accounts/ACffffffffffffffffffffffffffffffff/Messages.json".to_owned();
    for path in [other, "/2010-04-01/Nothing.json".to_owned(), desk.account("/Messages/SMnone.json")] {
        let answer = desk.get(&path).await;
        assert_eq!((answer.status, answer.json["code"].as_u64()), (404, Some(20404)), "{path}");
    }
    assert_eq!(desk.delete(&desk.account("/Messages.json")).await.status, 405);
}
