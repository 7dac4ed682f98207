//! Ids of rows: plain integers, with one type for each kind of thing.

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
    /// A line: one of our numbers or messaging services.
    LineId;
    /// A conversation: a line with a contact.
    ConversationId;
    /// A message from a contact.
    InboundId;
    /// A turn: messages of a contact as given to the agent, and the answer.
    TurnId;
    /// A message to a contact, in one or more parts.
    MessageId;
    /// A part: one request to the provider.
    PartId;
    /// A call.
    CallId;
}
