//! The geometry of charts. Pure; the templates draw them as SVG, with the figures as text beside every mark.

/// The width of a chart in units of its own; it grows with the page.
const WIDTH: f64 = 320.0;
/// The height of a line's field.
const HEIGHT: f64 = 64.0;
/// Latin letters that a label has room for.
const LABEL_WIDTH: i32 = 36;
/// From one bar to the next: a line of text and the bar below it.
const STEP: usize = 34;

/// A bar and what stands above it.
pub struct Bar {
    pub label: String,
    pub text: String,
    /// Where its text stands.
    pub y: usize,
    pub bar_y: usize,
    pub length: f64,
}

/// Bars one below the other.
pub struct Bars {
    pub bars: Vec<Bar>,
    pub height: usize,
    /// All of it in words.
    pub about: String,
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

/// Bars of values, each with its label and the value as people write it; the greatest has the full width.
pub fn bars(values: Vec<(String, i64, String)>) -> Bars {
    let greatest = values.iter().map(|(_, value, _)| *value).max().unwrap_or(0).max(1);
    let about: Vec<String> = values.iter().map(|(label, _, text)| format!("{label} {text}")).collect();
    let bars = values.into_iter().enumerate().map(|(place, (label, value, text))| Bar {
        label: shortened(&label),
        text,
        y: place * STEP + 14,
        bar_y: place * STEP + 19,
        length: rounded(WIDTH * value.max(0) as f64 / greatest as f64),
    });
    let bars: Vec<Bar> = bars.collect();
    Bars { height: bars.len() * STEP, bars, about: about.join(", ") }
}

/// As much of a label as has room beside its value. Letters beyond Latin are about twice as wide.
fn shortened(label: &str) -> String {
    let mut room = LABEL_WIDTH;
    let mut fits = label.chars().take_while(|c| {
        room -= if (*c as u32) < 0x1100 { 1 } else { 2 };
        room >= 0
    });
    let text: String = fits.by_ref().collect();
    if text.len() == label.len() { text } else { format!("{text}…") }
}

/// A figure of each day.
pub struct Line {
    /// `x,y` of each day, as `points` of a polyline has them.
    pub points: String,
    pub total: i64,
    pub greatest: i64,
}

/// A line through a value a day, from zero at the bottom to the greatest at the top.
pub fn line(values: &[i64]) -> Line {
    let greatest = values.iter().copied().max().unwrap_or(0);
    let gaps = values.len().saturating_sub(1).max(1) as f64;
    let point = |(day, value): (usize, &i64)| {
        let x = WIDTH * day as f64 / gaps;
        let y = HEIGHT - HEIGHT * *value as f64 / greatest.max(1) as f64;
        format!("{},{}", rounded(x), rounded(y))
    };
    let points: Vec<String> = values.iter().enumerate().map(point).collect();
    Line { points: points.join(" "), total: values.iter().sum(), greatest }
}

/// A line through values, as small as a word; a gap where a value is not known.
pub fn sparkline(values: &[Option<i64>]) -> Sparkline {
    let greatest = values.iter().flatten().copied().max().unwrap_or(0);
    let gaps = (SPARKS - 1) as f64;
    // The newest value is at the right edge, however many there are.
    let first = SPARKS.saturating_sub(values.len());
    let mut parts: Vec<Vec<String>> = vec![Vec::new()];
    for (place, value) in values.iter().enumerate() {
        match value {
            Some(value) => {
                let x = SPARK_WIDTH * (first + place) as f64 / gaps;
                let y = SPARK_HEIGHT - SPARK_HEIGHT * *value as f64 / greatest.max(1) as f64;
                parts.last_mut().expect("one at least").push(format!("{},{}", rounded(x), rounded(y)));
            }
            None => parts.push(Vec::new()),
        }
    }
    let lines = parts.into_iter().filter(|part| !part.is_empty()).map(|part| part.join(" ")).collect();
    Sparkline { lines, greatest, last: values.last().copied().flatten() }
}

/// A tenth of a unit is finer than anybody sees.
fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values_and_none_is_longer_than_the_chart() {
        let values =
            [("a", 4), ("b", 1), ("c", 0)].map(|(label, value)| (label.to_owned(), value, value.to_string()));
        let chart = bars(values.into());
        let lengths: Vec<f64> = chart.bars.iter().map(|bar| bar.length).collect();
        assert_eq!(lengths, [320.0, 80.0, 0.0]);
        assert_eq!((chart.height, chart.about.as_str()), (102, "a 4, b 1, c 0"));
    }

    #[test]
    fn a_long_label_is_shortened_by_its_width() {
        assert_eq!(shortened("佐藤 部長"), "佐藤 部長");
        assert_eq!(shortened(&"a".repeat(200)), format!("{}…", "a".repeat(36)));
        assert_eq!(shortened(&"佐".repeat(200)), format!("{}…", "佐".repeat(18)));
    }

    #[test]
    fn a_sparkline_ends_at_the_right_edge_and_has_gaps() {
        let spark = sparkline(&[Some(2), None, Some(4), Some(0)]);
        assert_eq!(spark.lines, ["113.9,11", "118,0 120,22"]);
        assert_eq!((spark.greatest, spark.last), (4, Some(0)));
        assert_eq!(sparkline(&[]).lines, [""; 0]);
        assert_eq!(sparkline(&[None]).last, None);
    }

    #[test]
    fn a_line_goes_from_edge_to_edge_also_where_nothing_happened() {
        assert_eq!(line(&[0, 2, 1]).points, "0,64 160,0 320,32");
        assert_eq!(line(&[0, 0]).points, "0,64 320,64");
        assert_eq!(line(&[3]).points, "0,0");
        assert_eq!((line(&[0, 2, 1]).total, line(&[]).greatest), (3, 0));
    }
}
