//! A provider's rules for what its lines send: pace, queue, attachments and prices. Each provider has one such value.

use std::time::Duration;

use crate::line::LineKind;
use crate::mms::MmsRules;
use crate::tariff::PriceList;

/// The rules of a provider.
#[derive(Debug, PartialEq)]
pub struct Carrier {
    /// Name of the provider, as in `channels.telephony.provider`.
    pub name: &'static str,
    /// The company's name, for texts that people read.
    pub company: &'static str,
    /// Pace by kind of line.
    pub rates: Rates,
    /// Longest wait on a line, after which the provider accepts no more.
    pub longest_queue: Duration,
    /// Limits of messages with attachments.
    pub mms: MmsRules,
    /// Public prices of the provider, with their date.
    pub prices: PriceList,
    /// Error codes which say that a number cannot receive texts.
    pub unreachable_codes: &'static [u32],
    /// Beginning of the words that the provider may put in front of a text.
    pub added_words: &'static str,
}

/// Segments per second that each kind of line may send.
#[derive(Debug, PartialEq)]
pub struct Rates {
    /// Rate of an ordinary number.
    pub long_code: f64,
    /// Rate of a toll-free number.
    pub toll_free: f64,
    /// Rate of a short code.
    pub short_code: f64,
    /// Rate of a sender id.
    pub sender_id: f64,
    /// Rate of a messaging service.
    pub messaging_service: f64,
}

impl Rates {
    /// Returns the segments per second of a kind of line.
    pub fn of(&self, kind: LineKind) -> f64 {
        match kind {
            LineKind::LongCode => self.long_code,
            LineKind::TollFree => self.toll_free,
            LineKind::ShortCode => self.short_code,
            LineKind::SenderId => self.sender_id,
            LineKind::MessagingService => self.messaging_service,
        }
    }
}
