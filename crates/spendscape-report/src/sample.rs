//! Which customers are drawn where not all can be: always the same ones, whatever else the run holds.

/// A number that looks random but depends on the label alone (FNV-1a, then the finalizer of MurmurHash3, because FNV's
/// upper bits hardly differ between short labels).
fn hash(label: &[u8]) -> u64 {
    let fnv = label.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    mixed ^ (mixed >> 33)
}

/// At most `limit` of the items, in random order fixed by their labels.
pub(crate) fn by_label<T: Copy>(items: &[T], limit: usize, label: impl Fn(T) -> Vec<u8>) -> Vec<T> {
    let mut order: Vec<(u64, usize)> =
        items.iter().enumerate().map(|(at, item)| (hash(&label(*item)), at)).collect();
    order.sort_unstable();
    order.truncate(limit);
    order.into_iter().map(|(_, at)| items[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_fixed_by_the_labels_and_even() {
        let items: Vec<usize> = (0..10_000).collect();
        let label = |item: usize| format!("C{item:05}").into_bytes();
        let sample = by_label(&items, 1_000, label);
        assert_eq!(sample.len(), 1_000);
        let reversed: Vec<usize> = items.iter().rev().copied().collect();
        assert_eq!(by_label(&reversed, 1_000, label), sample);
        // Each tenth of the items has about a tenth of the sample: 100 +- 4 standard deviations of 9.5.
        for tenth in 0..10 {
            let found = sample.iter().filter(|item| **item / 1_000 == tenth).count();
            assert!((62..=138).contains(&found), "{tenth}: {found}");
        }
        assert_eq!(by_label(&items[..3], 10, label).len(), 3);
    }
}
