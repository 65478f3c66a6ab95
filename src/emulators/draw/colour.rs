//! Colours and the vertical gradients that shapes are filled with.

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// The colour that `0xRRGGBB` means.
pub(super) const fn rgb(hex: u32) -> Colour {
    let [_, red, green, blue] = hex.to_be_bytes();
    [red, green, blue]
}

/// `amount` of `to` in `from`: `0.0` is all `from`, `1.0` all `to`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of two bytes is a byte")]
pub(super) fn mix(from: Colour, to: Colour, amount: f32) -> Colour {
    let amount = amount.clamp(0.0, 1.0);
    let channel = |index: usize| {
        let (from, to) = (f32::from(from[index]), f32::from(to[index]));
        (from + (to - from) * amount + 0.5) as u8
    };
    [channel(0), channel(1), channel(2)]
}

pub(super) fn darker(colour: Colour, amount: f32) -> Colour {
    mix(colour, [24, 16, 32], amount)
}

pub(super) fn lighter(colour: Colour, amount: f32) -> Colour {
    mix(colour, [255, 250, 240], amount)
}

/// A colour for each row of a picture. A shape takes from it what lies behind it, so that filling is copying.
#[derive(Debug, Clone)]
pub(super) struct Brush {
    rows: Vec<Colour>,
}

impl Brush {
    pub(super) fn solid(height: usize, colour: Colour) -> Self {
        Self { rows: vec![colour; height] }
    }

    /// From `upper` at the row `from` to `lower` at the row `to`.
    #[expect(clippy::cast_precision_loss, reason = "a picture has some hundred rows")]
    pub(super) fn gradient(height: usize, (from, upper): (f32, Colour), (to, lower): (f32, Colour)) -> Self {
        let rows = (0..height).map(|row| mix(upper, lower, (row as f32 - from) / (to - from))).collect();
        Self { rows }
    }

    /// The same brush with `amount` of `colour` in every row, as through coloured glass.
    pub(super) fn tinted(&self, colour: Colour, amount: f32) -> Self {
        Self { rows: self.rows.iter().map(|own| mix(*own, colour, amount)).collect() }
    }

    pub(super) fn rows(&self) -> &[Colour] {
        &self.rows
    }
}
