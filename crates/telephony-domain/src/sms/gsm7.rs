//! The GSM 7-bit default alphabet (3GPP TS 23.038, "GSM 03.38") and its extension table; `segment` does the counting.

/// Septets of each ASCII character, 0 if GSM-7 lacks it.
const ASCII: [u8; 128] = ascii();

/// Returns the septets of a character in GSM-7: 1, or 2 with the escape of the extension table, or 0 if GSM-7 lacks it.
pub fn septets(c: char) -> u8 {
    match ASCII.get(c as usize) {
        Some(&septets) => septets,
        None => match c {
            '¡' | '£' | '¤' | '¥' | '§' | '¿' | 'Ä' | 'Å' | 'Æ' | 'Ç' | 'É' | 'Ñ' | 'Ö' | 'Ø' | 'Ü' | 'ß' | 'à'
            | 'ä' | 'å' | 'æ' | 'è' | 'é' | 'ì' | 'ñ' | 'ò' | 'ö' | 'ø' | 'ù' | 'ü' | 'Γ' | 'Δ' | 'Θ' | 'Λ' | 'Ξ'
            | 'Π' | 'Σ' | 'Φ' | 'Ψ' | 'Ω' => 1,
            '€' => 2,
            _ => 0,
        },
    }
}

const fn ascii() -> [u8; 128] {
    let mut table = [0; 128];
    let mut code = 0;
    while code < 128 {
        table[code as usize] = match code {
            0x0c | b'^' | b'{' | b'}' | b'\\' | b'[' | b']' | b'~' | b'|' => 2,
            b'\n' | b'\r' | b' '..=b'_' | b'a'..=b'z' => 1,
            _ => 0,
        };
        code += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::septets;

    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                         ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENSION: &str = "\u{c}^{}\\[~]|€";

    #[test]
    fn every_code_point_costs_what_the_standard_says() {
        assert_eq!(BASIC.chars().count(), 127, "128 codes, one of them the escape");
        for c in '\0'..='\u{ffff}' {
            let expected = if BASIC.contains(c) { 1 } else { 2 * u8::from(EXTENSION.contains(c)) };
            assert_eq!(septets(c), expected, "{c:?}");
        }
    }
}
