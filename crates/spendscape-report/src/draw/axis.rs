//! Ranges and ticks.

/// A range of values with round ticks.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
    step: f64,
}

impl Range {
    /// The range from `low` to `high` with ticks at the multiples of `step`.
    pub(crate) fn new(low: f64, high: f64, step: f64) -> Self {
        let high = if high > low { high } else { low + step };
        Self { low, high, step }
    }

    /// The range of some values, widened a little, with about `ticks` ticks.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>, ticks: f64) -> Self {
        let (low, high) = extent(values);
        let margin = if high > low { MARGIN * (high - low) } else { 0.5 };
        let (low, high) = (low - margin, high + margin);
        Self { low, high, step: round_step((high - low) / ticks) }
    }

    pub(crate) fn length(&self) -> f64 {
        self.high - self.low
    }

    /// The ticks with their labels.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        // A value a hair beyond the end through rounding is still the end.
        let slack = 1e-9 * self.step;
        let first = ((self.low - slack) / self.step).ceil() as i64;
        let last = ((self.high + slack) / self.step).floor() as i64;
        (first..=last)
            .map(|k| {
                let value = k as f64 * self.step;
                (value, label(value, self.step))
            })
            .collect()
    }
}

/// Space between the outermost value and the frame, as a share of the values' range.
const MARGIN: f64 = 0.04;

/// The smallest and the largest value; (0, 0) where there is none.
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low <= high { (low, high) } else { (0.0, 0.0) }
}

/// The next larger step of the form 1, 2, 2.5 or 5 times a power of ten.
pub(crate) fn round_step(step: f64) -> f64 {
    if !(step.is_finite() && step > f64::MIN_POSITIVE) {
        return 1.0;
    }
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// A tick's label: as many decimals as the step needs, with a real minus sign.
fn label(value: f64, step: f64) -> String {
    let decimals = (0..6).find(|decimals| {
        let scaled = step * 10_f64.powi(*decimals);
        (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
    });
    let value = if value.abs() < 1e-9 * step { 0.0 } else { value };
    if step >= 1e6 || decimals.is_none() {
        return format!("{value:.1e}").replace('-', "\u{2212}");
    }
    format!("{value:.*}", decimals.unwrap_or(0) as usize).replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let labels = |range: &Range| range.ticks().into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(&Range::new(-0.93, 1.0, 0.5)), ["\u{2212}0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(&Range::new(0.0, 1.0, 0.25))[1], "0.25");
        let around = Range::around([-3.1, 3.1], 6.0);
        assert!(around.low < -3.1 && around.high > 3.1);
        assert!(around.ticks().iter().all(|(value, _)| around.low <= *value && *value <= around.high));
        assert_eq!(labels(&around), ["\u{2212}2", "0", "2"]);
    }

    #[test]
    fn degenerate_ranges_have_a_length() {
        for range in [Range::around([], 5.0), Range::around([2.0, 2.0], 5.0), Range::new(0.0, 0.0, 0.5)] {
            assert!(range.length() > 0.0 && !range.ticks().is_empty(), "{range:?}");
        }
        assert_eq!(round_step(0.0), 1.0);
        assert_eq!([0.3, 1.0, 2.1, 3.0, 7.0].map(round_step), [0.5, 1.0, 2.5, 5.0, 10.0]);
    }
}
