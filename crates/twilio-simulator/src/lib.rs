//! A local Twilio simulator: REST, signed webhooks and faults on demand, on loopback and without an account.
//!
//! It is written from Twilio's documentation and shares no code with the client under test. It simulates one account,
//! in memory; simulators in one process are independent.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! use twilio_simulator::{Fault, FaultExtent, Simulator, SimulatorConfig};
//!
//! let twilio = Simulator::start(SimulatorConfig::default()).await?;
//! twilio.set_sms_url(twilio.number(), "http://127.0.0.1:3335/telephony/webhook")?;
//! let delivery = twilio.text("+15550005678", twilio.number(), "Hello").await?;
//! assert_eq!(delivery.status, Some(200));
//! twilio.misbehave(Fault::CutAfterAccepting, FaultExtent::Next(1));
//! # Ok(()) }
//! ```
//!
//! # REST
//!
//! Under `/2010-04-01/Accounts/{AC}`: `Messages`, `Messages/{SM}/Media`, `Calls`, `IncomingPhoneNumbers`, `Balance`,
//! `Keys`, `OutgoingCallerIds` and the account itself; under `/v1`: `Services` with their `PhoneNumbers` and
//! `Compliance/Usa2p`, and `Alerts`. Twilio's magic test numbers work with any credentials.
//!
//! Media URLs of inbound messages require the account's credentials. They redirect to a separate listener with signed
//! URLs, which expire and reject requests with credentials. `MediaUrl`s of outbound messages are fetched with HEAD and
//! GET, and their types and sizes are checked.
//!
//! Each number has a queue. [`QueuePacing::AsTwilio`] limits it to the carriers' rates; by default, the rate is
//! unlimited.
//!
//! Differences from Twilio: callback and media URLs may be on loopback; redirects are not followed; scheduled messages
//! and content templates are rejected; `<Play>` does not fetch its file; pictures are not resized.
//!
//! # Control over HTTP
//!
//! | request | JSON body | answer |
//! |---|---|---|
//! | `POST /_simulator/inbound-message` | `{"from", "to", "body", "files": [{"content_type", "data"}], "media": 0, "parameters": [["Name", "value"]]}`; `data` is base64, `media` so many pictures of one pixel | [`Delivery`] |
//! | `POST /_simulator/inbound-call` | `{"from", "to"}`, optionally `attestation` (the network's verdict, `StirVerstat`, on this and later calls from there) | [`Delivery`] |
//! | `GET /_simulator/calls` | | all calls, oldest first, with their transcripts |
//! | `POST /_simulator/calls/{sid}/say` | `{"text", "confidence": 0.95}` | 204 once the call listened, 409 when it is over |
//! | `POST /_simulator/calls/{sid}/press` | `{"keys": "12#"}` | the same |
//! | `POST /_simulator/calls/{sid}/answer`, `…/hang-up` | | 204, or 409 when it is over |
//! | `POST /_simulator/call-outcome` | `{"to", "outcome": "human"}`, or `"rings"`, `"busy"`, `"failed"`, `"machine"`, `"fax"`, `"unknown"` | 204 |
//! | `POST /_simulator/redeliver/{sid}` | | [`Delivery`] |
//! | `POST /_simulator/misbehave` | `{"fault": "cut-after-accepting", "extent": {"next": 1}}` | 204 |
//! | `GET /_simulator/misbehave` | | the faults in force |
//! | `DELETE /_simulator/misbehave` | | 204 |
//! | `POST /_simulator/pacing` | `"as-twilio"`, `"lifted"` or `{"segments-per-second": 0.5}` | 204 |
//! | `POST /_simulator/outcome` | `{"to", "outcome": {"undelivered": 30003}}` | 204 |
//! | `GET /_simulator/outcome` | | what was decided, by phone |
//! | `GET /_simulator/account` | | its SID, numbers and pacing |
//! | `POST /_simulator/account` | `{"type": "Trial", "status": "suspended", "balance": "0.05", "verified": ["+1…"], "authToken": "…"}`, any of them | 204 |
//! | `POST /_simulator/numbers` | `{"number", "capabilities": {"mms": false}, "settings": {"SmsApplicationSid": "AP…"}}` | the number, added or changed |
//! | `POST /_simulator/services` | `{"sid", "numbers": ["+1…"], "campaign": "VERIFIED", "settings": {"UseInboundWebhookOnNumber": "false"}}` | the service, added or changed |
//! | `POST /_simulator/alerts` | `{"code": 11200, "text", "url", "about": "SM…"}` | `{"sid"}` |
//! | `POST /_simulator/missing` | `["/v1/Alerts", "/Balance"]`: API paths that begin so (below the account) are answered 404 | 204 |
//! | `GET /_simulator/events` | | what happens from now on, as server-sent events |
//! | `GET /_simulator/messages` | | all messages, oldest first, as REST shows them, and `media` with type, size and URL |
//! | `GET /_simulator/media/{sid}` | | a file of a message, without credentials |
//! | `GET /_simulator/alerts` | | all alerts, oldest first |
//! | `GET /_simulator/log` | | all requests, [`LogEntry`] |
//! | `GET /_simulator/log/{id}` | | what one of the latest 400 and its answer carried, credentials left out |
//! | `POST /_simulator/reset` | | 204 |
//!
//! Faults are [`Fault`] in kebab case, those with a time as `{"delay-answer": {"milliseconds": 500}}`, those with an
//! error code as `{"refuse-account": {"code": 20005}}`. Extents are `{"next": 3}`, `"all"` and `{"percent": 20}`;
//! `{"next": 0}` ends a fault. These routes need no credentials because only this machine can reach them.

mod account;
mod alert;
mod call;
mod calling;
mod cdn;
mod config;
mod control;
mod dates;
mod delivery;
mod exchange;
mod ids;
mod inbound;
mod keyword;
mod lifecycle;
mod log;
mod media;
mod message;
mod misbehavior;
mod number;
mod page;
mod queue;
mod rest;
mod segments;
mod server;
mod service;
mod simulator;
mod twiml;
mod webhook;
mod xml;

pub use account::{AccountSettings, AccountStatus, AccountType};
pub use alert::AlertRecord;
pub use call::{CallRecord, Side, SimulatedCallStatus, Utterance};
pub use calling::phone::NoCall;
pub use config::{
    ApiKey, CallOutcome, DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_NUMBER, DeliveryOutcome, OptOut,
    SimulatorConfig,
};
pub use delivery::Delivery;
pub use exchange::ExchangeEvent;
pub use inbound::{InboundText, NotOurs, Unsent};
pub use keyword::OptOutKeyword;
pub use log::{LogEntry, LogKind};
pub use media::{MediaRecord, PhoneFile};
pub use message::{MessageDirection, MessageRecord, MessageStatus};
pub use misbehavior::{Fault, FaultExtent};
pub use number::{Number, NumberCapabilities};
pub use queue::QueuePacing;
pub use service::Service;
pub use simulator::{DeadlinePassed, Simulator, SimulatorStartError};
