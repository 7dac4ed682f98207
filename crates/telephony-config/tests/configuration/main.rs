//! Configurations, from files to settings or problems.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod a_line_is_chosen;
mod an_agent_is_chosen;
mod calls_are_limited;
mod defaults_hold;
mod desk;
mod includes_go_wrong;
mod mistakes_are_explained;
mod nothing_is_configured;
mod secrets_are_references;
mod something_is_missing;
mod the_guide_is_followed;
mod the_reference_is_stale;
