//! `operator`: the person who runs this.

use telephony_domain::number::PhoneNumber;

use crate::keys::ObjectKeys;
use crate::sections::number;

/// The section `operator`: the person who gets notices and sends commands.
#[derive(Debug, Clone)]
pub struct OperatorConfig {
    /// Number that gets notices by SMS.
    pub number: Option<PhoneNumber>,
}

impl OperatorConfig {
    /// Reads the section; `line` is the number that sends messages.
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>, line: Option<&PhoneNumber>) -> Self {
        let doc = "Your own phone: it gets notices by SMS, and its commands `APPROVE`, `REJECT` and `STATUS` are \
            executed.";
        let number = keys.key("number", doc, number()).optional();
        if number.is_some() && number.as_ref() == line {
            let message = "found the number of fromNumber, which cannot text itself";
            keys.problem("number", message, "set it to your own phone, or remove it");
        }
        Self { number }
    }
}
