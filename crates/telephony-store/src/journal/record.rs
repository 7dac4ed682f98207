//! The format of an entry in the file: length, checksum, payload. A length of 0 ends the content.

/// Size of the header: the payload's length and CRC-32, four bytes each, little-endian.
pub(super) const HEAD: usize = 8;

/// Longest payload: a webhook's body has at most 64 KiB, and JSON needs at most six bytes for each.
pub(super) const LONGEST: usize = 1 << 20;

/// Appends a record with `payload` to `records`.
pub(super) fn push(records: &mut Vec<u8>, payload: &[u8]) {
    records.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    records.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    records.extend_from_slice(payload);
}

/// Returns the size of the record that begins here, according to its header; none if there is no record.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let payload = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    (1..=LONGEST).contains(&payload).then_some(HEAD + payload)
}

/// Returns the payload of the record that begins here; none if it is incomplete.
pub(super) fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let payload = bytes.get(HEAD..length(bytes)?)?;
    let sum = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    (crc32fast::hash(payload) == sum).then_some(payload)
}

/// Finds the first complete record that begins before `until`. Entries are JSON, in which no byte is below 0x20, so no
/// message looks like a header: only damage could, and then its checksum would have to match.
pub(super) fn find(bytes: &[u8], until: usize) -> Option<usize> {
    (0..until.min(bytes.len())).find(|at| is_entry(&bytes[*at..]))
}

/// Makes cheap comparisons first, so that damage that looks like headers does not take hours.
fn is_entry(bytes: &[u8]) -> bool {
    bytes.get(HEAD) == Some(&b'{')
        && length(bytes).is_some_and(|length| bytes.get(length - 1) == Some(&b'}'))
        && payload(bytes).is_some()
}

/// Returns true if a last record was completely written; false if it was cut off by a crash, because then it was never
/// acknowledged.
pub(super) fn has_end(written: &[u8]) -> bool {
    length(written) == Some(written.len()) || written.ends_with(ENTRY_END)
}

/// Returns true if a last record may be the beginning of an entry.
pub(super) fn begins(written: &[u8]) -> bool {
    written.len() <= HEAD || (length(written).is_some() && written[HEAD] == b'{')
}

/// End of every entry: an event is an object in an object in an object.
const ENTRY_END: &[u8] = b"}}}";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_truncated_or_changed_record_is_rejected(
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
    fn zeros_are_not_a_record() {
        assert_eq!(payload(&[0; 64]), None);
    }
}
