//! Shrinks a picture that is too large for a message: as a JPEG of lower quality, then with fewer pixels.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};

/// Media type of a shrunk picture.
pub const REDUCED_TYPE: &str = "image/jpeg";

/// Largest file that is read to shrink it (bytes); phone cameras stay below.
pub const MAX_FILE_BYTES: u64 = 12_000_000;

/// Largest unpacked picture (bytes): 50 million pixels of three colors.
const MAX_UNPACKED_BYTES: u64 = 150_000_000;

/// Longer side of a shrunk picture at most (pixels); no phone shows more.
const LONGEST: u32 = 4096;

/// Longer side of a shrunk picture at least (pixels); anything smaller is useless.
const SHORTEST: u32 = 64;

/// Qualities to try before reducing pixels; below the last, JPEG artifacts show.
const QUALITIES: [u8; 3] = [85, 70, 55];

/// A picture that unpacks to more than the limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a picture of {width} by {height} pixels is too large to shrink: it may unpack to at most {MAX_UNPACKED_BYTES} \
    bytes, and needs {needed}"
)]
pub struct Bomb {
    width: u32,
    height: u32,
    needed: u64,
}

/// Returns true if files of this type can be shrunk. A GIF cannot, because it may be animated.
pub fn is_reducible(content_type: &str) -> bool {
    matches!(content_type, "image/jpeg" | "image/png")
}

/// Returns the picture as a JPEG of at most `max_bytes` bytes; none if it fits unchanged or cannot be shrunk enough.
/// May take seconds.
pub fn fit(content_type: &str, bytes: &[u8], max_bytes: u64) -> Result<Option<Vec<u8>>, Bomb> {
    if bytes.len() as u64 <= max_bytes || !is_reducible(content_type) {
        return Ok(None);
    }
    let Some(picture) = unpack(bytes)? else { return Ok(None) };
    let longer = picture.width().max(picture.height());
    let mut side = longer.min(LONGEST);
    while side >= SHORTEST {
        let smaller = if side < longer { picture.resize(side, side, FilterType::Triangle) } else { picture.clone() };
        let mut packed = QUALITIES.iter().filter_map(|quality| pack(&smaller, *quality));
        if let Some(packed) = packed.find(|packed| packed.len() as u64 <= max_bytes) {
            return Ok(Some(packed));
        }
        side = side * 3 / 4;
    }
    Ok(None)
}

/// Decodes the picture, upright and on white; none if it is unreadable.
fn unpack(bytes: &[u8]) -> Result<Option<DynamicImage>, Bomb> {
    let Ok(mut reader) = ImageReader::new(Cursor::new(bytes)).with_guessed_format() else { return Ok(None) };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_UNPACKED_BYTES);
    reader.limits(limits);
    let Ok(mut decoder) = reader.into_decoder() else { return Ok(None) };
    let ((width, height), needed) = (decoder.dimensions(), decoder.total_bytes());
    if needed > MAX_UNPACKED_BYTES {
        return Err(Bomb { width, height, needed });
    }
    let orientation = decoder.orientation();
    let Ok(mut picture) = DynamicImage::from_decoder(decoder) else { return Ok(None) };
    if let Ok(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Ok(Some(on_white(picture).into()))
}

/// Puts it on white, because JPEG has no transparency.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(u16::from);
        Rgb([red, green, blue].map(|color| ((color * alpha + 255 * (255 - alpha)) / 255) as u8))
    })
}

fn pack(picture: &DynamicImage, quality: u8) -> Option<Vec<u8>> {
    let mut packed = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut packed, quality)).ok()?;
    Some(packed)
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn noise(width: u32, height: u32) -> DynamicImage {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        RgbImage::from_fn(width, height, |_, _| Rgb([next(), next(), next()])).into()
    }

    #[test]
    fn large_pictures_lose_quality_first_and_then_pixels() {
        let bytes = png(&noise(200, 150));
        let mut sides = Vec::new();
        for max_bytes in [60_000, 8_000, 3_000] {
            let reduced = fit("image/png", &bytes, max_bytes).unwrap().unwrap();
            assert!(reduced.len() as u64 <= max_bytes);
            sides.push(image::load_from_memory_with_format(&reduced, ImageFormat::Jpeg).unwrap().width());
        }
        assert_eq!(sides[0], 200);
        assert!(sides[1] < 200 && sides[2] < sides[1], "{sides:?}");
    }

    #[test]
    fn small_pictures_animations_and_other_files_stay_unchanged() {
        let bytes = png(&noise(20, 20));
        assert_eq!(fit("image/png", &bytes, bytes.len() as u64), Ok(None));
        assert_eq!(fit("image/gif", &bytes, 1), Ok(None));
        assert_eq!(fit("image/jpeg", b"\xff\xd8\xff and no more", 1), Ok(None));
        assert_eq!(fit("image/png", &bytes, 1), Ok(None));
    }

    #[test]
    fn transparency_becomes_white() {
        let clear = RgbaImage::from_pixel(100, 100, Rgba([0, 0, 0, 0]));
        assert_eq!(on_white(clear.into()).get_pixel(5, 5), &Rgb([255; 3]));
        let half = RgbaImage::from_pixel(1, 1, Rgba([255, 0, 0, 51]));
        assert_eq!(on_white(half.into()).get_pixel(0, 0), &Rgb([255, 204, 204]));
    }

    #[test]
    fn a_picture_that_lies_on_its_side_is_put_upright() {
        let mut bytes = pack(&noise(80, 40), 90).unwrap();
        let turned = b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        bytes.splice(2..2, turned.iter().copied());
        let upright = unpack(&bytes).unwrap().unwrap();
        assert_eq!((upright.width(), upright.height()), (40, 80));
    }

    #[test]
    fn a_decompression_bomb_is_rejected_by_its_header() {
        let mut bytes = png(&noise(1, 1));
        bytes[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
        bytes[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
        let checksum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        let error = fit("image/png", &bytes, 1).unwrap_err().to_string();
        assert!(error.contains("50000 by 50000") && error.contains("150000000"), "{error}");
    }

    /// Computes the checksum of a PNG chunk.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        })
    }
}
