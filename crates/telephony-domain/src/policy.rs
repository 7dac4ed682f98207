//! Admission: applies the operator's policy to what we know about a contact.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::number::PhoneNumber;

/// The operator's choice for incoming messages and calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InboundPolicy {
    /// The assistant answers no one.
    Disabled,
    /// The numbers in `allowFrom`.
    Allowlist,
    /// The numbers in `allowFrom` and approved contacts; a stranger gets a code.
    #[default]
    Pairing,
    /// The assistant answers everyone who is not blocked.
    Open,
}

impl InboundPolicy {
    /// Returns the word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            InboundPolicy::Disabled => "disabled",
            InboundPolicy::Allowlist => "allowlist",
            InboundPolicy::Pairing => "pairing",
            InboundPolicy::Open => "open",
        }
    }
}

/// The policy with its list of numbers.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// `inboundPolicy` of the configuration.
    pub inbound: InboundPolicy,
    /// Numbers that are always allowed.
    pub allow: HashSet<PhoneNumber>,
    /// True if the list contains `"*"`.
    pub allows_everyone: bool,
}

/// The store's knowledge of a contact on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// True if the operator approved the number.
    pub is_approved: bool,
    /// True if the operator blocked the number.
    pub is_blocked: bool,
    /// True if the contact opted out of this line.
    pub is_opted_out: bool,
}

/// The policy's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The agent answers the contact.
    Admitted,
    /// Unknown, but may ask to be paired.
    Stranger,
    /// The contact gets no answer, for this reason.
    Refused(Refusal),
}

/// The reason why a contact gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The policy admits no one.
    Disabled,
    /// The number is not on the list.
    NotAllowed,
    /// The operator blocked the number.
    Blocked,
    /// The contact opted out of this line.
    OptedOut,
    /// The sender is a short code, a name or hidden, and cannot be answered.
    NotANumber,
    /// The message came over a channel other than SMS, MMS and RCS.
    UnsupportedChannel,
}

impl Refusal {
    /// Returns the word used in the store, in logs and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Disabled => "disabled",
            Refusal::NotAllowed => "not-allowed",
            Refusal::Blocked => "blocked",
            Refusal::OptedOut => "opted-out",
            Refusal::NotANumber => "not-a-number",
            Refusal::UnsupportedChannel => "unsupported-channel",
        }
    }
}

impl Policy {
    /// Decides about `contact` (none if the sender is not a phone number) with this `standing`.
    pub fn admit(&self, contact: Option<&PhoneNumber>, standing: Standing) -> Admission {
        let Some(contact) = contact else { return Admission::Refused(Refusal::NotANumber) };
        if standing.is_blocked {
            return Admission::Refused(Refusal::Blocked);
        }
        if standing.is_opted_out {
            return Admission::Refused(Refusal::OptedOut);
        }
        let is_listed = self.allows_everyone || self.allow.contains(contact);
        match self.inbound {
            InboundPolicy::Disabled => Admission::Refused(Refusal::Disabled),
            InboundPolicy::Open => Admission::Admitted,
            _ if is_listed => Admission::Admitted,
            InboundPolicy::Allowlist => Admission::Refused(Refusal::NotAllowed),
            InboundPolicy::Pairing if standing.is_approved => Admission::Admitted,
            InboundPolicy::Pairing => Admission::Stranger,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "+15550001111";

    fn admit(inbound: InboundPolicy, from: &str, standing: Standing) -> Admission {
        let allow = [KNOWN.parse().unwrap()].into();
        Policy { inbound, allow, allows_everyone: false }.admit(from.parse().ok().as_ref(), standing)
    }

    #[test]
    fn each_policy_admits_its_contacts() {
        let stranger = "+15550002222";
        let nothing = Standing::default();
        let approved = Standing { is_approved: true, ..nothing };
        assert_eq!(admit(InboundPolicy::Disabled, KNOWN, approved), Admission::Refused(Refusal::Disabled));
        assert_eq!(admit(InboundPolicy::Allowlist, KNOWN, nothing), Admission::Admitted);
        assert_eq!(admit(InboundPolicy::Allowlist, stranger, approved), Admission::Refused(Refusal::NotAllowed));
        assert_eq!(admit(InboundPolicy::Pairing, KNOWN, nothing), Admission::Admitted);
        assert_eq!(admit(InboundPolicy::Pairing, stranger, approved), Admission::Admitted);
        assert_eq!(admit(InboundPolicy::Pairing, stranger, nothing), Admission::Stranger);
        assert_eq!(admit(InboundPolicy::Open, stranger, nothing), Admission::Admitted);
    }

    #[test]
    fn a_block_and_an_opt_out_win_over_every_list() {
        for inbound in [InboundPolicy::Allowlist, InboundPolicy::Pairing, InboundPolicy::Open] {
            let blocked = Standing { is_blocked: true, ..Standing::default() };
            assert_eq!(admit(inbound, KNOWN, blocked), Admission::Refused(Refusal::Blocked));
            let opted_out = Standing { is_opted_out: true, ..Standing::default() };
            assert_eq!(admit(inbound, KNOWN, opted_out), Admission::Refused(Refusal::OptedOut));
        }
    }

    #[test]
    fn a_hidden_sender_matches_no_list_not_even_everyone() {
        let policy = Policy { inbound: InboundPolicy::Open, allows_everyone: true, ..Policy::default() };
        assert_eq!(policy.admit(None, Standing::default()), Admission::Refused(Refusal::NotANumber));
    }
}
