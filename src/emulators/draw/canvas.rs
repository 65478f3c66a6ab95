//! A picture in the making, kept by columns: every shape is a few vertical runs, and a run is one copy from
//! a [`Brush`]. That is fast enough in a build without optimisation.

use image::{DynamicImage, RgbImage, codecs::jpeg::JpegEncoder};

use super::colour::{Brush, Colour, mix};

/// Columns for each pixel of width. Their mean smooths steep edges; flat ones are smoothed within a column.
const COLUMNS_PER_PIXEL: usize = 2;
const BYTES_PER_COLOUR: usize = 3;

/// A picture that can still be drawn on. Positions are in pixels from the upper left corner.
#[derive(Debug)]
pub(in crate::emulators) struct Canvas {
    width: usize,
    height: usize,
    /// Column after column, from left to right.
    colours: Vec<Colour>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "positions are clamped to a picture of some hundred pixels"
)]
impl Canvas {
    pub(in crate::emulators) fn new(width: usize, height: usize) -> Self {
        let colours = vec![[0; BYTES_PER_COLOUR]; width * COLUMNS_PER_PIXEL * height];
        Self { width, height, colours }
    }

    pub(super) fn width(&self) -> f32 {
        self.width as f32
    }

    pub(super) fn height(&self) -> f32 {
        self.height as f32
    }

    /// A brush of one colour.
    pub(super) fn solid(&self, colour: Colour) -> Brush {
        Brush::solid(self.height, colour)
    }

    /// A brush from one colour at a row to another at a lower row.
    pub(super) fn gradient(&self, upper: (f32, Colour), lower: (f32, Colour)) -> Brush {
        Brush::gradient(self.height, upper, lower)
    }

    /// Fills what lies between `left` and `right` and, at each `x` there, between the two rows that
    /// `outline(x)` tells.
    pub(super) fn shape(
        &mut self,
        (left, right): (f32, f32),
        brush: &Brush,
        outline: impl Fn(f32) -> (f32, f32),
    ) {
        let columns = (self.width * COLUMNS_PER_PIXEL) as f32;
        let scale = COLUMNS_PER_PIXEL as f32;
        let first = (left * scale).round().clamp(0.0, columns) as usize;
        let end = (right * scale).round().clamp(0.0, columns) as usize;
        for column in first..end {
            let (top, bottom) = outline((column as f32 + 0.5) / scale);
            self.run(column, top, bottom, brush);
        }
    }

    /// Fills everything below `top(x)`.
    pub(super) fn ground(&mut self, brush: &Brush, top: impl Fn(f32) -> f32) {
        let (width, height) = (self.width(), self.height());
        self.shape((0.0, width), brush, |x| (top(x), height));
    }

    /// Fills an ellipse.
    pub(super) fn ellipse(&mut self, (x, y): (f32, f32), (across, down): (f32, f32), brush: &Brush) {
        self.shape((x - across, x + across), brush, |at| {
            let offset = (at - x) / across;
            let half = down * (1.0 - offset * offset).max(0.0).sqrt();
            (y - half, y + half)
        });
    }

    pub(super) fn disc(&mut self, centre: (f32, f32), radius: f32, brush: &Brush) {
        self.ellipse(centre, (radius, radius), brush);
    }

    /// One run of a column. Rows that are covered in part are mixed.
    fn run(&mut self, column: usize, top: f32, bottom: f32, brush: &Brush) {
        let (top, bottom) = (top.clamp(0.0, self.height as f32), bottom.clamp(0.0, self.height as f32));
        if bottom <= top {
            return;
        }
        let colours = &mut self.colours[column * self.height..(column + 1) * self.height];
        let brush = brush.rows();
        let (first, last) = (top as usize, bottom as usize);
        if first == last {
            colours[first] = mix(colours[first], brush[first], bottom - top);
            return;
        }
        let mut full_from = first;
        if top > first as f32 {
            colours[first] = mix(colours[first], brush[first], (first + 1) as f32 - top);
            full_from += 1;
        }
        colours[full_from..last].copy_from_slice(&brush[full_from..last]);
        if bottom > last as f32 {
            colours[last] = mix(colours[last], brush[last], bottom - last as f32);
        }
    }

    /// The finished picture.
    pub(in crate::emulators) fn into_image(self) -> DynamicImage {
        let columns = self.colours.as_flattened();
        let column_bytes = self.height * BYTES_PER_COLOUR;
        let mut lying = Vec::with_capacity(self.width * column_bytes);
        // From right to left, because a quarter turn clockwise brings the first column to the right.
        for pair in columns.rchunks_exact(column_bytes * COLUMNS_PER_PIXEL) {
            let (left, right) = pair.split_at(column_bytes);
            extend_with_mean(&mut lying, left, right);
        }
        let (width, height) = (self.width as u32, self.height as u32);
        RgbImage::from_raw(height, width, lying).map_or_else(
            || DynamicImage::new_rgb8(width, height),
            |lying| DynamicImage::from(lying).rotate90(),
        )
    }

    /// The finished picture as a JPEG.
    pub(in crate::emulators) fn into_jpeg(self, quality: u8) -> Vec<u8> {
        jpeg(self.into_image(), quality)
    }
}

/// Encodes a picture as a JPEG.
pub(in crate::emulators) fn jpeg(image: DynamicImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&image.into_rgb8());
    debug_assert!(encoded.is_ok(), "a vector takes everything, and the picture is not too large for a JPEG");
    bytes
}

/// Appends the mean of each two bytes. Sixteen at a time: `l & r` are the bits that both have, half of `l ^
/// r` the rest.
fn extend_with_mean(mean: &mut Vec<u8>, left: &[u8], right: &[u8]) {
    /// Keeps the lowest bit of a byte from moving into its neighbour.
    const WITHOUT_LOWEST: u128 = u128::from_ne_bytes([0xfe; 16]);
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks(), right.as_chunks());
    for (left, right) in left.iter().zip(right) {
        let (left, right) = (u128::from_ne_bytes(*left), u128::from_ne_bytes(*right));
        let sixteen = (left & right) + (((left ^ right) & WITHOUT_LOWEST) >> 1);
        mean.extend_from_slice(&sixteen.to_ne_bytes());
    }
    mean.extend(left_rest.iter().zip(right_rest).map(|(left, right)| left.midpoint(*right)));
}
