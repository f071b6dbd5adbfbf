//! The geometry of charts. Pure; the templates draw them as SVG, with scales, and with the figures as text.

/// The width of a line's field in units of its own; it grows with the page.
const WIDTH: f64 = 320.0;
/// The height of a line's field.
const HEIGHT: f64 = 64.0;
/// The parts that a scale has, at most.
const PARTS_MAX: i64 = 4;

/// A mark of a scale: where it stands, from 0 to 100, and its value.
#[derive(Debug, PartialEq)]
pub struct Tick {
    pub at: f64,
    pub value: i64,
}

/// A range from zero to a round number, in which all values lie.
#[derive(Debug, PartialEq)]
pub struct Scale {
    pub top: i64,
    /// From zero to the top.
    pub ticks: Vec<Tick>,
}

impl Scale {
    /// The scale for values of which `greatest` is the greatest. Its steps are 1, 2 or 5, or these times 10, 100, …
    pub fn of(greatest: i64) -> Self {
        let greatest = greatest.max(1);
        let step = steps().find(|step| step.saturating_mul(PARTS_MAX) >= greatest).unwrap_or(i64::MAX);
        let parts = (greatest - 1) / step + 1;
        let tick = |part: i64| Tick {
            at: rounded(100.0 * part as f64 / parts as f64),
            value: step.saturating_mul(part),
        };
        Self { top: step.saturating_mul(parts), ticks: (0..=parts).map(tick).collect() }
    }

    /// A value's part of the whole, from 0 to `full`.
    fn share(&self, value: i64, full: f64) -> f64 {
        rounded(full * value.max(0) as f64 / self.top as f64)
    }
}

/// 1, 2, 5, 10, 20, 50, …
fn steps() -> impl Iterator<Item = i64> {
    let powers = (0..19).map(|power| 10_i64.pow(power));
    powers.flat_map(|power| [power, 2 * power, 5 * power])
}

/// A bar: what it is of, its value as people write it, and its length, of 100.
pub struct Bar {
    pub label: String,
    pub text: String,
    pub length: f64,
}

/// Bars one below the other, on one scale.
pub struct Bars {
    pub bars: Vec<Bar>,
    pub scale: Scale,
}

/// Bars of values, each with its label and the value as people write it.
pub fn bars(values: Vec<(String, i64, String)>) -> Bars {
    let scale = Scale::of(values.iter().map(|(_, value, _)| *value).max().unwrap_or(0));
    let bar =
        |(label, value, text): (String, i64, String)| Bar { label, text, length: scale.share(value, 100.0) };
    Bars { bars: values.into_iter().map(bar).collect(), scale }
}

/// A figure of each day.
pub struct Line {
    /// `x,y` of each day, as `points` of a polyline has them.
    pub points: String,
    /// The values, in a row, for the page's script.
    pub values: String,
    pub total: i64,
    pub greatest: i64,
    pub scale: Scale,
    /// Where the scale's marks stand, from the top.
    pub rules: Vec<f64>,
}

/// A line through a value a day, from zero at the bottom to the scale's top.
pub fn line(values: &[i64]) -> Line {
    let greatest = values.iter().copied().max().unwrap_or(0);
    let scale = Scale::of(greatest);
    let gaps = values.len().saturating_sub(1).max(1) as f64;
    let point = |(day, value): (usize, &i64)| {
        let x = WIDTH * day as f64 / gaps;
        format!("{},{}", rounded(x), rounded(HEIGHT - scale.share(*value, HEIGHT)))
    };
    let points: Vec<String> = values.iter().enumerate().map(point).collect();
    let texts: Vec<String> = values.iter().map(i64::to_string).collect();
    Line {
        points: points.join(" "),
        values: texts.join(","),
        total: values.iter().sum(),
        greatest,
        rules: scale.ticks.iter().map(|tick| rounded(HEIGHT * (1.0 - tick.at / 100.0))).collect(),
        scale,
    }
}

/// The values that a sparkline has room for: an hour's minutes.
const SPARKS: usize = 60;
const SPARK_WIDTH: f64 = 120.0;
const SPARK_HEIGHT: f64 = 22.0;

/// A line as small as a word.
pub struct Sparkline {
    /// `x,y` of each value, as `points` of a polyline has them; several where values are unknown between them.
    pub lines: Vec<String>,
    pub greatest: i64,
    /// The newest value, if it is known.
    pub last: Option<i64>,
}

/// A line through values, as small as a word; a gap where a value is not known.
pub fn sparkline(values: &[Option<i64>]) -> Sparkline {
    let greatest = values.iter().flatten().copied().max().unwrap_or(0);
    let gaps = (SPARKS - 1) as f64;
    // The newest value is at the right edge, however many there are.
    let first = SPARKS.saturating_sub(values.len());
    let mut parts: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (place, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                let x = SPARK_WIDTH * (first + place) as f64 / gaps;
                let y = SPARK_HEIGHT - SPARK_HEIGHT * *value as f64 / greatest.max(1) as f64;
                parts.last_mut().expect("one at least").push((rounded(x), rounded(y)));
            }
            None => parts.push(Vec::new()),
        }
    }
    let lines = parts.iter().filter(|part| !part.is_empty()).map(|part| corners(part)).collect();
    Sparkline { lines, greatest, last: values.last().copied().flatten() }
}

/// `x,y` of the points, without those in the midst of a level line.
fn corners(part: &[(f64, f64)]) -> String {
    let is_level = |place: usize| {
        let around = place.checked_sub(1).and_then(|before| part.get(before)).zip(part.get(place + 1));
        around.is_some_and(|(before, after)| [before.1, after.1] == [part[place].1; 2])
    };
    let corners = part.iter().enumerate().filter(|(place, _)| !is_level(*place));
    corners.map(|(_, (x, y))| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

/// A tenth of a unit is finer than anybody sees.
fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(greatest: i64) -> Vec<i64> {
        Scale::of(greatest).ticks.iter().map(|tick| tick.value).collect()
    }

    #[test]
    fn a_scale_has_round_steps_and_few_of_them() {
        for (greatest, expected) in [
            (0, vec![0, 1]),
            (1, vec![0, 1]),
            (3, vec![0, 1, 2, 3]),
            (4, vec![0, 1, 2, 3, 4]),
            (5, vec![0, 2, 4, 6]),
            (9, vec![0, 5, 10]),
            (37, vec![0, 10, 20, 30, 40]),
            (1_200, vec![0, 500, 1_000, 1_500]),
            (50_000, vec![0, 20_000, 40_000, 60_000]),
        ] {
            assert_eq!(marks(greatest), expected, "{greatest}");
        }
    }

    #[test]
    fn a_scale_reaches_every_value_and_wastes_less_than_half() {
        for greatest in (1..3_000).chain([i64::MAX / 2]) {
            let scale = Scale::of(greatest);
            assert!(scale.top >= greatest && scale.ticks.len() <= 5, "{greatest}: {scale:?}");
            assert!(greatest * 2 >= scale.top, "{greatest}: {scale:?}");
            assert_eq!(scale.ticks.last().map(|tick| tick.at), Some(100.0));
        }
        assert!(Scale::of(i64::MAX).top > 0 && Scale::of(-5).top == 1);
    }

    #[test]
    fn bars_are_as_long_as_their_values_on_one_scale() {
        let values =
            [("a", 4), ("b", 1), ("c", 0)].map(|(label, value)| (label.to_owned(), value, value.to_string()));
        let chart = bars(values.into());
        let lengths: Vec<f64> = chart.bars.iter().map(|bar| bar.length).collect();
        assert_eq!((lengths, chart.scale.top), (vec![100.0, 25.0, 0.0], 4));
    }

    #[test]
    fn a_line_goes_from_edge_to_edge_also_where_nothing_happened() {
        assert_eq!(line(&[0, 2, 1]).points, "0,64 160,0 320,32");
        assert_eq!(line(&[0, 0]).points, "0,64 320,64");
        assert_eq!(line(&[3]).points, "0,0");
        let three = line(&[0, 2, 1]);
        assert_eq!((three.total, three.greatest, three.values.as_str()), (3, 2, "0,2,1"));
        assert_eq!((three.rules, line(&[]).points.as_str()), (vec![64.0, 32.0, 0.0], ""));
    }

    #[test]
    fn a_sparkline_ends_at_the_right_edge_and_has_gaps() {
        let spark = sparkline(&[Some(2), None, Some(4), Some(0)]);
        assert_eq!(spark.lines, ["113.9,11", "118,0 120,22"]);
        assert_eq!((spark.greatest, spark.last), (4, Some(0)));
        assert_eq!(sparkline(&[Some(0); 60]).lines, ["0,22 120,22"]);
        let up = sparkline(&[Some(1), Some(1), Some(1), Some(2), Some(2)]);
        assert_eq!(up.lines, ["111.9,11 115.9,11 118,0 120,0"]);
        assert_eq!(sparkline(&[]).lines, [""; 0]);
        assert_eq!(sparkline(&[None]).last, None);
    }
}
