//! What things are and which rules they follow; no I/O, no clock, no provider.

pub mod consent;
pub mod delivery;
pub mod forecast;
pub mod id;
pub mod keyword;
pub mod limit;
pub mod line;
pub mod media_type;
pub mod message;
pub mod mms;
pub mod money;
pub mod notice;
pub mod number;
pub mod order;
pub mod pace;
pub mod pairing;
pub mod plain_text;
pub mod policy;
pub mod rally;
pub mod reaction;
pub mod reconcile;
pub mod retry;
pub mod sms;
pub mod tariff;
pub mod time;
pub mod vcard;
