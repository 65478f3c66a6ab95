//! Line plots as SVG, with a light background of their own.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 380.0;
/// Left, top, right, bottom: for labels, the title, the names of the lines, and labels again.
const FRAME: [f64; 4] = [80.0, 48.0, 222.0, 52.0];
/// Told apart by people who see colours differently, too (Okabe and Ito's).
const COLOURS: [&str; 4] = ["#d55e00", "#0072b2", "#009e73", "#7a7a7a"];

pub struct Axis {
    pub title: &'static str,
    /// Where there is a label, and the label.
    pub ticks: Vec<(f64, String)>,
    pub logarithmic: bool,
}

pub struct Line {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
}

pub struct Plot {
    pub title: &'static str,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
}

impl Axis {
    /// 0 at the first label, 1 at the last; what is beyond stays at the edge.
    fn place(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.logarithmic { value.max(f64::MIN_POSITIVE).ln() } else { value };
        let (first, last) = (scale(self.ticks[0].0), scale(self.ticks[self.ticks.len() - 1].0));
        ((scale(value) - first) / (last - first)).clamp(0.0, 1.0)
    }
}

impl Plot {
    pub fn svg(&self) -> String {
        let [left, top, right, bottom] = FRAME;
        let x = |value: f64| left + self.x.place(value) * (WIDTH - left - right);
        let y = |value: f64| HEIGHT - bottom - self.y.place(value) * (HEIGHT - top - bottom);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
             <text x=\"{left}\" y=\"26\" font-size=\"16\">{}</text>\n",
            self.title
        );
        for (value, label) in &self.x.ticks {
            let (x, end) = (x(*value), HEIGHT - bottom);
            let _ = writeln!(svg, "<path d=\"M{x:.1} {top}V{end}\" stroke=\"#eee\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                end + 18.0
            );
        }
        for (value, label) in &self.y.ticks {
            let y = y(*value);
            let _ = writeln!(svg, "<path d=\"M{left} {y:.1}H{}\" stroke=\"#e4e4e4\"/>", WIDTH - right);
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                left - 8.0,
                y + 4.5
            );
        }
        let (middle, centre) = (f64::midpoint(left, WIDTH - right), f64::midpoint(top, HEIGHT - bottom));
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
             <text transform=\"translate(18 {centre}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 12.0,
            self.x.title,
            self.y.title
        );
        for (number, (line, colour)) in self.lines.iter().zip(COLOURS).enumerate() {
            let points: Vec<_> =
                line.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>",
                points.join(" ")
            );
            let (key, name) = (WIDTH - right + 14.0, 24.0_f64.mul_add(number as f64, top + 14.0));
            let _ = writeln!(
                svg,
                "<path d=\"M{key} {}h18\" stroke=\"{colour}\" stroke-width=\"3\"/>\
                 <text x=\"{}\" y=\"{name}\">{}</text>",
                name - 4.5,
                key + 24.0,
                line.name
            );
        }
        svg + "</svg>\n"
    }
}
