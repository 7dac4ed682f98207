//! What is measured, a file for each part.

pub mod accepts;
pub mod build;
pub mod growth;
pub mod size;
pub mod start;
