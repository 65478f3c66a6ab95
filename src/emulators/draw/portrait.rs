//! Flat, friendly people: head and shoulders, recognisable by skin, hair, clothes, glasses and beard.

use fastrand::Rng;

use super::{
    canvas::Canvas,
    colour::{Brush, Colour, darker, lighter, mix, rgb},
};

const SKINS: [Colour; 7] = [
    rgb(0xff_dcc2),
    rgb(0xf3_c6a0),
    rgb(0xe3_ae84),
    rgb(0xc9_8d5c),
    rgb(0xa8_6c42),
    rgb(0x80_4f30),
    rgb(0x5d_3823),
];
const HAIRS: [Colour; 9] = [
    rgb(0x22_1c1a),
    rgb(0x3d_2a20),
    rgb(0x5f_3f26),
    rgb(0x8f_5d30),
    rgb(0xc8_9244),
    rgb(0xe6_c27c),
    rgb(0xb2_4e2c),
    rgb(0x8f_9499),
    rgb(0xe4_e1da),
];
const CLOTHES: [Colour; 12] = [
    rgb(0xe0_5d5d),
    rgb(0x3f_7cac),
    rgb(0xf2_b544),
    rgb(0x2a_9d8f),
    rgb(0x6d_597a),
    rgb(0xf7_f3e8),
    rgb(0x35_4f52),
    rgb(0xe8_8d67),
    rgb(0x8a_b17d),
    rgb(0x27_3043),
    rgb(0xd9_7b9f),
    rgb(0x5b_8e9b),
];
const DARK: Colour = rgb(0x2b_2024);
const GOLD: Colour = rgb(0xe8_c060);

/// How the hair is worn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Short,
    Bob,
    Long,
    Bun,
    Curls,
    Bald,
}

/// What stays the same in all pictures of a person.
#[derive(Debug, Clone)]
pub(in crate::emulators) struct Look {
    skin: Colour,
    hair: Colour,
    clothes: Colour,
    style: Style,
    glasses: bool,
    beard: bool,
    stripes: bool,
}

/// Where a head is in a picture. Everything else follows from it.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulators) struct Pose {
    /// The middle of the face, in pixels.
    pub(in crate::emulators) centre: (f32, f32),
    /// Half the width of the face, in pixels.
    pub(in crate::emulators) size: f32,
    /// How far the person looks aside: `-1.0` to `1.0`.
    pub(in crate::emulators) turn: f32,
}

impl Look {
    /// The look of the person with this number. Neighbours differ.
    pub(in crate::emulators) fn of(number: usize) -> Self {
        const STYLES: [Style; 8] = [
            Style::Long,
            Style::Short,
            Style::Bob,
            Style::Curls,
            Style::Short,
            Style::Bun,
            Style::Long,
            Style::Bald,
        ];
        let style = STYLES[(number + number / 8 * 3) % STYLES.len()];
        let mut hair = HAIRS[(number * 4 + number / 9) % HAIRS.len()];
        let skin = SKINS[(number * 3 + number / 7) % SKINS.len()];
        // Hair that stands out from the skin.
        if SKINS[..2].contains(&skin) {
            hair = HAIRS[2 + number % 7];
        } else if !matches!(number % 9, 7 | 8) {
            hair = HAIRS[number % 2];
        }
        Self {
            skin,
            hair,
            clothes: CLOTHES[(number * 5 + number / 12) % CLOTHES.len()],
            style,
            glasses: number % 4 == 2,
            beard: matches!(style, Style::Short | Style::Bald) && number % 3 != 1,
            stripes: number % 5 == 3,
        }
    }
}

/// Draws a person whose shoulders reach down to the lower edge.
pub(in crate::emulators) fn draw_portrait(canvas: &mut Canvas, look: &Look, pose: Pose) {
    let portrait = Portrait { look, pose, skin: canvas.solid(look.skin), hair: canvas.solid(look.hair) };
    portrait.hair_behind(canvas);
    portrait.body(canvas);
    portrait.head(canvas);
    portrait.face(canvas);
    portrait.hair_in_front(canvas);
    if look.glasses {
        portrait.glasses(canvas);
    }
}

/// Positions in here are in multiples of the pose's size, from the middle of the face.
struct Portrait<'a> {
    look: &'a Look,
    pose: Pose,
    skin: Brush,
    hair: Brush,
}

impl Portrait<'_> {
    fn x(&self, x: f32) -> f32 {
        self.pose.centre.0 + x * self.pose.size
    }

    fn y(&self, y: f32) -> f32 {
        self.pose.centre.1 + y * self.pose.size
    }

    /// The inverse of [`Self::x`].
    fn across(&self, x: f32) -> f32 {
        (x - self.pose.centre.0) / self.pose.size
    }

    /// Features move aside with the turn of the head.
    fn feature(&self, x: f32) -> f32 {
        x + 0.16 * self.pose.turn
    }

    fn ellipse(&self, canvas: &mut Canvas, (x, y): (f32, f32), (across, down): (f32, f32), brush: &Brush) {
        let size = self.pose.size;
        canvas.ellipse((self.x(x), self.y(y)), (across * size, down * size), brush);
    }

    /// Like [`Canvas::shape`], with everything in multiples of the size.
    fn shape(
        &self,
        canvas: &mut Canvas,
        (left, right): (f32, f32),
        brush: &Brush,
        outline: impl Fn(f32) -> (f32, f32),
    ) {
        canvas.shape((self.x(left), self.x(right)), brush, |x| {
            let (top, bottom) = outline(self.across(x));
            (self.y(top), self.y(bottom))
        });
    }

    fn hair_behind(&self, canvas: &mut Canvas) {
        let back = canvas.solid(darker(self.look.hair, 0.18));
        match self.look.style {
            Style::Long => {
                self.ellipse(canvas, (0.0, -0.25), (1.28, 1.25), &back);
                self.shape(canvas, (-1.3, 1.3), &back, |x| (-0.25, 2.25 - 0.25 * (x.abs() - 0.6).powi(2)));
            }
            Style::Bob => {
                self.ellipse(canvas, (0.0, -0.2), (1.3, 1.25), &back);
                self.shape(canvas, (-1.3, 1.3), &back, |x| (-0.2, 1.05 + 0.2 * x.abs()));
            }
            Style::Bun => self.ellipse(canvas, (0.05, -1.6), (0.5, 0.46), &back),
            Style::Curls => {
                for (x, y) in [
                    (-1.05, 0.1),
                    (-1.15, -0.45),
                    (-0.95, -0.95),
                    (-0.5, -1.3),
                    (0.0, -1.42),
                    (0.5, -1.3),
                    (0.95, -0.95),
                    (1.15, -0.45),
                    (1.05, 0.1),
                ] {
                    self.ellipse(canvas, (x, y), (0.46, 0.46), &back);
                }
            }
            Style::Short | Style::Bald => {}
        }
    }

    fn body(&self, canvas: &mut Canvas) {
        let clothes = self.look.clothes;
        let below = canvas.height();
        let cloth = canvas.gradient((self.y(1.5), clothes), (self.y(3.8), darker(clothes, 0.2)));
        let shoulders = |x: f32| 1.52 + 0.95 * (1.0 - (1.0 - (x / 2.15).powi(4)).max(0.0).sqrt());
        let bottom = (below - self.pose.centre.1) / self.pose.size;
        self.shape(canvas, (-2.15, 2.15), &cloth, |x| (shoulders(x), bottom));
        if self.look.stripes {
            let stripe = canvas.solid(lighter(clothes, 0.5));
            for row in [2.1, 2.65, 3.2] {
                let line = move |x: f32| row + 0.06 * x * x;
                self.shape(canvas, (-2.15, 2.15), &stripe, |x| {
                    (line(x).max(shoulders(x)), (line(x) + 0.2).min(bottom).max(shoulders(x)))
                });
            }
        }
        // Sleeves are told from the body by a fold.
        let fold = canvas.solid(darker(clothes, 0.3));
        for side in [-1.38_f32, 1.38] {
            self.shape(canvas, (side - 0.035, side + 0.035), &fold, |_| (2.55, bottom));
        }
        let collar = canvas.solid(darker(clothes, 0.25));
        self.ellipse(canvas, (0.0, 1.5), (0.72, 0.52), &collar);
        self.ellipse(canvas, (0.0, 1.45), (0.6, 0.44), &self.skin);
        let shade = canvas.solid(darker(self.look.skin, 0.16));
        self.shape(canvas, (-0.42, 0.42), &shade, |x| (0.6, 1.62 - 0.4 * x * x));
    }

    fn head(&self, canvas: &mut Canvas) {
        let ear = canvas.solid(darker(self.look.skin, 0.1));
        for side in [-1.0, 1.0] {
            self.ellipse(canvas, (side, 0.12), (0.19, 0.27), &ear);
        }
        // Rounder above, narrower towards the chin.
        self.shape(canvas, (-1.0, 1.0), &self.skin, |x| {
            let above = (1.0 - x * x).max(0.0).sqrt();
            let below = (1.0 - x.abs().powf(2.5)).max(0.0).sqrt();
            (-1.15 * above, 1.22 * below)
        });
        if self.look.beard {
            let beard = canvas.solid(mix(self.look.hair, self.look.skin, 0.12));
            self.shape(canvas, (-1.0, 1.0), &beard, |x| {
                let below = (1.0 - x.abs().powf(2.5)).max(0.0).sqrt();
                (0.28 + 0.32 * (1.0 - x * x), 1.26 * below)
            });
        }
    }

    fn face(&self, canvas: &mut Canvas) {
        let skin = self.look.skin;
        let cheek = canvas.solid(mix(skin, rgb(0xe8_5d5d), 0.22));
        let (dark, white) = (canvas.solid(DARK), canvas.solid(rgb(0xff_ffff)));
        let brow = canvas.solid(darker(mix(self.look.hair, DARK, 0.35), 0.1));
        for side in [-1.0_f32, 1.0] {
            let eye = self.feature(0.4 * side);
            if !self.look.beard {
                self.ellipse(canvas, (self.feature(0.58 * side), 0.42), (0.2, 0.14), &cheek);
            }
            self.ellipse(canvas, (eye, 0.03), (0.105, 0.13), &dark);
            self.ellipse(canvas, (eye + 0.035, -0.02), (0.035, 0.04), &white);
            self.shape(canvas, (eye - 0.2, eye + 0.2), &brow, |x| {
                let arch = -0.27 + 0.9 * (x - eye).powi(2);
                (arch, arch + 0.075)
            });
        }
        let nose = canvas.solid(darker(skin, 0.2));
        let middle = self.feature(0.02);
        self.shape(canvas, (middle - 0.13, middle + 0.13), &nose, |x| {
            let curve = 0.36 - 2.4 * (x - middle).powi(2);
            (curve - 0.05, curve + 0.02)
        });
        let mouth = canvas.solid(mix(rgb(0xa8_3f45), DARK, 0.15));
        let middle = self.feature(0.0);
        self.shape(canvas, (middle - 0.36, middle + 0.36), &mouth, |x| {
            let offset = (x - middle) / 0.36;
            (0.6 + 0.03 * (1.0 - offset * offset), 0.6 + 0.22 * (1.0 - offset * offset))
        });
        self.shape(canvas, (middle - 0.27, middle + 0.27), &white, |x| {
            let offset = (x - middle) / 0.27;
            (0.625, 0.625 + 0.075 * (1.0 - offset * offset))
        });
    }

    fn hair_in_front(&self, canvas: &mut Canvas) {
        // From the outline of the hair down to where the forehead begins.
        let crown = |x: f32| -1.3 * (1.0 - (x / 1.09).powi(2)).max(0.0).sqrt();
        let turn = self.pose.turn;
        let cap = |canvas: &mut Canvas, hairline: &dyn Fn(f32) -> f32| {
            self.shape(canvas, (-1.09, 1.09), &self.hair, |x| (crown(x), hairline(x)));
        };
        match self.look.style {
            Style::Short => cap(canvas, &|x| -0.62 - 0.12 * (x * 2.4 + turn).sin() + 0.55 * x.powi(6)),
            Style::Bob => cap(canvas, &|x| (-0.48 + 0.05 * (x * 9.0).sin() + 0.95 * x.powi(8)).min(0.9)),
            Style::Long => {
                let parting = -0.3 + 0.2 * turn;
                cap(canvas, &|x| -0.98 + 0.75 * (x - parting).abs().powf(1.25) + 0.5 * x.powi(8));
            }
            Style::Bun => cap(canvas, &|x| -0.78 + 0.62 * x.powi(4)),
            Style::Curls => {
                cap(canvas, &|x| -0.7 + 0.5 * x.powi(6));
                for x in [-0.78, -0.4, 0.0, 0.4, 0.78_f32] {
                    let y = -0.95 + 0.42 * x * x;
                    self.ellipse(canvas, (x, y), (0.3, 0.28), &self.hair);
                }
            }
            Style::Bald => {
                let shine = canvas.solid(lighter(self.look.skin, 0.35));
                self.ellipse(canvas, (-0.3, -0.82), (0.26, 0.1), &shine);
            }
        }
    }

    fn glasses(&self, canvas: &mut Canvas) {
        let dark_skin = SKINS[4..].contains(&self.look.skin);
        let frame = canvas.solid(if dark_skin { GOLD } else { mix(DARK, self.look.clothes, 0.25) });
        for side in [-1.0_f32, 1.0] {
            let centre = self.feature(0.42 * side);
            let ring =
                |radius: f32, x: f32| (1.0 - ((x - centre) / radius).powi(2)).max(0.0).sqrt() * radius * 0.9;
            for upper in [true, false] {
                self.shape(canvas, (centre - 0.34, centre + 0.34), &frame, |x| {
                    let (outer, inner) = (ring(0.34, x), ring(0.275, x));
                    if upper { (0.04 - outer, 0.04 - inner) } else { (0.04 + inner, 0.04 + outer) }
                });
            }
        }
        let bridge = self.feature(0.0);
        self.shape(canvas, (bridge - 0.11, bridge + 0.11), &frame, |_| (-0.03, 0.05));
    }
}

/// A backdrop for a portrait: one colour with a large, lighter disc.
pub(in crate::emulators) fn draw_backdrop(canvas: &mut Canvas, rng: &mut Rng) {
    const BACKDROPS: [Colour; 10] = [
        rgb(0x9c_d3d3),
        rgb(0xf6_c9a0),
        rgb(0xbf_c8ec),
        rgb(0xf3_b8b0),
        rgb(0xb9_d8a8),
        rgb(0xf5_dc8f),
        rgb(0xd3_b9e0),
        rgb(0x8f_bcd9),
        rgb(0xe6_d3b8),
        rgb(0xa9_c9b9),
    ];
    let colour = BACKDROPS[rng.usize(..BACKDROPS.len())];
    let (width, height) = (canvas.width(), canvas.height());
    let backdrop = canvas.gradient((0.0, colour), (height, darker(colour, 0.12)));
    canvas.ground(&backdrop, |_| 0.0);
    let at = (width * (0.3 + 0.4 * rng.f32()), height * (0.3 + 0.25 * rng.f32()));
    canvas.disc(at, width * 0.42, &backdrop.tinted([255, 255, 255], 0.28));
}
