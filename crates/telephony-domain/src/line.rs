//! A line: one of our numbers or messaging services, and its kind.

use serde::{Deserialize, Serialize};

use crate::line_address::LineAddress;

/// The address that we send from and receive at.
///
/// At least one field is set; for sending, a messaging service takes precedence over the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Our phone number, short code or sender id.
    pub number: Option<LineAddress>,
    /// Id of the provider's pool of numbers that it sends from (`MG…` at Twilio).
    pub messaging_service: Option<String>,
}

impl Sender {
    /// Returns the number or short code that contacts can text; a sender id is none.
    pub fn receiving(&self) -> Option<&LineAddress> {
        self.number.as_ref().filter(|address| address.receives())
    }
}

/// The carriers' kind of a number, which decides how fast it can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// An ordinary phone number with a country code.
    LongCode,
    /// A North American toll-free number.
    TollFree,
    /// Four to six digits without a country code.
    ShortCode,
    /// A name that can only send.
    SenderId,
    /// A pool of numbers behind one id.
    MessagingService,
}

/// Area codes of North American toll-free numbers.
const TOLL_FREE: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];

impl LineKind {
    /// Recognizes the kind from the form of `sender`.
    pub fn of(sender: &Sender) -> LineKind {
        if sender.messaging_service.is_some() {
            return LineKind::MessagingService;
        }
        match &sender.number {
            Some(LineAddress::Number(number)) if is_toll_free(number.as_str()) => LineKind::TollFree,
            Some(LineAddress::ShortCode(_)) => LineKind::ShortCode,
            Some(LineAddress::SenderId(_)) => LineKind::SenderId,
            Some(LineAddress::Number(_)) | None => LineKind::LongCode,
        }
    }
}

fn is_toll_free(number: &str) -> bool {
    number.len() == "+18005550100".len()
        && number.strip_prefix("+1").is_some_and(|rest| TOLL_FREE.contains(&&rest[..3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(number: &str) -> LineKind {
        LineKind::of(&Sender { number: number.parse().ok(), messaging_service: None })
    }

    #[test]
    fn the_format_of_a_number_shows_its_kind() {
        assert_eq!(kind("+15550001234"), LineKind::LongCode);
        assert_eq!(kind("+18335550100"), LineKind::TollFree);
        assert_eq!(kind("+448005550100"), LineKind::LongCode);
        assert_eq!(kind("72345"), LineKind::ShortCode);
        assert_eq!(kind("My-Bank 1"), LineKind::SenderId);
        let service = Sender { number: None, messaging_service: Some("MG1".into()) };
        assert_eq!(LineKind::of(&service), LineKind::MessagingService);
    }
}
