//! Reports damage to the journal.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use telephony_domain::notice::Notice;
use telephony_store::journal::Damage;

use crate::notices::NoticeWriter;

/// Reports damage to the operator and to the backfill.
pub struct Damages {
    /// Notices to the operator.
    pub notices: NoticeWriter,
    /// Damage found since the start.
    pub found: Mutex<DamageExtent>,
}

/// The extent of the damage.
#[derive(Debug, Clone, Copy, Default)]
pub struct DamageExtent {
    places: usize,
    bytes: u64,
}

impl Damages {
    /// Logs each place, raises a notice, and wakes the backfill.
    pub async fn report(&self, damages: &[Damage]) {
        for damage in damages {
            let (position, length, why) = (damage.at, damage.length, damage.kind.as_str());
            let copy = damage.copy.as_deref().map(Path::display).map(tracing::field::display);
            tracing::error!(position, length, why, copy, "skipped a damaged part of the journal");
        }
        let found = self.count(damages);
        let copy = damages.iter().find_map(|damage| damage.copy.as_deref()).map(|copy| copy.display().to_string());
        self.notices.raise(Notice::JournalDamaged { places: found.places, bytes: found.bytes, copy }).await;
        self.notices.wake.missed.notify_one();
    }

    fn count(&self, damages: &[Damage]) -> DamageExtent {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.places += damages.len();
        found.bytes += damages.iter().map(|damage| damage.length).sum::<u64>();
        *found
    }
}
