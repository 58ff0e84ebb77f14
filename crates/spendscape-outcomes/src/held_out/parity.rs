//! How differently two sets of features treat groups, at equal accuracy.

use rand::Rng;
use spendscape_stats::Estimate;

/// The flags of two sets for the same customers.
#[derive(Debug)]
pub(super) struct Flags<'a> {
    /// Who has a positive label.
    pub(super) labels: &'a [bool],
    /// Who is flagged by the set and by the one that it is compared with.
    pub(super) flagged: [Vec<bool>; 2],
    /// The group of each customer, numbered from 0; nothing in a group that is too small to be measured.
    pub(super) groups: &'a [Option<usize>],
    /// How many groups there are.
    pub(super) count: usize,
}

/// Of a column of groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parity {
    /// Largest less smallest share of a group that each set flags.
    pub(super) gaps: [Estimate; 2],
    /// The first gap less the second, with the flags of the second thinned to the accuracy of the first where it has more.
    pub(super) difference: Estimate,
}

impl Flags<'_> {
    /// Gaps and their difference with bootstrap intervals over customers, for the cuts and scores as they are.
    pub(super) fn parity<R: Rng + ?Sized>(&self, draws: usize, rng: &mut R) -> Parity {
        let found =
            spendscape_stats::bootstrap(self.labels.len(), draws, rng, |times| self.once(times).to_vec());
        Parity { gaps: [found[0], found[1]], difference: found[2] }
    }

    /// Both gaps, and their difference at equal accuracy, where customers are there so many times.
    ///
    /// Accuracy is the share of flagged customers among those with the label less that among the others (Youden's J). Who
    /// replaces a share 1 - w of a set's flags by a coin that flags as often keeps w of its accuracy and w of its gaps: so the
    /// second set is thinned to the accuracy of the first where it has more. The first is not thinned: less accuracy than it
    /// has is no merit of the second.
    fn once(&self, times: &[u32]) -> [f64; 3] {
        let [first, second] = [0, 1].map(|set| self.gap(set, times));
        let [own, other] = [0, 1].map(|set| self.accuracy(set, times).max(0.0));
        let thinned = if other > own { second * own / other } else { second };
        [first, second, first - thinned]
    }

    fn accuracy(&self, set: usize, times: &[u32]) -> f64 {
        let rate = |label: bool| {
            let of = (0..times.len()).filter(|row| self.labels[*row] == label);
            let (mut flagged, mut all) = (0.0, 0.0);
            for row in of {
                let weight = f64::from(times[row]);
                all += weight;
                flagged += if self.flagged[set][row] { weight } else { 0.0 };
            }
            flagged / all
        };
        rate(true) - rate(false)
    }

    fn gap(&self, set: usize, times: &[u32]) -> f64 {
        let (mut flagged, mut all) = (vec![0.0; self.count], vec![0.0; self.count]);
        for (row, group) in self.groups.iter().enumerate() {
            let Some(group) = group else { continue };
            let weight = f64::from(times[row]);
            all[*group] += weight;
            flagged[*group] += if self.flagged[set][row] { weight } else { 0.0 };
        }
        let rates =
            flagged.iter().zip(&all).map(|(flagged, all)| flagged / all).filter(|rate| rate.is_finite());
        let (low, high) = rates
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), rate| (low.min(rate), high.max(rate)));
        high - low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags<'a>(labels: &'a [bool], groups: &'a [Option<usize>], flagged: [&[u8]; 2]) -> Flags<'a> {
        let flagged = flagged.map(|set| set.iter().map(|flag| *flag == 1).collect());
        Flags { labels, flagged, groups, count: 2 }
    }

    const LABELS: [bool; 8] = [true, true, false, false, true, true, false, false];
    const GROUPS: [Option<usize>; 8] =
        [Some(0), Some(0), Some(0), Some(0), Some(1), Some(1), Some(1), Some(1)];

    #[test]
    fn gaps_at_equal_accuracy_by_hand() {
        // All labels are found and nobody else: J = 1, both groups alike.
        let fair = [1, 1, 0, 0, 1, 1, 0, 0];
        // The whole first group: J = 0 and the widest gap.
        let by_group = [1, 1, 1, 1, 0, 0, 0, 0];
        // Of the labels three quarters, of the others one quarter: J = .5; groups three quarters and a quarter: gap .5.
        let between = [1, 1, 1, 0, 1, 0, 0, 0];
        let once = |a: &[u8], b: &[u8]| flags(&LABELS, &GROUPS, [a, b]).once(&[1; 8]);
        assert_eq!(once(&fair, &by_group), [0.0, 1.0, -1.0]);
        // A set without accuracy gains nothing by it; thinned to none, another has no gap left.
        assert_eq!(once(&between, &by_group), [0.5, 1.0, -0.5]);
        assert_eq!(once(&by_group, &between), [1.0, 0.5, 1.0]);
        assert_eq!(once(&between, &fair), [0.5, 0.0, 0.5]);
        assert_eq!(once(&fair, &between), [0.0, 0.5, -0.5]);
        assert_eq!(once(&between, &between), [0.5, 0.5, 0.0]);
        // A set with twice the accuracy and twice the gap is no less fair.
        let twice = [1, 1, 0, 0, 0, 0, 0, 0];
        let labels = [true, true, false, false, false, false, false, false];
        let half = [1, 0, 0, 0, 0, 0, 0, 0];
        let found = flags(&labels, &GROUPS, [&half, &twice]).once(&[1; 8]);
        assert_eq!(found, [0.25, 0.5, 0.0]);
    }

    #[test]
    fn customers_count_as_often_as_they_are_drawn() {
        let found =
            flags(&LABELS, &GROUPS, [&[1, 0, 0, 0, 0, 0, 0, 0], &[0; 8]]).once(&[3, 1, 0, 0, 1, 1, 1, 1]);
        assert_eq!(found[0], 0.75);
        // Of the first group only two customers are in it.
        let some = [Some(0), Some(0), None, None, Some(1), Some(1), Some(1), Some(1)];
        assert_eq!(flags(&LABELS, &some, [&[1, 0, 1, 1, 0, 0, 0, 0], &[0; 8]]).once(&[1; 8])[0], 0.5);
    }
}
