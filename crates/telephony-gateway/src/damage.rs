//! Reports damage to the journal.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use telephony_store::journal::Damage;
use telephony_store::notices::Notice;

use crate::notices::Notices;

/// Reports damage to the operator and to the backfill.
pub struct Damages {
    /// Notices to the operator.
    pub notices: Notices,
    /// Damage found since the start.
    pub found: Mutex<Found>,
}

/// The extent of the damage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
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
        self.notices.raise(Notice::event("journal-damaged", text(found, damages))).await;
        self.notices.wake.missed.notify_one();
    }

    fn count(&self, damages: &[Damage]) -> Found {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.places += damages.len();
        found.bytes += damages.iter().map(|damage| damage.length).sum::<u64>();
        *found
    }
}

fn text(found: Found, damages: &[Damage]) -> String {
    let Found { places, bytes } = found;
    let places = if places == 1 { "1 place".to_owned() } else { format!("{places} places") };
    let copy = damages.iter().find_map(|damage| damage.copy.as_deref());
    let copy = copy.map(|copy| format!("; a copy is in {}", copy.display())).unwrap_or_default();
    format!(
        "The journal of incoming messages is damaged in {places} ({bytes} bytes). The gateway is recovering lost \
        messages from Twilio; check the disk{copy}"
    )
}

#[cfg(test)]
mod tests {
    use telephony_store::journal::DamageKind;

    use super::*;

    #[test]
    fn the_notice_counts_damaged_places_and_names_the_copy() {
        let damage = Damage { at: 0, length: 7, kind: DamageKind::Changed, since: None, copy: Some("/s/c".into()) };
        let text = text(Found { places: 2, bytes: 14 }, &[damage]);
        assert!(text.contains("2 places (14 bytes)") && text.ends_with("a copy is in /s/c"), "{text}");
    }
}
