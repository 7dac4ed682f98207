//! `operator`: who runs this.

use telephony_domain::number::PhoneNumber;

use crate::keys::Keys;
use crate::sections::number;

/// Who runs this.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Where the operator is told by SMS what needs attention.
    pub number: Option<PhoneNumber>,
}

impl Operator {
    /// `line` is the number that messages go out from.
    pub(crate) fn read(keys: &mut Keys<'_, '_>, line: Option<&PhoneNumber>) -> Self {
        let doc = "Your own phone: what needs attention is also sent there, and `APPROVE`, `REJECT` and `STATUS` from there are \
                   obeyed.";
        let number = keys.key("number", doc, number()).optional();
        if number.is_some() && number.as_ref() == line {
            let message = "found the number of fromNumber, which cannot text itself";
            keys.problem("number", message, "set it to your own phone, or leave it out");
        }
        Self { number }
    }
}
