//! Counts the SMS segments that a carrier bills for a text. Leaves splitting texts to their senders.

/// GSM 03.38's basic characters except ASCII letters and digits.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// GSM 03.38's extension characters: two septets each.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Returns the number of segments: a single one holds 160 septets or 70 UTF-16 units; several hold 153 or 67 each,
/// because each has a header of six octets. Pairs (escape and character, or surrogates) are never split. An empty text
/// has none.
pub(crate) fn count(text: &str) -> u32 {
    let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
    match septets {
        Some(widths) => pack(&widths, 160, 153),
        None => pack(&text.chars().map(char::len_utf16).collect::<Vec<_>>(), 70, 67),
    }
}

fn septets(character: char) -> Option<usize> {
    if character.is_ascii_alphanumeric() || BASIC.contains(character) {
        Some(1)
    } else {
        EXTENDED.contains(character).then_some(2)
    }
}

fn pack(widths: &[usize], alone: usize, joined: usize) -> u32 {
    let total: usize = widths.iter().sum();
    if total <= alone {
        return u32::from(total > 0);
    }
    let (mut segments, mut used) = (1, 0);
    for width in widths {
        if used + width > joined {
            segments += 1;
            used = 0;
        }
        used += width;
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn texts_at_the_edges_are_billed_as_carriers_do() {
        let cases = [
            (String::new(), 0),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            (format!("{}€{}", "a".repeat(152), "a".repeat(153)), 3),
            ("ж".repeat(70), 1),
            ("ж".repeat(71), 2),
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
            (format!("{}😀{}", "ж".repeat(66), "ж".repeat(66)), 3),
            ("ç".repeat(71), 2),
        ];
        for (text, segments) in cases {
            assert_eq!(count(&text), segments, "{text}");
        }
    }
}
