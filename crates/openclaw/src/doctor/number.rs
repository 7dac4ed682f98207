//! Checks that the number and the Messaging Service belong to the account, their capabilities, and their registration.

use telephony_domain::line::{LineKind, Sender};
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;
use telephony_providers::provider::ProviderError;
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::rest::{Capabilities, Rest};

use super::catalog::{
    A2P_NOT_APPROVED, A2P_NOT_REGISTERED, COULD_NOT_CHECK, NUMBER_MISSING, NUMBER_WITHOUT_SMS, NUMBER_WITHOUT_VOICE,
    SENDER_ID, SERVICE_MISSING, SERVICE_WITHOUT_NUMBERS,
};
use super::{Checkup, Subject};
use crate::assemble;
use crate::plural::counted;

/// Checks ownership and capabilities.
pub async fn check(subject: &Subject, twilio: &Twilio) -> Checkup {
    let mut checkup = Checkup::default();
    let sender = assemble::sender(&subject.loaded.telephony);
    match &sender.number {
        Some(LineAddress::Number(number)) => check_number(subject, twilio.rest(), number, &mut checkup).await,
        Some(LineAddress::ShortCode(code)) => check_short_code(subject, twilio.rest(), code, &mut checkup).await,
        Some(LineAddress::SenderId(name)) => checkup.found(SENDER_ID.found(name)),
        None => {}
    }
    if let Some(service) = &sender.messaging_service {
        check_service(twilio.rest(), service, &mut checkup).await;
    }
    checkup
}

async fn check_number(subject: &Subject, rest: &Rest, number: &PhoneNumber, checkup: &mut Checkup) {
    let found = match rest.phone_number(number.as_str()).await {
        Ok(Some(found)) => found,
        Ok(None) => return checkup.found(NUMBER_MISSING.found(number)),
        Err(error) => return checkup.unchecked("the number", &error),
    };
    let Some(Capabilities { sms, mms, voice }) = found.capabilities else {
        return checkup
            .found(COULD_NOT_CHECK.found(format!("the capabilities of {number}: Twilio does not report them")));
    };
    let can = [(sms, "SMS"), (mms, "MMS"), (voice, "Voice")].into_iter().filter_map(|(can, name)| can.then_some(name));
    checkup.well(format!("{number}: {}", can.collect::<Vec<_>>().join(", ")));
    if !sms {
        checkup.found(NUMBER_WITHOUT_SMS.found(number));
    }
    if !voice && subject.loaded.telephony.voice.enabled {
        checkup.found(NUMBER_WITHOUT_VOICE.found(number));
    }
}

async fn check_short_code(subject: &Subject, rest: &Rest, code: &str, checkup: &mut Checkup) {
    match rest.short_code(code).await {
        Ok(Some(_)) => checkup.well(format!("{code}: short code, SMS; MMS only if the carrier has approved it")),
        Ok(None) => checkup.found(NUMBER_MISSING.found(code)),
        Err(error) => checkup.unchecked("the short code", &error),
    }
    if subject.loaded.telephony.voice.enabled {
        checkup.found(NUMBER_WITHOUT_VOICE.found(code));
    }
}

async fn check_service(rest: &Rest, service: &str, checkup: &mut Checkup) {
    let senders = match rest.service_numbers(service).await {
        Ok(numbers) => rest.service_short_codes(service).await.map(|short_codes| (numbers.len(), short_codes.len())),
        Err(error) => Err(error),
    };
    match senders {
        Ok((0, 0)) => checkup.found(SERVICE_WITHOUT_NUMBERS.found(service)),
        Ok((numbers, short_codes)) => {
            let counts = [(numbers, "number"), (short_codes, "short code")].into_iter().filter(|(count, _)| *count > 0);
            let counts: Vec<_> = counts.map(|(count, what)| counted(count, what)).collect();
            checkup.well(format!("{service}: {}", counts.join(", ")));
        }
        // Without the product, it is unknown whether the service exists.
        Err(error) if error.is_not_found() => match rest.services().await {
            Ok(_) => checkup.found(SERVICE_MISSING.found(service)),
            Err(error) => checkup.unchecked("the Messaging Service", &error),
        },
        Err(error) => checkup.unchecked("the Messaging Service", &error),
    }
}

/// Checks that carriers in the United States accept messages from an American number.
pub async fn check_registration(subject: &Subject, twilio: &Twilio) -> Checkup {
    let mut checkup = Checkup::default();
    let Sender { number, messaging_service } = assemble::sender(&subject.loaded.telephony);
    let kind = LineKind::of(&Sender { number: number.clone(), messaging_service: None });
    let number = number.as_ref().and_then(LineAddress::number);
    let is_american = number.is_none_or(|number| number.as_str().starts_with("+1"));
    match (is_american, kind) {
        (true, LineKind::LongCode) => {}
        (_, LineKind::TollFree) => {
            let text = "the verification of the toll-free number: see the Twilio Console (error 30032 if unverified)";
            checkup.found(COULD_NOT_CHECK.found(text));
            return checkup;
        }
        _ => {
            checkup.well("not needed for this number");
            return checkup;
        }
    }
    let service = match messaging_service {
        Some(service) => Ok(Some(service)),
        None => service_of(twilio.rest(), number).await,
    };
    match service {
        Ok(Some(service)) => check_campaign(twilio.rest(), &service, &mut checkup).await,
        Ok(None) => checkup.found(A2P_NOT_REGISTERED.found("it is in no Messaging Service")),
        Err(error) => checkup.unchecked("the A2P registration", &error),
    }
    checkup
}

async fn check_campaign(rest: &Rest, service: &str, checkup: &mut Checkup) {
    match rest.campaigns(service).await {
        Ok(campaigns) if campaigns.iter().any(|status| status == "VERIFIED") => {
            checkup.well(format!("{service} is registered for A2P 10DLC"));
        }
        Ok(campaigns) if campaigns.is_empty() => {
            checkup.found(A2P_NOT_REGISTERED.found(format!("{service} has no campaign")));
        }
        Ok(campaigns) => checkup.found(A2P_NOT_APPROVED.found(format!("{service}: {}", campaigns.join(", ")))),
        Err(error) => checkup.unchecked("the A2P registration", &error),
    }
}

/// Returns the Messaging Service whose campaign covers a number.
async fn service_of(rest: &Rest, number: Option<&PhoneNumber>) -> Result<Option<String>, ProviderError> {
    let Some(number) = number else { return Ok(None) };
    for service in rest.services().await? {
        if rest.service_numbers(&service.sid).await?.iter().any(|member| member == number.as_str()) {
            return Ok(Some(service.sid));
        }
    }
    Ok(None)
}
