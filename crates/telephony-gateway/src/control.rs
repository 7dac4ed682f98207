//! Local sockets in the state folder: commands wake the gateway and read its status, doctor sends probes.

pub mod probe;
pub mod status;
