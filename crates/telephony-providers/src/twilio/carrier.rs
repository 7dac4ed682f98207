//! Twilio's rules for what a line sends, from its documentation and price list.

use std::time::Duration;

use telephony_domain::carrier::{Carrier, Rates};
use telephony_domain::media_type;
use telephony_domain::mms::MmsRules;
use telephony_domain::money::{Amount, Currency, Price};
use telephony_domain::tariff::PriceList;

/// Twilio's rates, limits, prices and wording.
pub const CARRIER: Carrier = Carrier {
    name: "twilio",
    company: "Twilio",
    // Help pages of 2026. A messaging service counts as one long code unless configured otherwise.
    rates: Rates { long_code: 1.0, toll_free: 3.0, short_code: 100.0, sender_id: 10.0, messaging_service: 1.0 },
    // Ten hours, after which Twilio accepts no more for a number (21611).
    longest_queue: Duration::from_secs(36_000),
    mms: MmsRules {
        max_files: 10,
        max_bytes: 5_000_000,
        // Beyond it carriers differ.
        bytes_as_is: 500_000,
        max_text: 1600,
        // In the United States, an MMS costs about as much as three segments, and takes longer to send.
        segments: 3,
        resized: &["image/jpeg", "image/png", "image/gif"],
        passed_on: &[
            "image/bmp",
            "image/tiff",
            media_type::CONTACT_CARD,
            "text/calendar",
            "text/csv",
            "text/rtf",
            "text/richtext",
            "application/pdf",
        ],
    },
    // For the United States: https://www.twilio.com/en-us/pricing
    prices: PriceList {
        as_of: "2026-11",
        text_out: dollars(7_900_000),
        text_in: dollars(7_500_000),
        media: dollars(20_000_000),
    },
    unreachable_codes: &[21614, 30006],
    added_words: "Sent from your Twilio trial account",
};

const fn dollars(billionths: i64) -> Price {
    Price { amount: Amount(billionths), currency: Currency::USD }
}
