//! Checks the configuration, and whether OpenClaw reads it too.

use telephony_config::{ChosenBy, Problems, ProviderName};

use super::catalog::{
    API_ELSEWHERE, CHANNEL_DISABLED, CONFIG_UNUSABLE, CONFIG_WARNING, NOT_TWILIO, OPENCLAW_BESIDE, OPENCLAW_REFUSES,
    SIGNATURES_NOT_CHECKED,
};
use super::{Checkup, Subject};
use crate::host_openclaw::Beside;

const AREA: &str = "Configuration";

/// Reports a configuration that cannot be read.
pub fn unusable(problems: &Problems) -> Checkup {
    let found = problems.iter().map(|problem| CONFIG_UNUSABLE.found(problem)).collect();
    Checkup { area: AREA, found, ..Checkup::default() }
}

pub fn check(subject: &Subject) -> Checkup {
    let mut checkup = Checkup { area: AREA, ..Checkup::default() };
    let (loaded, telephony) = (&subject.loaded, &subject.loaded.telephony);
    let files: Vec<_> = loaded.sources.iter().map(|file| file.display().to_string()).collect();
    checkup.well(files.join(", "));
    if let Err(problems) = loaded.check_complete() {
        problems.iter().for_each(|problem| checkup.found(CONFIG_UNUSABLE.found(problem)));
    }
    let has_finding_of_its_own = ["channels.telephony.agent.kind", "channels.telephony.skipSignatureVerification"];
    for warning in loaded.warnings.iter().filter(|warning| !has_finding_of_its_own.contains(&warning.path.as_str())) {
        checkup.found(CONFIG_WARNING.found(warning));
    }
    if !telephony.enabled {
        checkup.found(CHANNEL_DISABLED.found(""));
    }
    if telephony.skip_signature_verification {
        checkup.found(SIGNATURES_NOT_CHECKED.found(""));
    }
    if telephony.provider == Some(ProviderName::Simulator) {
        checkup.found(NOT_TWILIO.found("the built-in simulator"));
    }
    if telephony.twilio.api_base_url.is_some() {
        checkup.found(API_ELSEWHERE.found(""));
    }
    check_beside(subject, &mut checkup);
    checkup
}

fn check_beside(subject: &Subject, checkup: &mut Checkup) {
    let (location, beside) = (&subject.location, Beside::look(&subject.location));
    if !beside.has_openclaw || location.chosen_by == ChosenBy::Argument {
        return;
    }
    if beside.has_our_block && !beside.has_plugin {
        checkup.found(OPENCLAW_REFUSES.found(location.config.display()));
    } else {
        checkup.found(OPENCLAW_BESIDE.found(location.openclaw_state.display()));
    }
}
