//! Proof that a caller is the owner of the number that the call shows, because a caller can fake it.

use std::fmt;
use std::time::Duration;

use subtle::ConstantTimeEq;

/// Maximum number of wrong PINs on all calls within [`WRONG_PINS_FOR`].
pub const MAX_WRONG_PINS: u32 = 10;

/// Time for which wrong PINs are counted, and for which too many of them lock unproven callers out.
pub const WRONG_PINS_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The operator's rules for the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProofRules {
    /// True if the network has to vouch for the number.
    pub requires_attestation: bool,
    /// True if there is a PIN. Then the PIN can replace the attestation.
    pub has_pin: bool,
}

/// The proof that an admitted caller has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// None: the caller's number needs no proof, or the network vouches for it.
    Nothing,
    /// The PIN that the operator has set.
    Pin,
    /// A proof that the caller cannot give, so the call is rejected.
    Impossible,
}

impl ProofRules {
    /// Decides about an admitted caller. `is_attested` is true if the network vouches for the number, `is_locked_out`
    /// if there were too many wrong PINs.
    pub fn demand(self, is_attested: bool, is_locked_out: bool) -> Demand {
        match self.has_pin {
            _ if self.requires_attestation && is_attested => Demand::Nothing,
            true if is_attested || !is_locked_out => Demand::Pin,
            false if !self.requires_attestation => Demand::Nothing,
            _ => Demand::Impossible,
        }
    }

    /// Returns true if a stranger gets a pairing code: the PIN is only for those who are paired.
    pub fn gives_code(self, is_attested: bool) -> bool {
        is_attested || !self.requires_attestation
    }
}

/// A PIN of 4 to 12 digits. `Debug` hides them.
#[derive(Clone)]
pub struct Pin(String);

impl Pin {
    /// Parses a PIN; none if it is not one.
    pub fn read(text: &str) -> Option<Pin> {
        ((4..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| Pin(text.to_owned()))
    }

    /// Returns true if these keys are the PIN, in a time that depends on their number only.
    pub fn is(&self, keys: &str) -> bool {
        self.0.as_bytes().ct_eq(keys.as_bytes()).into()
    }
}

impl PartialEq for Pin {
    fn eq(&self, other: &Pin) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Pin {}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pin").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_replaces_an_attestation_and_too_many_wrong_ones_end_that() {
        use Demand::{Impossible, Nothing, Pin};
        for (requires_attestation, has_pin, attested, unproven, locked_out) in [
            (false, false, Nothing, Nothing, Nothing),
            (true, false, Nothing, Impossible, Impossible),
            (false, true, Pin, Pin, Impossible),
            (true, true, Nothing, Pin, Impossible),
        ] {
            let rules = ProofRules { requires_attestation, has_pin };
            for is_locked_out in [false, true] {
                assert_eq!(rules.demand(true, is_locked_out), attested, "{rules:?}");
            }
            assert_eq!((rules.demand(false, false), rules.demand(false, true)), (unproven, locked_out), "{rules:?}");
        }
    }

    #[test]
    fn a_pin_has_4_to_12_digits_and_is_not_shown() {
        for other in ["", "123", "1234567890123", "12a4", "12 34", "١٢٣٤"] {
            assert_eq!(Pin::read(other), None, "{other}");
        }
        let pin = Pin::read("0042").unwrap();
        assert!(pin.is("0042") && !pin.is("0043") && !pin.is("1042") && !pin.is("42") && !pin.is("00420"));
        assert!(!format!("{pin:?}").contains("42"));
    }
}
