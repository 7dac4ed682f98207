//! What has to be there before the provider can be used.

use crate::document::Node;
use crate::keys::full_path;
use crate::problem::Problem;
use crate::sections::{ProviderName, Telephony};

/// What `telephony`, which was read from `block`, lacks.
pub(crate) fn missing(telephony: &Telephony, block: &Node) -> Vec<Problem> {
    match telephony.provider {
        None if block.get("provider").is_none() => {
            vec![lack(block, "provider", "set it to \"twilio\", or to \"simulator\" to try things out")]
        }
        Some(ProviderName::Twilio) => missing_for_twilio(telephony, block),
        None | Some(ProviderName::Simulator) => vec![],
    }
}

fn missing_for_twilio(telephony: &Telephony, block: &Node) -> Vec<Problem> {
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
            "set twilio.authToken or the environment variable TWILIO_AUTH_TOKEN; webhooks are signed with it, also when \
             there is an API key",
        ),
    ];
    let lacks = needs.into_iter().filter(|(has, path, _)| !has && !is_written(block, path));
    lacks.map(|(_, path, hint)| lack(block, path, hint)).collect()
}

/// A key that is written and wrong has a problem of its own already.
fn is_written(block: &Node, path: &str) -> bool {
    block.find(&path.split('.').collect::<Vec<_>>()).is_some()
}

fn lack(block: &Node, path: &str, hint: &str) -> Problem {
    let section = path.split_once('.').and_then(|(section, _)| block.get(section)).unwrap_or(block);
    Problem::new(full_path(path), "the key is missing").at(&section.place).hint(hint)
}
