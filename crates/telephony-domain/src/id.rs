//! The names of rows: plain numbers, one type for each kind of thing.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// One of our numbers or messaging services.
    LineId;
    /// One line with one contact.
    ConversationId;
    /// A message that a contact sent us.
    InboundId;
    /// What a contact said, as it was given to the agent, and the answer.
    TurnId;
    /// A message that we send, in one part or several.
    MessageId;
    /// One request to the provider.
    PartId;
}
