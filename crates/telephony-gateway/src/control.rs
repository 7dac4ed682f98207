//! Local sockets in the state folder: commands ring the gateway and ask for its status, doctor sends probes.

pub mod probe;
pub mod status;
