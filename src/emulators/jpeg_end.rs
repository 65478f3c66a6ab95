//! Tells a whole JPEG from one that was cut off. The decoder fills what is missing with grey instead of refusing it.

/// Whether the end-of-image marker follows the first scan. A thumbnail inside the EXIF segment has such a marker of its own,
/// so the segments are stepped over; within a scan no other marker looks like it.
pub(super) fn has_end(jpeg: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    let mut rest = jpeg.get(2..).unwrap_or_default();
    loop {
        rest = match *rest {
            [0xff, START_OF_SCAN, ..] => break,
            // fill bytes, and markers without a length
            [0xff, 0xff, ..] => &rest[1..],
            [0xff, 0x01 | 0xd0..=0xd8, ..] => &rest[2..],
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest.get(2 + length..).unwrap_or_default()
            }
            _ => return false,
        };
    }
    // from behind, where it is
    rest.windows(2).rev().any(|pair| pair == [0xff, 0xd9])
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, RgbImage};
    use proptest::prelude::*;

    use super::*;

    fn jpeg() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        RgbImage::from_fn(64, 64, |x, y| image::Rgb([x, y, x * y].map(|value| value.to_le_bytes()[0])))
            .write_to(&mut bytes, ImageFormat::Jpeg)
            .unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_whole_jpeg_has_its_end_and_one_that_was_cut_off_has_not() {
        let whole = jpeg();
        assert!(has_end(&whole));
        // what some cameras and phones append
        assert!(has_end(&[&whole[..], b"appended \xff\xda film"].concat()));
        for bytes in 0..whole.len() - 1 {
            assert!(!has_end(&whole[..bytes]), "{bytes} of {}", whole.len());
        }
    }

    #[test]
    fn the_end_of_a_thumbnail_inside_does_not_count() {
        let whole = jpeg();
        let thumbnail = b"\xff\xe1\x00\x08thum\xff\xd9";
        let cut_off = [&whole[..2], thumbnail, &whole[2..whole.len() - 2]].concat();
        assert!(!has_end(&cut_off));
        assert!(has_end(&[&cut_off[..], b"\xff\xd9"].concat()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(prop_oneof![Just(0xff_u8), any::<u8>()], 0..200)) {
            has_end(&bytes);
        }
    }
}
