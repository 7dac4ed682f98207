//! The type of an attachment, recognized by its first bytes, whatever its sender claims.

/// Type of an attachment that is not recognized.
pub const UNKNOWN: &str = "application/octet-stream";

/// Type of a contact card, regardless of its declared name.
pub const CONTACT_CARD: &str = "text/vcard";

/// Names under which contact cards arrive.
const CARD_NAMES: [&str; 4] = ["text/vcard", "text/x-vcard", "text/directory", "application/vcard"];

/// Other names of known types.
const SYNONYMS: [(&str, &str); 6] = [
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/x-wav", "audio/wav"),
    ("audio/vnd.wave", "audio/wav"),
    ("audio/x-m4a", "audio/mp4"),
];

/// File extensions by type.
const ENDINGS: [(&str, &str); 22] = [
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/heic", "heic"),
    ("image/bmp", "bmp"),
    ("image/tiff", "tiff"),
    ("audio/amr", "amr"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a"),
    ("audio/ogg", "ogg"),
    ("audio/wav", "wav"),
    ("audio/3gpp", "3gp"),
    ("video/mp4", "mp4"),
    ("video/3gpp", "3gp"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
    ("application/pdf", "pdf"),
    (CONTACT_CARD, "vcf"),
    ("text/calendar", "ics"),
    ("text/csv", "csv"),
    ("text/plain", "txt"),
];

/// The bytes do not match the declared type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not {0}, although declared so")]
pub struct Mismatch(pub String);

/// Returns the type of `bytes` that arrived as `declared`: the recognized type, else the declared one if it is
/// plausible.
pub fn judge(declared: &str, bytes: &[u8]) -> Result<String, Mismatch> {
    let declared = normal(declared);
    if let Some(found) = sniff(bytes) {
        return Ok(as_sound(found, &declared).to_owned());
    }
    let (kind, _) = declared.split_once('/').unwrap_or_default();
    match kind {
        "text" if is_text(bytes) => Ok(declared),
        "image" | "audio" | "video" | "text" => Err(Mismatch(declared)),
        _ if declared == "application/pdf" => Err(Mismatch(declared)),
        _ => Ok(UNKNOWN.to_owned()),
    }
}

/// Normalizes a type: lower case, no parameters, one name for each type.
pub fn normal(content_type: &str) -> String {
    let name = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if CARD_NAMES.contains(&name.as_str()) {
        return CONTACT_CARD.to_owned();
    }
    match SYNONYMS.iter().find(|(other, _)| *other == name) {
        Some((_, usual)) => (*usual).to_owned(),
        None if name.is_empty() => UNKNOWN.to_owned(),
        None => name,
    }
}

/// Returns the file extension of a type; `bin` if unknown.
pub fn ending(content_type: &str) -> &'static str {
    ENDINGS.iter().find(|(name, _)| *name == content_type).map_or("bin", |(_, ending)| ending)
}

/// Returns the type of a file extension; none if unknown.
pub fn of_ending(ending: &str) -> Option<&'static str> {
    let ending = match ending.to_ascii_lowercase().as_str() {
        "jpeg" => "jpg".to_owned(),
        "tif" => "tiff".to_owned(),
        other => other.to_owned(),
    };
    ENDINGS.iter().find(|(_, known)| *known == ending).map(|(name, _)| *name)
}

/// Recognizes the type by the first bytes; none if they are not distinctive.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let follows = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    Some(match () {
        () if starts(b"\xff\xd8\xff") => "image/jpeg",
        () if starts(b"\x89PNG\r\n\x1a\n") => "image/png",
        () if starts(b"GIF87a") || starts(b"GIF89a") => "image/gif",
        () if starts(b"RIFF") && follows(8, b"WEBP") => "image/webp",
        () if starts(b"RIFF") && follows(8, b"WAVE") => "audio/wav",
        () if starts(b"II*\0") || starts(b"MM\0*") => "image/tiff",
        () if starts(b"BM") && follows(6, &[0; 4]) => "image/bmp",
        () if follows(4, b"ftyp") => of_brand(bytes.get(8..12)?),
        () if starts(b"#!AMR") => "audio/amr",
        () if starts(b"OggS") => "audio/ogg",
        () if starts(b"ID3") => "audio/mpeg",
        () if starts(&[0xff]) && matches!(bytes.get(1), Some(0xfb | 0xf3 | 0xf2)) => "audio/mpeg",
        () if starts(b"\x1aE\xdf\xa3") => "video/webm",
        () if starts(b"%PDF-") => "application/pdf",
        () if begins_card(bytes) => CONTACT_CARD,
        () => return None,
    })
}

/// Returns the type of an ISO base media file (`ftyp`) from its major brand.
fn of_brand(brand: &[u8]) -> &'static str {
    match brand {
        b"heic" | b"heix" | b"mif1" | b"msf1" | b"hevc" => "image/heic",
        b"avif" => "image/avif",
        b"M4A " | b"M4B " => "audio/mp4",
        b"qt  " => "video/quicktime",
        [b'3', b'g', ..] => "video/3gpp",
        _ => "video/mp4",
    }
}

fn begins_card(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    bytes.get(..11).is_some_and(|line| line.eq_ignore_ascii_case(b"BEGIN:VCARD"))
}

/// Keeps the declared sound type of a container format that can hold pictures or only sound.
fn as_sound<'t>(found: &'t str, declared: &str) -> &'t str {
    match (found, declared.starts_with("audio/")) {
        ("video/3gpp", true) => "audio/3gpp",
        ("video/mp4", true) => "audio/mp4",
        ("video/webm", true) => "audio/webm",
        _ => found,
    }
}

/// Returns true for UTF-8 without control characters. A web page does not count, because servers send one in place of a
/// file.
fn is_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let is_page = text.trim_start().starts_with(['<']);
    !is_page && !text.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_comes_from_the_bytes() {
        let jpeg = b"\xff\xd8\xff\xe0rest";
        assert_eq!(judge("image/png", jpeg).as_deref(), Ok("image/jpeg"));
        assert_eq!(judge("", jpeg).as_deref(), Ok("image/jpeg"));
        assert_eq!(judge("audio/3gpp", b"\0\0\0\x18ftyp3gp4").as_deref(), Ok("audio/3gpp"));
        assert_eq!(judge("video/3gpp", b"\0\0\0\x18ftyp3gp4").as_deref(), Ok("video/3gpp"));
        assert_eq!(judge("image/jpeg", b"\0\0\0\x18ftypheic").as_deref(), Ok("image/heic"));
    }

    #[test]
    fn a_web_page_is_not_taken_for_a_picture() {
        let page = b"<!DOCTYPE html><title>Sign in</title>";
        for declared in ["image/jpeg", "audio/amr", "video/mp4", "text/vcard", "application/pdf"] {
            assert!(judge(declared, page).is_err(), "{declared}");
        }
        assert_eq!(judge("application/x-thing", page).as_deref(), Ok(UNKNOWN));
        assert!(judge("image/png", b"").is_err());
    }

    #[test]
    fn a_contact_card_has_one_name_whatever_phones_call_it() {
        let card = b"\xef\xbb\xbfbegin:vcard\r\nFN:Ann\r\nEND:VCARD";
        for declared in ["text/x-vCard; charset=utf-8", "text/directory", "", "application/vcard"] {
            assert_eq!(judge(declared, card).as_deref(), Ok(CONTACT_CARD), "{declared}");
        }
        assert_eq!(judge("text/plain", b"hello\n").as_deref(), Ok("text/plain"));
        assert!(judge("text/plain", b"\0\x01").is_err());
    }

    #[test]
    fn file_extensions_round_trip() {
        for (name, ending) in ENDINGS {
            assert_eq!(super::ending(name), ending);
            let known = of_ending(ending).unwrap();
            assert!(known == name || ending == "3gp", "{ending} is {known}");
        }
        assert_eq!((of_ending("JPEG"), of_ending("exe"), ending("image/avif")), (Some("image/jpeg"), None, "bin"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_cause_a_panic(declared in ".{0,30}", bytes: Vec<u8>) {
            let _ = judge(&declared, &bytes);
        }
    }
}
