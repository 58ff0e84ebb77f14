//! The day on which the next group comes.

use super::NextGroup;

impl NextGroup {
    /// The days by which the group of a target (by its row) has come with each of some probabilities, for one whose last group
    /// was on day `last`; none beyond the longest gap that is told apart.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn days_by<const N: usize>(
        &self,
        row: usize,
        last: i32,
        probabilities: [f64; N],
    ) -> [Option<i32>; N] {
        let gaps = self.gaps.row(row);
        probabilities.map(|probability| {
            let mut sum = 0.0;
            let told_apart = gaps.len().saturating_sub(1);
            let gap = gaps.iter().take(told_apart).position(|p| {
                sum += p;
                sum >= probability
            });
            gap.map(|gap| last.saturating_add(gap as i32))
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn days_add_up_to_probabilities_and_end_with_the_longest_gap() {
        let next = NextGroup { goals: Array2::zeros((2, 2)), gaps: array![[0.0, 0.25, 0.25, 0.5], [0.0; 4]] };
        let found = next.days_by(0, 100, [0.1, 0.5, 0.51]);
        assert_eq!(found, [Some(101), Some(102), None]);
        assert_eq!(next.days_by(1, 100, [0.1]), [None]);
    }
}
