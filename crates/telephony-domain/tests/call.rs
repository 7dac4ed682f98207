//! Calls from the first ring to the end, as seen from the other side, and with events in any order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "call/any_order.rs"]
mod any_order;
#[path = "call/end.rs"]
mod end;
#[path = "call/inbound.rs"]
mod inbound;
#[path = "call/machine.rs"]
mod machine;
#[path = "call/outbound.rs"]
mod outbound;
#[path = "call/stage.rs"]
mod stage;
#[path = "call/turns.rs"]
mod turns;
