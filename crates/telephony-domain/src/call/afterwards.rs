//! Text messages after a call.

/// The person who gets a summary of each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryRecipient {
    /// The other side of the call.
    Contact,
    /// The operator.
    Operator,
}
