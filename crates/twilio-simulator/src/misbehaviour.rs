//! Misbehaviour on request: which fault strikes how often. Leaves acting it out to those who meet it.

use std::mem::discriminant;

use serde::{Deserialize, Serialize};

use crate::ids::Dice;

/// A thing that goes wrong at Twilio or on the way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A creation of a message or call is answered 429 with code 20429 and nothing is created.
    TooManyRequests,
    /// A message creation is answered 429 with code 63038 and nothing is created: the day's messages are used up.
    DailyCap,
    /// A creation of a message or call is answered 500 with code 20500 and nothing is created.
    ServerError,
    /// A creation of a message or call is answered 500 with code 20500 although it was created.
    ServerErrorAfterAccepting,
    /// A creation of a message or call is never answered and nothing is created.
    HangBeforeAccepting,
    /// A creation of a message or call is never answered although it was created.
    HangAfterAccepting,
    /// A creation of a message or call ends with a cut connection and nothing is created.
    CutBeforeAccepting,
    /// A creation of a message or call ends with a cut connection although it was created.
    CutAfterAccepting,
    /// A creation of a message or call waits before anything else happens to it.
    DelayAnswer {
        /// How long.
        milliseconds: u64,
    },
    /// A message creation is answered only after all of the message's callbacks were posted.
    CallbackBeforeAnswer,
    /// A status callback waits.
    DelayCallback {
        /// How long.
        milliseconds: u64,
    },
    /// A status callback is never posted.
    LoseCallback,
    /// A status callback is posted twice, with the same idempotency token.
    DuplicateCallback,
    /// A status callback is posted after the one that follows it.
    ReorderCallback,
    /// A GET is answered 503 with code 20503.
    ReadsUnavailable,
    /// A GET is never answered.
    ReadsHang,
    /// A request of any kind is answered 503 with code 20503, and nothing comes of it.
    Outage,
    /// A request of any kind is refused with one of the codes for the whole account, and nothing comes of it.
    RefuseAccount {
        /// Such as 20003.
        code: u32,
    },
    /// A message creation is refused with one of the codes for the whole account, while reads are answered.
    RefuseSends {
        /// Such as 20006.
        code: u32,
    },
    /// A GET is refused with one of the codes for the whole account, while messages are created.
    RefuseReads {
        /// Such as 20006.
        code: u32,
    },
    /// A call is not limited by a `TimeLimit` that an update brings.
    IgnoreTimeLimit,
    /// A media URL is answered 404, as while a file is not there yet.
    MediaLate,
    /// A media URL redirects to an address that has expired.
    MediaLinkExpired,
}

impl Fault {
    /// Faults that decide how a message creation ends; at most one strikes a request.
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

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// The next so many times, then no more.
    Next(u32),
    /// Every time.
    All,
    /// In so many of a hundred times, by the seeded dice.
    Percent(u8),
}

/// The faults in force, in the order they were asked for.
pub(crate) struct Misbehaviour {
    rules: Vec<(Fault, Extent)>,
    dice: Dice,
}

impl Misbehaviour {
    pub(crate) fn none(seed: u64) -> Self {
        Self { rules: Vec::new(), dice: Dice::seeded(seed) }
    }

    /// Adds a fault; [`Extent::Next`] of 0 ends what was asked for of the same kind instead.
    pub(crate) fn add(&mut self, fault: Fault, extent: Extent) {
        if extent == Extent::Next(0) {
            self.rules.retain(|(other, _)| discriminant(other) != discriminant(&fault));
        } else {
            self.rules.push((fault, extent));
        }
    }

    pub(crate) fn rules(&self) -> &[(Fault, Extent)] {
        &self.rules
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Whether exactly this fault strikes now.
    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        self.first(|candidate| candidate == fault).is_some()
    }

    /// The first wanted fault that strikes now; those behind it are not used up.
    pub(crate) fn first(&mut self, is_wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let dice = &mut self.dice;
        let mut rules = self.rules.iter_mut();
        let struck = rules.find_map(|(fault, extent)| (is_wanted(*fault) && fires(extent, dice)).then_some(*fault));
        self.rules.retain(|(_, extent)| *extent != Extent::Next(0));
        struck
    }
}

fn fires(extent: &mut Extent, dice: &mut Dice) -> bool {
    match extent {
        Extent::All => true,
        Extent::Percent(percent) => dice.hits(*percent),
        Extent::Next(0) => false,
        Extent::Next(left) => {
            *left -= 1;
            true
        }
    }
}
