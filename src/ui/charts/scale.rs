//! Axes: where gridlines go and what they say. Pure.

/// A rounded top at or above `peak` and the distance of its gridlines: three to five lines, on 1, 2 or 5 times a
/// power of ten. A chart of nothing goes to 4, so that its lines have whole numbers.
#[must_use]
pub fn nice(peak: i64) -> (i64, i64) {
    if peak <= 4 {
        return (4, 1);
    }
    let mut magnitude = 1;
    loop {
        for factor in [1, 2, 5] {
            let step = factor * magnitude;
            let lines = (peak + step - 1) / step;
            if lines <= 5 {
                return (lines * step, step);
            }
        }
        magnitude *= 10;
    }
}

/// `950`, `1.2k`, `72k`, `3M`.
#[must_use]
pub fn short(number: i64) -> String {
    let with_unit = |unit: i64, letter: char| {
        let tenths = number * 10 / unit;
        if tenths % 10 == 0 || tenths >= 100 {
            format!("{}{letter}", tenths / 10)
        } else {
            format!("{}.{}{letter}", tenths / 10, tenths % 10)
        }
    };
    match number {
        ..1_000 => number.to_string(),
        1_000..1_000_000 => with_unit(1_000, 'k'),
        _ => with_unit(1_000_000, 'M'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_covers_the_peak_with_three_to_five_lines() {
        for peak in (1..3_000).chain([9_999, 72_010, 1_000_001, 123_456_789]) {
            let (top, step) = nice(peak);
            assert!(top >= peak && top % step == 0, "{peak}");
            assert!((2..=5).contains(&(top / step)), "{peak}: {}", top / step);
        }
    }

    #[test]
    fn numbers_are_short() {
        let all = [0, 999, 1_000, 1_250, 72_000, 2_000_000].map(short);
        assert_eq!(all, ["0", "999", "1k", "1.2k", "72k", "2M"]);
    }
}
