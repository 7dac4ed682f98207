//! Random numbers from the system: codes, names of leases, jitter.

/// Returns `N` random bytes. Panics without the system's random source.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[allow(clippy::expect_used, reason = "a guessable pairing code would be worse than no gateway")]
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
}

/// Returns a random number in 0..1.
pub fn fraction() -> f64 {
    f64::from(u32::from_le_bytes(bytes())) / (f64::from(u32::MAX) + 1.0)
}

/// Returns sixteen random hexadecimal digits.
pub fn name() -> String {
    format!("{:016x}", u64::from_le_bytes(bytes()))
}
