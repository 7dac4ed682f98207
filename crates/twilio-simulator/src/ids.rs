//! Random numbers for SIDs, idempotency tokens and percentages. Not for secrets.

/// A SplitMix64 generator: the same seed yields the same sequence.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Seeds from the system, so that a persistent store never sees a SID twice across runs.
    pub(crate) fn unpredictable() -> Result<Self, getrandom::Error> {
        getrandom::u64().map(Self)
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns true with a probability of `percent` in 100.
    pub(crate) fn hits(&mut self, percent: u8) -> bool {
        self.throw() % 100 < u64::from(percent)
    }

    /// Returns a SID: two letters and 32 hex digits.
    pub(crate) fn sid(&mut self, prefix: &str) -> String {
        format!("{prefix}{:016x}{:016x}", self.throw(), self.throw())
    }

    /// Returns a version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.throw(), self.throw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48) & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }
}
