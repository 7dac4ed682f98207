//! The benchmarks, one file each.

pub mod accepts;
pub mod build;
pub mod calls;
pub mod growth;
pub mod size;
pub mod start;
