//! The code table matches Twilio's published codes, and the documentation matches the table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use telephony_domain::retry::Disposition;
use telephony_providers::twilio::codes::{self, Code};

/// Codes about the whole account that the operator can fix.
const OF_THE_ACCOUNT: [u32; 6] = [10001, 10002, 20003, 20005, 20006, 20008];

const SOON: Disposition = Disposition::Retry { after: None };

fn known() -> Vec<Value> {
    let data: Value = serde_json::from_str(include_str!("data/error_codes.json")).unwrap();
    data["errors"].as_array().unwrap().clone()
}

fn number(error: &Value) -> u32 {
    error["code"].as_u64().unwrap().try_into().unwrap()
}

fn rows() -> Vec<&'static Code> {
    (0..100_000).filter_map(codes::find).collect()
}

#[test]
fn the_table_has_exactly_the_published_codes() {
    let known: BTreeSet<u32> = known().iter().map(number).collect();
    let rows: BTreeSet<u32> = rows().iter().map(|code| code.number).collect();
    assert_eq!(rows, known);
    assert_eq!(rows.len(), 150);
}

#[test]
fn a_code_is_retried_exactly_if_its_class_allows_it() {
    for error in known() {
        let disposition = codes::find(number(&error)).unwrap().disposition;
        let is_right = match (error["class"].as_str().unwrap(), error["retry"].as_str().unwrap()) {
            ("unknown", _) => disposition == Disposition::Unknown,
            (_, "backoff" | "once") => disposition == SOON,
            (_, "later") => matches!(disposition, Disposition::Retry { after: Some(wait) } if wait.as_secs() >= 60),
            (_, "after_fix") if OF_THE_ACCOUNT.contains(&number(&error)) => disposition == Disposition::AwaitOperator,
            (_, "never" | "after_fix") => disposition == Disposition::GiveUp,
            other => panic!("{other:?}"),
        };
        assert!(is_right, "{disposition:?} for {error}");
    }
}

#[test]
fn every_code_has_its_own_text() {
    let mut sentences = BTreeSet::new();
    for (code, error) in rows().into_iter().zip(known()) {
        assert!(sentences.insert(code.happened), "{code:?}");
        for sentence in [code.happened, code.action] {
            assert!(sentence.len() > 10 && sentence.ends_with('.'), "{code:?}");
            assert_ne!(sentence, error["operator_action"].as_str().unwrap());
        }
    }
}

#[test]
fn unknown_codes_are_judged_by_their_status() {
    assert_eq!(codes::disposition(429, Some(29_999)), SOON);
    assert_eq!(codes::disposition(429, None), SOON);
    assert_eq!(codes::disposition(400, Some(29_999)), Disposition::GiveUp);
    let later = Disposition::Retry { after: Some(std::time::Duration::from_secs(600)) };
    assert_eq!(codes::disposition(404, None), later, "Twilio gives a code");
    assert_eq!(codes::disposition(502, None), Disposition::Unknown);
    assert_eq!(codes::disposition(408, None), Disposition::Unknown);
}

#[test]
fn unknown_codes_are_explained_by_their_range() {
    assert_eq!(
        codes::explain(39_999),
        "The message was not delivered: the carrier, the phone or Twilio's checks stopped it; \
         see https://www.twilio.com/docs/api/errors/39999"
    );
    assert!(codes::explain(99_999).starts_with("Twilio reports an error; see "));
    assert!(codes::explain(21_610).contains("opted out"), "a known code has a sentence of its own");
}

#[test]
fn a_code_takes_precedence_over_its_status_except_for_server_errors() {
    let daily_cap = codes::disposition(429, Some(63_038));
    assert!(matches!(daily_cap, Disposition::Retry { after: Some(wait) } if wait.as_secs() >= 3600), "{daily_cap:?}");
    assert_eq!(codes::disposition(409, Some(20_409)), SOON);
    assert_eq!(codes::disposition(503, Some(20_503)), Disposition::Unknown);
    assert_eq!(codes::disposition(400, Some(30_410)), Disposition::Unknown);
}

/// Regenerates the page if `UPDATE_REFERENCE` is set.
#[test]
fn the_reference_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/errors.md");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, codes::reference_markdown()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert_eq!(page, codes::reference_markdown(), "run with UPDATE_REFERENCE=1 to write {}", path.display());
}
