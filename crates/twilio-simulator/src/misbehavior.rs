//! Fault injection: the active faults and their frequency. Leaves the effects to the modules concerned.

use std::mem::discriminant;

use serde::{Deserialize, Serialize};

use crate::ids::Dice;

/// A fault at Twilio or on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Answers the creation of a message or call with 429 and code 20429, and creates nothing.
    TooManyRequests,
    /// Answers a message creation with 429 and code 63038 (daily message limit), and creates nothing.
    DailyCap,
    /// Answers the creation of a message or call with 500 and code 20500, and creates nothing.
    ServerError,
    /// Creates the message or call, but answers with 500 and code 20500.
    ServerErrorAfterAccepting,
    /// Never answers the creation of a message or call, and creates nothing.
    HangBeforeAccepting,
    /// Creates the message or call, but never answers.
    HangAfterAccepting,
    /// Cuts the connection during the creation of a message or call, and creates nothing.
    CutBeforeAccepting,
    /// Creates the message or call, but cuts the connection instead of answering.
    CutAfterAccepting,
    /// Delays the creation of a message or call.
    DelayAnswer {
        /// Length of the delay.
        milliseconds: u64,
    },
    /// Answers a message creation only after all of the message's callbacks were posted.
    CallbackBeforeAnswer,
    /// Delays a status callback.
    DelayCallback {
        /// Length of the delay.
        milliseconds: u64,
    },
    /// Never posts a status callback.
    LoseCallback,
    /// Posts a status callback twice, with the same idempotency token.
    DuplicateCallback,
    /// Posts a status callback after the one that follows it.
    ReorderCallback,
    /// Answers a GET with 503 and code 20503.
    ReadsUnavailable,
    /// Never answers a GET.
    ReadsHang,
    /// Answers any request with 503 and code 20503, without effect.
    Outage,
    /// Rejects any request with an error code that concerns the whole account, without effect.
    RefuseAccount {
        /// The error code, such as 20003.
        code: u32,
    },
    /// Rejects a message creation with an error code for the whole account; reads still work.
    RefuseSends {
        /// The error code, such as 20006.
        code: u32,
    },
    /// Rejects a GET with an error code for the whole account; messages can still be created.
    RefuseReads {
        /// The error code, such as 20006.
        code: u32,
    },
    /// Ignores the `TimeLimit` in a call update.
    IgnoreTimeLimit,
    /// Answers a media URL with 404, as if the file were not available yet.
    MediaLate,
    /// Redirects a media URL to an expired URL.
    MediaLinkExpired,
}

impl Fault {
    /// Returns true for faults that decide the outcome of a creation; at most one applies to a request.
    pub(crate) fn ends_creation(self) -> bool {
        self.is_before_accepting() || self.is_after_accepting()
    }

    pub(crate) fn is_before_accepting(self) -> bool {
        matches!(
            self,
            Self::TooManyRequests
                | Self::DailyCap
                | Self::ServerError
                | Self::HangBeforeAccepting
                | Self::CutBeforeAccepting
        )
    }

    pub(crate) fn is_after_accepting(self) -> bool {
        matches!(self, Self::ServerErrorAfterAccepting | Self::HangAfterAccepting | Self::CutAfterAccepting)
    }
}

/// The frequency of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultExtent {
    /// The next occasions, this many times.
    Next(u32),
    /// Every occasion, until the faults are removed.
    All,
    /// A percentage of occasions, from the seeded random numbers.
    Percent(u8),
}

/// The active faults, in the order in which they were added.
pub(crate) struct Misbehavior {
    rules: Vec<(Fault, FaultExtent)>,
    dice: Dice,
}

impl Misbehavior {
    pub(crate) fn none(seed: u64) -> Self {
        Self { rules: Vec::new(), dice: Dice::seeded(seed) }
    }

    /// Adds a fault; [`FaultExtent::Next`] of 0 instead removes faults of the same kind.
    pub(crate) fn add(&mut self, fault: Fault, extent: FaultExtent) {
        if extent == FaultExtent::Next(0) {
            self.rules.retain(|(other, _)| discriminant(other) != discriminant(&fault));
        } else {
            self.rules.push((fault, extent));
        }
    }

    pub(crate) fn rules(&self) -> &[(Fault, FaultExtent)] {
        &self.rules
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Returns true if exactly this fault strikes now.
    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        self.first(|candidate| candidate == fault).is_some()
    }

    /// Returns the first matching fault that strikes now; later ones are not used up.
    pub(crate) fn first(&mut self, is_wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let dice = &mut self.dice;
        let mut rules = self.rules.iter_mut();
        let struck = rules.find_map(|(fault, extent)| (is_wanted(*fault) && fires(extent, dice)).then_some(*fault));
        self.rules.retain(|(_, extent)| *extent != FaultExtent::Next(0));
        struck
    }
}

fn fires(extent: &mut FaultExtent, dice: &mut Dice) -> bool {
    match extent {
        FaultExtent::All => true,
        FaultExtent::Percent(percent) => dice.hits(*percent),
        FaultExtent::Next(0) => false,
        FaultExtent::Next(left) => {
            *left -= 1;
            true
        }
    }
}
