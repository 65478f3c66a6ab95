//! Landscapes: a sky, something that shines, and layers that fade into the distance.

use std::f32::consts::TAU;

use fastrand::Rng;

use super::{
    canvas::Canvas,
    colour::{Brush, Colour, darker, lighter, mix, rgb},
};

/// What a landscape shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenery {
    Hills,
    Peaks,
    Sea,
    Forest,
    Dunes,
    Skyline,
}

const SCENERIES: [Scenery; 6] =
    [Scenery::Hills, Scenery::Sea, Scenery::Peaks, Scenery::Forest, Scenery::Skyline, Scenery::Dunes];

/// The colours of one landscape.
struct Palette {
    sky: (Colour, Colour),
    light: Colour,
    far: Colour,
    near: Colour,
    night: bool,
}

const fn day(sky_top: u32, sky_bottom: u32, light: u32, far: u32, near: u32) -> Palette {
    Palette {
        sky: (rgb(sky_top), rgb(sky_bottom)),
        light: rgb(light),
        far: rgb(far),
        near: rgb(near),
        night: false,
    }
}

const fn night(sky_top: u32, sky_bottom: u32, light: u32, far: u32, near: u32) -> Palette {
    Palette { night: true, ..day(sky_top, sky_bottom, light, far, near) }
}

const PALETTES: [Palette; 12] = [
    day(0x4e_a8de, 0xdf_f3ff, 0xff_fbe6, 0xa3_cfc4, 0x1f_6f5c),
    day(0xf2_8f5c, 0xff_e6bd, 0xff_f6df, 0xdc_8a63, 0x5e_2a3c),
    day(0x5f_4b8b, 0xf9_b0a3, 0xff_e1c6, 0xa0_6f9f, 0x2b_2145),
    day(0x83_c5be, 0xf1_f8f9, 0xff_ffff, 0xa9_d3cd, 0x14_5c63),
    night(0x0b_132b, 0x45_5f87, 0xfd_f6e3, 0x33_4e74, 0x08_0e1f),
    day(0x8e_cae6, 0xfd_f0d5, 0xff_ffff, 0xe9_be7f, 0x8a_3f1a),
    day(0x3d_5a80, 0xff_d6a5, 0xff_f1d0, 0xb3_91a4, 0x2a_3649),
    day(0x9b_d3ea, 0xf7_fbff, 0xff_ffff, 0xc3_dae8, 0x3c_678b),
    day(0x56_b6c2, 0xf0_f7dc, 0xff_fdf0, 0x9f_cfa2, 0x1b_4d3a),
    night(0x1c_1040, 0x6d_5a9c, 0xff_f3d6, 0x53_4686, 0x12_0a2c),
    day(0x8d_99d6, 0xfd_e2e4, 0xff_f7f0, 0xbf_a6d9, 0x45_3676),
    day(0x2a_9d8f, 0xf8_e3b0, 0xff_f8e1, 0xe0_a872, 0x26_4653),
];

/// Draws the landscape with this number over the whole canvas. Numbers in a row look different; every
/// scenery comes in every palette.
pub(in crate::emulators) fn draw_scenery(canvas: &mut Canvas, number: usize, rng: &mut Rng) {
    let scenery = SCENERIES[number % SCENERIES.len()];
    let palette = &PALETTES[(number * 7 + number / PALETTES.len()) % PALETTES.len()];
    let horizon = canvas.height() * (0.52 + 0.1 * rng.f32());
    let sky = canvas.gradient((0.0, palette.sky.0), (horizon, palette.sky.1));
    canvas.ground(&sky, |_| 0.0);
    if palette.night {
        stars(canvas, horizon, &sky, rng);
    }
    let light_at = (canvas.width() * (0.15 + 0.7 * rng.f32()), horizon * (0.3 + 0.4 * rng.f32()));
    light(canvas, palette, &sky, light_at, rng);
    if !palette.night && scenery != Scenery::Dunes {
        clouds(canvas, palette, &sky, horizon, rng);
    }
    match scenery {
        Scenery::Hills => hills(canvas, palette, horizon, rng),
        Scenery::Peaks => peaks(canvas, palette, horizon, rng),
        Scenery::Sea => sea(canvas, palette, horizon, light_at.0, rng),
        Scenery::Forest => forest(canvas, palette, horizon, rng),
        Scenery::Dunes => dunes(canvas, palette, horizon, rng),
        Scenery::Skyline => skyline(canvas, palette, horizon, rng),
    }
}

fn stars(canvas: &mut Canvas, horizon: f32, sky: &Brush, rng: &mut Rng) {
    for _ in 0..110 {
        let at = (canvas.width() * rng.f32(), horizon * rng.f32());
        let brush = sky.tinted([255, 250, 235], 0.35 + 0.6 * rng.f32());
        canvas.disc(at, 0.5 + 0.8 * rng.f32() * rng.f32(), &brush);
    }
}

/// The sun with its halo, or the moon, sometimes a crescent.
fn light(canvas: &mut Canvas, palette: &Palette, sky: &Brush, at: (f32, f32), rng: &mut Rng) {
    let radius = canvas.height() * if palette.night { 0.05 } else { 0.06 + 0.03 * rng.f32() };
    for (size, amount) in [(3.6, 0.10), (2.5, 0.2), (1.65, 0.34)] {
        canvas.disc(at, radius * size, &sky.tinted(palette.light, amount));
    }
    canvas.disc(at, radius, &canvas.solid(palette.light));
    if palette.night && rng.bool() {
        let shadow = sky.tinted(palette.light, 0.34);
        canvas.disc((at.0 + radius * 0.45, at.1 - radius * 0.2), radius * 0.86, &shadow);
    }
}

fn clouds(canvas: &mut Canvas, palette: &Palette, sky: &Brush, horizon: f32, rng: &mut Rng) {
    let brush = sky.tinted(lighter(palette.sky.1, 0.5), 0.55);
    for _ in 0..rng.usize(1..4) {
        let (x, y) = (canvas.width() * rng.f32(), horizon * (0.12 + 0.5 * rng.f32()));
        let size = canvas.height() * (0.03 + 0.025 * rng.f32());
        // Puffs that end on one straight line.
        for (offset, radius) in [(-2.1, 0.7), (-1.1, 1.05), (0.2, 1.45), (1.5, 0.95), (2.4, 0.6)] {
            let (centre, radius) = (x + offset * size, radius * size);
            canvas.shape((centre - radius, centre + radius), &brush, |at| {
                let offset = (at - centre) / radius;
                (y - radius * (1.0 - offset * offset).max(0.0).sqrt(), y)
            });
        }
    }
}

/// A rolling line: some waves of different length.
fn waves(height: f32, length: f32, rng: &mut Rng) -> impl Fn(f32) -> f32 + use<> {
    let parts = [(1.0, 0.55), (2.1, 0.3), (4.7, 0.1)].map(|(frequency, share)| {
        (TAU * frequency / length * (0.85 + 0.3 * rng.f32()), share * height, TAU * rng.f32())
    });
    move |x| parts.iter().map(|(frequency, height, phase)| height * (x * frequency + phase).sin()).sum()
}

/// The colour at a `depth` between far (0) and near (1).
fn layer(canvas: &Canvas, palette: &Palette, depth: f32, top: f32) -> Brush {
    let colour = mix(palette.far, palette.near, depth);
    let span = canvas.height() * 0.35;
    canvas.gradient((top, lighter(colour, 0.08 * (1.0 - depth))), (top + span, darker(colour, 0.12)))
}

fn hills(canvas: &mut Canvas, palette: &Palette, horizon: f32, rng: &mut Rng) {
    let (layers, height) = (5, canvas.height());
    for index in 0..layers {
        let depth = f32::from(u8::try_from(index).unwrap_or(0)) / 4.0;
        let base = horizon + (height * 0.95 - horizon) * depth * 0.85;
        let line = waves(height * (0.05 + 0.02 * depth), canvas.width() * (0.5 + 0.5 * rng.f32()), rng);
        canvas.ground(&layer(canvas, palette, depth, base), |x| base + line(x));
        if index >= 2 {
            let brush = canvas.solid(darker(mix(palette.far, palette.near, depth), 0.22));
            for _ in 0..rng.usize(2..7) {
                let x = canvas.width() * rng.f32();
                round_tree(canvas, (x, base + line(x)), height * (0.03 + 0.05 * depth), &brush);
            }
        }
    }
}

fn round_tree(canvas: &mut Canvas, (x, y): (f32, f32), size: f32, brush: &Brush) {
    canvas.shape((x - size * 0.07, x + size * 0.07), brush, |_| (y - size, y + 2.0));
    canvas.ellipse((x, y - size * 1.05), (size * 0.48, size * 0.62), brush);
}

fn peaks(canvas: &mut Canvas, palette: &Palette, horizon: f32, rng: &mut Rng) {
    let (width, height) = (canvas.width(), canvas.height());
    for depth in [0.12_f32, 0.4] {
        for _ in 0..4 {
            let summit = (width * rng.f32(), horizon - height * (0.12 + 0.2 * rng.f32()) * (1.1 - depth));
            mountain(canvas, palette, summit, horizon + 4.0, depth);
        }
    }
    // A lake below, and a dark shore with conifers in front of it.
    let water = canvas.gradient(
        (horizon, mix(palette.sky.1, palette.far, 0.35)),
        (height, mix(palette.sky.0, palette.near, 0.55)),
    );
    canvas.ground(&water, |_| horizon);
    for _ in 0..26 {
        let y = horizon + (height - horizon) * rng.f32() * 0.8;
        let (x, half) = (width * rng.f32(), width * (0.02 + 0.06 * rng.f32()));
        canvas.shape((x - half, x + half), &water.tinted(palette.light, 0.22), |_| (y, y + 1.3));
    }
    let base = height * 0.86;
    let line = waves(height * 0.04, width * 0.9, rng);
    let brush = layer(canvas, palette, 0.95, base);
    for _ in 0..22 {
        let x = width * rng.f32();
        conifer(canvas, (x, base + line(x) + 3.0), height * (0.07 + 0.09 * rng.f32()), &brush);
    }
    canvas.ground(&brush, |x| base + line(x));
}

/// Two slopes, one in the light and one in the shade, and snow above.
fn mountain(canvas: &mut Canvas, palette: &Palette, (x, top): (f32, f32), base: f32, depth: f32) {
    let colour = mix(palette.far, palette.near, depth);
    let (half, rise) = ((base - top) * 1.25, base - top);
    let slope = move |at: f32| top + rise * (at - x).abs() / half;
    let ragged = move |at: f32| top + rise * (0.3 + 0.05 * (at * 0.21).sin() + 0.04 * (at * 0.47).sin());
    for (range, shade) in [((x - half, x), 0.0), ((x, x + half), 0.16)] {
        let rock = canvas.gradient((top, darker(colour, shade)), (base, lighter(colour, 0.18)));
        canvas.shape(range, &rock, |at| (slope(at), base));
        let snow = canvas.solid(darker(lighter(colour, 0.82), shade * 0.9));
        canvas.shape(range, &snow, |at| (slope(at), ragged(at)));
    }
}

fn conifer(canvas: &mut Canvas, (x, base): (f32, f32), size: f32, brush: &Brush) {
    for (from, to, half) in [(1.0, 0.55, 0.13), (0.8, 0.3, 0.19), (0.58, 0.0, 0.25)] {
        let half = half * size;
        canvas.shape((x - half, x + half), brush, |at| {
            let offset = (at - x).abs() / half;
            (base - size * (from + (to - from) * offset), base - size * to)
        });
    }
}

fn sea(canvas: &mut Canvas, palette: &Palette, horizon: f32, light_x: f32, rng: &mut Rng) {
    let (width, height) = (canvas.width(), canvas.height());
    let island = waves(height * 0.03, width * 0.3, rng);
    let centre = width * (0.1 + 0.8 * rng.f32());
    let far = canvas.solid(mix(palette.far, palette.sky.1, 0.25));
    canvas.shape((centre - width * 0.22, centre + width * 0.22), &far, |x| {
        let edge = 1.0 - ((x - centre) / (width * 0.22)).powi(2);
        (horizon - (height * 0.07 + island(x)) * edge, horizon + 1.0)
    });
    let water = canvas.gradient(
        (horizon, mix(palette.far, palette.sky.1, 0.4)),
        (height, mix(palette.near, palette.sky.0, 0.3)),
    );
    canvas.ground(&water, |_| horizon);
    // The path of light widens towards us.
    for step in 0..34_u8 {
        let depth = f32::from(step) / 34.0;
        let y = horizon + 3.0 + (height - horizon) * depth * depth;
        let half = width * (0.015 + 0.085 * depth) * (0.35 + 0.65 * rng.f32());
        let x = light_x + width * 0.03 * (rng.f32() - 0.5);
        let glint = water.tinted(palette.light, 0.62 - 0.4 * depth);
        canvas.shape((x - half, x + half), &glint, |_| (y, y + 1.2 + 2.0 * depth));
    }
    for _ in 0..rng.usize(1..4) {
        let size = height * (0.06 + 0.06 * rng.f32());
        let at = (width * (0.08 + 0.84 * rng.f32()), horizon + size * 1.1);
        sailboat(canvas, palette, at, size);
    }
    if !palette.night && rng.bool() {
        let line = waves(height * 0.025, width * 1.3, rng);
        let sand = canvas.gradient(
            (height * 0.85, lighter(palette.light, 0.2)),
            (height, mix(palette.far, palette.light, 0.45)),
        );
        let foam = sand.tinted([255, 255, 255], 0.7);
        canvas.ground(&foam, |x| height * 0.875 + line(x));
        canvas.ground(&sand, |x| height * 0.89 + line(x) * 1.1);
    }
}

fn sailboat(canvas: &mut Canvas, palette: &Palette, (x, y): (f32, f32), size: f32) {
    let hull = canvas.solid(darker(palette.near, 0.25));
    canvas.shape((x - size * 0.5, x + size * 0.5), &hull, |at| {
        let offset = (at - x).abs() / (size * 0.5);
        (y, y + size * 0.2 * (1.0 - offset.powi(4)))
    });
    let sail = |shade| canvas.solid(darker(lighter(palette.light, 0.6), shade));
    let (large, small) = (sail(0.02), sail(0.12));
    canvas.shape((x - size * 0.42, x - size * 0.02), &small, |at| {
        (y - size * 0.08 - size * 0.75 * (1.0 - (x - at) / (size * 0.42)), y - size * 0.08)
    });
    canvas.shape((x + size * 0.02, x + size * 0.48), &large, |at| {
        (y - size * 0.08 - size * (1.0 - (at - x) / (size * 0.48)), y - size * 0.08)
    });
}

fn forest(canvas: &mut Canvas, palette: &Palette, horizon: f32, rng: &mut Rng) {
    let (width, height) = (canvas.width(), canvas.height());
    for step in 0..5_u8 {
        let depth = f32::from(step) / 4.0;
        let base = horizon + (height - horizon) * (0.05 + 0.8 * depth);
        let line = waves(height * 0.035, width * 0.8, rng);
        let brush = layer(canvas, palette, depth, base - height * 0.15);
        let size = height * (0.1 + 0.17 * depth);
        let mut x = -size * rng.f32();
        while x < width + size {
            conifer(canvas, (x, base + line(x) + 3.0), size * (0.65 + 0.55 * rng.f32()), &brush);
            x += size * (0.22 + 0.5 * rng.f32());
        }
        canvas.ground(&brush, |x| base + line(x));
    }
}

fn dunes(canvas: &mut Canvas, palette: &Palette, horizon: f32, rng: &mut Rng) {
    let (width, height) = (canvas.width(), canvas.height());
    let sand = mix(palette.light, rgb(0xd9_9152), 0.62);
    for step in 0..4_u8 {
        let depth = f32::from(step) / 3.0;
        let base = horizon + (height - horizon) * 0.72 * depth;
        let (crest, rise) = (width * (0.2 + 0.6 * rng.f32()), height * (0.1 + 0.09 * depth));
        let line = waves(height * 0.012, width * 0.9, rng);
        // A crest with a long slope to the left and a steep one in the shade to the right.
        let top = move |x: f32| {
            let reach = if x < crest { width * 0.75 } else { width * 0.42 };
            let fall = ((x - crest).abs() / reach).min(1.0);
            base - rise * (1.0 - fall) * (1.0 - fall) + line(x)
        };
        let colour = mix(mix(sand, palette.sky.1, 0.45), mix(sand, palette.near, 0.35), depth);
        let lit = canvas.gradient((base - rise, lighter(colour, 0.2)), (base + height * 0.3, colour));
        canvas.ground(&lit, &top);
        let shade = lit.tinted(darker(mix(colour, palette.near, 0.4), 0.1), 0.5);
        let drift = height * 0.9;
        canvas.shape((crest, width), &shade, |x| (top(x), top(x) + (x - crest) * 0.42 * (drift / height)));
    }
}

fn skyline(canvas: &mut Canvas, palette: &Palette, horizon: f32, rng: &mut Rng) {
    let (width, height) = (canvas.width(), canvas.height());
    for step in 0..3_u8 {
        let depth = f32::from(step) / 2.0;
        let base = horizon + height * 0.2 * depth + height * 0.1;
        let brush = layer(canvas, palette, 0.1 + 0.8 * depth, horizon - height * 0.2);
        let window = brush.tinted(rgb(0xff_d98a), if palette.night { 0.75 } else { 0.35 });
        let mut x = -width * 0.05 * rng.f32();
        while x < width {
            let wide = width * (0.045 + 0.05 * rng.f32());
            let top = base - height * (0.12 + 0.27 * rng.f32() * (1.1 - 0.4 * depth));
            canvas.shape((x, x + wide), &brush, |_| (top, height));
            if rng.f32() < 0.3 {
                let mast = x + wide * 0.5;
                canvas.shape((mast - 1.0, mast + 1.0), &brush, |_| (top - height * 0.05, top));
            }
            if step > 0 {
                windows(canvas, (x, top), wide, &window, rng);
            }
            x += wide * (0.95 + 0.35 * rng.f32());
        }
    }
    let line = waves(height * 0.02, width, rng);
    let park = layer(canvas, palette, 1.0, height * 0.8);
    for _ in 0..14 {
        let x = width * rng.f32();
        round_tree(canvas, (x, height * 0.85), height * (0.05 + 0.05 * rng.f32()), &park);
    }
    canvas.ground(&park, |x| height * 0.84 + line(x));
}

fn windows(canvas: &mut Canvas, (left, top): (f32, f32), wide: f32, brush: &Brush, rng: &mut Rng) {
    let pitch = 9.0;
    let mut y = top + 8.0;
    while y < canvas.height() * 0.84 {
        let mut x = left + 5.0;
        while x + 4.0 < left + wide - 2.0 {
            if rng.f32() < 0.55 {
                canvas.shape((x, x + 4.0), brush, |_| (y, y + 5.0));
            }
            x += pitch;
        }
        y += pitch * 1.3;
    }
}
