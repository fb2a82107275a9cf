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
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
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
}
