//! Settings that the provider requires.

use crate::document::Node;
use crate::keys::full_path;
use crate::problem::Problem;
use crate::sections::{ProviderName, TelephonyConfig};

/// Returns the problems of missing settings in `telephony`, which was read from `block`.
pub(crate) fn missing(telephony: &TelephonyConfig, block: &Node) -> Vec<Problem> {
    match telephony.provider {
        None if block.get("provider").is_none() => {
            vec![lack(block, "provider", "set it to \"twilio\", or to \"simulator\" for experiments")]
        }
        Some(ProviderName::Twilio) => missing_for_twilio(telephony, block),
        None | Some(ProviderName::Simulator) => vec![],
    }
}

fn missing_for_twilio(telephony: &TelephonyConfig, block: &Node) -> Vec<Problem> {
    let twilio = &telephony.twilio;
    let has_sender = telephony.from_number.is_some() || twilio.messaging_service_sid.is_some();
    let needs = [
        (
            has_sender,
            "fromNumber",
            "set fromNumber, or twilio.messagingServiceSid, or the environment variable TWILIO_MESSAGING_SERVICE_SID",
        ),
        (
            twilio.account_sid.is_some(),
            "twilio.accountSid",
            "set twilio.accountSid or the environment variable TWILIO_ACCOUNT_SID",
        ),
        (
            twilio.auth_token.is_some(),
            "twilio.authToken",
            "set twilio.authToken or the environment variable TWILIO_AUTH_TOKEN; it verifies webhooks even if an API \
            key is used",
        ),
    ];
    let lacks = needs.into_iter().filter(|(has, path, _)| !has && !is_written(block, path));
    lacks.map(|(_, path, hint)| lack(block, path, hint)).collect()
}

/// An invalid key has its own problem already.
fn is_written(block: &Node, path: &str) -> bool {
    block.find(&path.split('.').collect::<Vec<_>>()).is_some()
}

fn lack(block: &Node, path: &str, hint: &str) -> Problem {
    let section = path.split_once('.').and_then(|(section, _)| block.get(section)).unwrap_or(block);
    Problem::new(full_path(path), "missing key").at(&section.place).hint(hint)
}
