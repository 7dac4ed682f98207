//! Checks that the number and the Messaging Service belong to the account, their capabilities, and their registration.

use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;
use telephony_providers::checks::Registration;
use telephony_providers::provider::Provider;

use super::catalog::{
    A2P_NOT_APPROVED, A2P_NOT_REGISTERED, COULD_NOT_CHECK, NUMBER_MISSING, NUMBER_WITHOUT_SMS, NUMBER_WITHOUT_VOICE,
    SENDER_ID, SERVICE_MISSING, SERVICE_WITHOUT_NUMBERS,
};
use super::{Checkup, Subject};
use crate::assemble;
use crate::plural::counted;

/// Checks ownership and capabilities.
pub async fn check(subject: &Subject, provider: &dyn Provider) -> Checkup {
    let mut checkup = Checkup::default();
    let sender = assemble::sender(&subject.loaded.telephony);
    match &sender.number {
        Some(LineAddress::Number(number)) => check_number(subject, provider, number, &mut checkup).await,
        Some(LineAddress::ShortCode(code)) => check_short_code(subject, provider, code, &mut checkup).await,
        Some(LineAddress::SenderId(name)) => checkup.found(SENDER_ID.found(name)),
        None => {}
    }
    if let Some(service) = &sender.messaging_service {
        check_service(provider, service, &mut checkup).await;
    }
    checkup
}

async fn check_number(subject: &Subject, provider: &dyn Provider, number: &PhoneNumber, checkup: &mut Checkup) {
    let found = match provider.number(number.as_str()).await {
        Ok(Some(found)) => found,
        Ok(None) => return checkup.found(NUMBER_MISSING.found(number)),
        Err(error) => return checkup.unchecked("the number", &error),
    };
    let Some(can) = found.capabilities else {
        return checkup
            .found(COULD_NOT_CHECK.found(format!("the capabilities of {number}: Twilio does not report them")));
    };
    checkup.well(format!("{number}: {can}"));
    if !can.sms {
        checkup.found(NUMBER_WITHOUT_SMS.found(number));
    }
    if !can.voice && subject.loaded.telephony.voice.enabled {
        checkup.found(NUMBER_WITHOUT_VOICE.found(number));
    }
}

async fn check_short_code(subject: &Subject, provider: &dyn Provider, code: &str, checkup: &mut Checkup) {
    match provider.owns(code).await {
        Ok(true) => checkup.well(format!("{code}: short code, SMS; MMS only if the carrier has approved it")),
        Ok(false) => checkup.found(NUMBER_MISSING.found(code)),
        Err(error) => checkup.unchecked("the short code", &error),
    }
    if subject.loaded.telephony.voice.enabled {
        checkup.found(NUMBER_WITHOUT_VOICE.found(code));
    }
}

async fn check_service(provider: &dyn Provider, service: &str, checkup: &mut Checkup) {
    match provider.senders_of(service).await {
        Ok(Some(senders)) => {
            let counts = [(senders.numbers, "number"), (senders.short_codes, "short code")];
            let counts: Vec<_> =
                counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(*count, what)).collect();
            match counts.is_empty() {
                true => checkup.found(SERVICE_WITHOUT_NUMBERS.found(service)),
                false => checkup.well(format!("{service}: {}", counts.join(", "))),
            }
        }
        Ok(None) => checkup.found(SERVICE_MISSING.found(service)),
        Err(error) => checkup.unchecked("the Messaging Service", &error),
    }
}

/// Checks that carriers in the United States accept messages from an American number.
pub async fn check_registration(subject: &Subject, provider: &dyn Provider) -> Checkup {
    let mut checkup = Checkup::default();
    match provider.registration(&assemble::sender(&subject.loaded.telephony)).await {
        Ok(Registration::NotNeeded) => checkup.well("not needed for this number"),
        Ok(Registration::Approved(text)) => checkup.well(text),
        Ok(Registration::Missing(text)) => checkup.found(A2P_NOT_REGISTERED.found(text)),
        Ok(Registration::NotApproved(text)) => checkup.found(A2P_NOT_APPROVED.found(text)),
        Ok(Registration::NotReported(text)) => checkup.found(COULD_NOT_CHECK.found(text)),
        Err(error) => checkup.unchecked("the A2P registration", &error),
    }
    checkup
}
