//! Translates the output of Tailscale's program.

use crate::tunnel::{Cause, TunnelError};

/// Phrases of the program in lower case, with their cause. It has no codes, and an unknown sentence is passed on
/// unchanged.
const WORDS: &[(&str, Cause)] = &[
    ("failed to connect to local tailscale", Cause::NotRunning),
    ("doesn't appear to be running", Cause::NotRunning),
    ("access denied", Cause::NotAllowed),
    ("permission denied", Cause::NotAllowed),
    ("not logged in", Cause::NotLoggedIn),
    ("logged out", Cause::NotLoggedIn),
    ("is not enabled on your tailnet", Cause::NotEnabled),
    ("funnel not available", Cause::NotEnabled),
    ("login.tailscale.com/f/", Cause::NotEnabled),
    ("error enabling https feature", Cause::NotEnabled),
    ("flag provided but not defined", Cause::TooOld),
];

pub(super) fn of(said: &str) -> TunnelError {
    let lower = said.to_lowercase();
    let known = WORDS.iter().find(|(words, _)| lower.contains(words));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let detail = if said.is_empty() { "the program printed nothing".to_owned() } else { said };
    TunnelError::new(known.map_or(Cause::Other, |(_, cause)| *cause), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_that_enables_it_is_passed_on() {
        let said = "Funnel is not enabled on your tailnet.\nTo enable, visit:\n\n  https://login.tailscale.com/f/funnel?node=n1\n";
        let error = of(said);
        assert_eq!(error.cause, Cause::NotEnabled);
        assert!(
            error.to_string().ends_with("To enable, visit: https://login.tailscale.com/f/funnel?node=n1"),
            "{error}"
        );
    }
}
