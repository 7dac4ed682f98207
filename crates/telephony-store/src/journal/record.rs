//! How an entry lies in the file: its length, its checksum, itself. A length of 0 ends what is written.

/// What stands before each payload: its length and its CRC-32, each four bytes, the least significant first.
pub(super) const HEAD: usize = 8;

/// No payload is longer: a webhook's body has at most 64 KiB, and what JSON makes of a byte has at most six.
pub(super) const LONGEST: usize = 1 << 20;

/// Writes `payload` behind what is in `records`.
pub(super) fn push(records: &mut Vec<u8>, payload: &[u8]) {
    records.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    records.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    records.extend_from_slice(payload);
}

/// How many bytes the record that begins here takes, as its head says; none where there is no record.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let payload = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    (1..=LONGEST).contains(&payload).then_some(HEAD + payload)
}

/// The payload of the record that begins here; none where it is not whole.
pub(super) fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let payload = bytes.get(HEAD..length(bytes)?)?;
    let sum = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    (crc32fast::hash(payload) == sum).then_some(payload)
}

/// Finds the first whole record that begins before `until`. Entries are JSON, in which no byte is below 0x20, so what
/// people write never looks like a head: only damage could, and then its checksum would have to hold.
pub(super) fn find(bytes: &[u8], until: usize) -> Option<usize> {
    (0..until.min(bytes.len())).find(|at| is_entry(&bytes[*at..]))
}

/// Compares what costs little first, so that damage made to look like heads does not cost hours.
fn is_entry(bytes: &[u8]) -> bool {
    bytes.get(HEAD) == Some(&b'{')
        && length(bytes).is_some_and(|length| bytes.get(length - 1) == Some(&b'}'))
        && payload(bytes).is_some()
}

/// Returns true if a last record was written to its end; false where it was cut off, as it is when the program or the
/// machine ends while it is written: that one was never acknowledged.
pub(super) fn has_end(written: &[u8]) -> bool {
    length(written) == Some(written.len()) || written.ends_with(ENTRY_END)
}

/// Ends every entry: what was reported is an object in an object in an object.
const ENTRY_END: &[u8] = b"}}}";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_cut_or_changed_is_no_record(
            said in prop::collection::vec(any::<u8>(), 1..200),
            cut in any::<prop::sample::Index>(),
            changed in any::<prop::sample::Index>(),
            by in 1u8..,
        ) {
            let mut bytes = Vec::new();
            push(&mut bytes, &said);
            prop_assert_eq!(payload(&bytes), Some(&said[..]));
            prop_assert_eq!(payload(&bytes[..cut.index(bytes.len())]), None);
            let changed = changed.index(bytes.len());
            bytes[changed] ^= by;
            prop_assert_eq!(payload(&bytes), None);
        }
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(payload(&[0; 64]), None);
    }
}
