//! What a file really is. A name or a claimed type is never believed: only an image that decodes as one of four
//! raster types is shown in a page; everything else is a download (SECURITY rows 2 and 25).

use image::{ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The most pixels an image may have to be decoded at all.
const PIXELS_MAX: u64 = 40_000_000;
/// Memory one decoding may take, in bytes.
const DECODE_BYTES: u64 = 256 * 1024 * 1024;

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The type to serve it as.
    pub mime: String,
    /// Width and height; only for images that were decoded, and so may be shown in a page.
    pub pixels: Option<(i32, i32)>,
}

/// Decodes images to verify them; everything else keeps a harmless form of its claimed type. CPU-bound: call it off
/// the async threads for large files.
#[must_use]
pub fn verify(bytes: &[u8], claimed: &str) -> Verified {
    match image::guess_format(bytes).ok().and_then(|format| decode(bytes, format)) {
        Some(verified) => verified,
        None => Verified { mime: harmless(claimed), pixels: None },
    }
}

fn decode(bytes: &[u8], format: ImageFormat) -> Option<Verified> {
    let mime = match format {
        ImageFormat::Png => "image/png",
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::Gif => "image/gif",
        ImageFormat::WebP => "image/webp",
        _ => return None,
    };
    let (width, height) = ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().ok()?;
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > PIXELS_MAX {
        return None;
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES);
    reader.limits(limits);
    reader.decode().ok()?;
    let pixels = (i32::try_from(width).ok()?, i32::try_from(height).ok()?);
    Some(Verified { mime: mime.to_owned(), pixels: Some(pixels) })
}

/// A claimed type that cannot make a browser run anything; images that did not decode are no images.
fn harmless(claimed: &str) -> String {
    let claimed = claimed.trim().to_ascii_lowercase();
    let claimed = claimed.split(';').next().unwrap_or_default().trim();
    let plain = claimed.len() <= 127
        && claimed.split('/').count() == 2
        && claimed.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+-._".contains(&b));
    let active = ["html", "xml", "svg", "script", "image/", "multipart/", "message/", "x-shockwave"];
    if plain && !active.iter().any(|part| claimed.contains(part)) {
        return claimed.to_owned();
    }
    "application/octet-stream".to_owned()
}

/// A file name without path and control characters, at most 200 characters, never empty.
#[must_use]
pub fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |c: &char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '"');
    let name: String = last.chars().filter(|c| !hidden(c)).take(domain::limits::NAME_CHARS).collect();
    let name = name.trim().trim_matches('.').to_owned();
    if name.is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::DynamicImage::new_rgb8(width, height).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    #[test]
    fn only_images_that_decode_are_images() {
        assert_eq!(verify(&png(3, 2), "text/html"), Verified { mime: "image/png".to_owned(), pixels: Some((3, 2)) });
        let cut = png(30, 20);
        assert_eq!(verify(&cut[..cut.len() / 2], "image/png").pixels, None);
    }

    #[test]
    fn claimed_types_become_harmless() {
        let table = [
            ("application/pdf", "application/pdf"),
            ("TEXT/PLAIN; charset=gbk", "text/plain"),
            ("text/html", "application/octet-stream"),
            ("image/svg+xml", "application/octet-stream"),
            ("application/xhtml+xml", "application/octet-stream"),
            ("text/javascript", "application/octet-stream"),
            ("image/png", "application/octet-stream"),
            ("nonsense", "application/octet-stream"),
            ("a/b\r\nX-Evil: 1", "application/octet-stream"),
        ];
        for (claimed, expected) in table {
            assert_eq!(verify(b"<svg onload=alert(1)>", claimed).mime, expected, "{claimed}");
        }
    }

    #[test]
    fn pixel_floods_are_not_decoded() {
        // A PNG header that promises 60,000 x 60,000 pixels.
        let mut flood = png(1, 1);
        flood[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        flood[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        assert_eq!(verify(&flood, "image/png").pixels, None);
    }

    #[test]
    fn names_are_only_names() {
        for (given, expect) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\报告.pdf", "报告.pdf"),
            ("a\r\nb\u{202e}fdp.exe", "abfdp.exe"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(file_name(given), expect);
        }
        assert_eq!(file_name(&"x".repeat(500)).chars().count(), 200);
    }
}
