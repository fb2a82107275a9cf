//! What an uploaded file really is. A browser is only ever told "image" for what was decoded here, within a pixel
//! cap that is checked before decoding (SECURITY rows 2 and 25).

use image::{ImageFormat, ImageReader};
use std::io::Cursor;

/// Pixels of an image that is decoded; more is kept as a file and not shown in place.
const PIXELS_MAX: u64 = 40_000_000;
/// Memory one decoding may take, in bytes.
const DECODE_BYTES: u64 = 256 * 1024 * 1024;
const MIME_CHARS: usize = 100;

/// What is known of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inspected {
    pub(crate) mime: String,
    /// Width and height, of an image that was decoded.
    pub(crate) pixels: Option<(i32, i32)>,
}

/// Looks at the bytes first, at what the sender says only then. Takes time for large images: not for async threads.
pub(crate) fn inspect(bytes: &[u8], declared: &str) -> Inspected {
    if let Some((mime, pixels)) = decoded(bytes) {
        return Inspected { mime: mime.to_owned(), pixels: Some(pixels) };
    }
    let mime = if bytes.starts_with(b"%PDF-") { "application/pdf" } else { token(declared) };
    // What claims to be a picture and is none must not be shown as one.
    let mime = if mime.starts_with("image/") { "application/octet-stream" } else { mime };
    Inspected { mime: mime.to_owned(), pixels: None }
}

fn decoded(bytes: &[u8]) -> Option<(&'static str, (i32, i32))> {
    let format = image::guess_format(bytes).ok()?;
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
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(DECODE_BYTES);
    reader.limits(limits);
    reader.decode().ok()?;
    Some((mime, (i32::try_from(width).ok()?, i32::try_from(height).ok()?)))
}

/// A media type of harmless characters, or the one that says nothing.
fn token(declared: &str) -> &str {
    let declared = declared.split(';').next().unwrap_or_default().trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '+' | '_');
    let fits = declared.len() <= MIME_CHARS && declared.matches('/').count() == 1 && declared.chars().all(plain);
    if fits { declared } else { "application/octet-stream" }
}

/// A file name without path and control characters, at most 200 characters, never empty.
pub(crate) fn file_name(given: &str) -> String {
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
        let mut out = Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(width, height).write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    #[test]
    fn only_what_decodes_is_an_image() {
        let good = png(3, 2);
        assert_eq!(inspect(&good, "text/html"), Inspected { mime: "image/png".into(), pixels: Some((3, 2)) });
        let cut = good.get(..good.len() / 2).unwrap();
        assert_eq!(inspect(cut, "image/png").mime, "application/octet-stream");
        assert_eq!(inspect(b"<svg onload=alert(1)>", "image/svg+xml").mime, "application/octet-stream");
        assert_eq!(inspect(b"%PDF-1.7", "x").mime, "application/pdf");
        assert_eq!(inspect(b"abc", "text/plain; charset=utf-8").mime, "text/plain");
        assert_eq!(inspect(b"abc", "text/html\r\nX: y").mime, "application/octet-stream");
    }

    #[test]
    fn pixel_floods_are_not_decoded() {
        // A PNG header that promises 60,000 x 60,000 pixels.
        let mut flood = png(1, 1);
        flood[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        flood[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        assert_eq!(inspect(&flood, "image/png").pixels, None);
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
