//! Identity over refits, profiles, and the number of clusters.

use ndarray::{Array2, Array3, array};
use spendscape_segments::{
    Error,
    clusters::{GapReference, KMeans, elbow, gap_statistic},
    identity::{Fate, MatchParams, match_segments, population_stability_index, segment_drift},
    profiles::{ProfileInput, profiles},
};
use spendscape_stats::BadInput;

use crate::{normal, rng};

fn some(labels: &[usize]) -> Vec<Option<usize>> {
    labels.iter().copied().map(Some).collect()
}

#[test]
fn a_permuted_refit_keeps_all_names() {
    let old = some(&[7, 7, 7, 3, 3, 5, 5, 5, 5]);
    let new = some(&[2, 2, 2, 0, 0, 1, 1, 1, 1]);
    let found = match_segments(&old, &new, 3, 8, &MatchParams::default()).unwrap();
    assert_eq!((found.ids, found.next_id), (vec![3, 5, 7], 8));
    assert_eq!((found.drift.moved, found.drift.common, found.drift.stability_index), (0.0, 9, 0.0));
    assert!(
        found
            .drift
            .segments
            .iter()
            .all(|d| d.fate == Fate::Kept && d.overlap == 1.0 && !d.split() && !d.merged())
    );
}

#[test]
fn splits_mergers_and_newcomers_are_told_apart() {
    // Segment 0 (8 customers) is split in halves, segments 1 and 2 (4 and 4) merge; cluster 3 is made of new customers.
    let old = [some(&[0; 8]), some(&[1; 4]), some(&[2; 4]), vec![None; 3]].concat();
    let new = [some(&[0; 4]), some(&[1; 4]), some(&[2; 8]), some(&[3; 3])].concat();
    let found = match_segments(&old, &new, 4, 3, &MatchParams::default()).unwrap();
    // Every overlap is 0.5, which is not above 0.5: nothing keeps its name, and no tie is broken by chance.
    assert_eq!(found.ids, [3, 4, 5, 6]);
    assert_eq!((found.next_id, found.drift.moved), (7, 1.0));
    let row = |id: usize| found.drift.segments.iter().find(|d| d.id == id).unwrap();
    assert!(row(0).split() && row(0).fate == Fate::Disappeared);
    assert_eq!(row(0).went_to, [(3, 0.5), (4, 0.5)]);
    assert!(row(5).merged() && row(5).fate == Fate::Appeared);
    assert_eq!(row(5).came_from, [(1, 1.0), (2, 1.0)]);
    assert_eq!((row(5).closest, row(5).overlap), (Some(1), 0.5));
    assert!(row(6).came_from.is_empty());
    assert_eq!((row(6).closest, row(6).new_size), (None, 3));

    // Below that threshold one half keeps the name of segment 0, and the merged segment that of one of its parts.
    let found = match_segments(&old, &new, 4, 3, &MatchParams::default().keep(0.4).part(0.25)).unwrap();
    assert_eq!(found.drift.segments.iter().filter(|d| d.fate == Fate::Kept).count(), 2);
    assert_eq!(found.drift.moved, 0.5);
}

#[test]
fn the_larger_part_of_a_split_keeps_the_name() {
    let old = some(&[0; 10]);
    let new = some(&[0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
    let found = match_segments(&old, &new, 2, 1, &MatchParams::default()).unwrap();
    assert_eq!(found.ids, [1, 0]);
    assert_eq!(found.drift.segments[1].went_to, [(0, 0.7), (1, 0.3)]);
    assert_eq!(found.drift.segments[1].overlap, 0.7);
    // The bank that wants a closer likeness gets fresh names for both.
    let strict = MatchParams::default().keep(0.7);
    assert_eq!(match_segments(&old, &new, 2, 1, &strict).unwrap().ids, [1, 2]);
}

#[test]
fn two_refused_overlaps_do_not_outbid_the_one_that_deserves_the_name() {
    // Jaccard of 0 with A: 70 / 130 = .54; of 0 with B and of 1 with A: 30 / 100 each. The pairs 0-B and 1-A sum to .6.
    let part = |old: usize, new: usize, count: usize| vec![(Some(old), Some(new)); count];
    let customers = [part(0, 0, 70), part(0, 1, 30), part(1, 0, 30)].concat();
    let (old, new): (Vec<_>, Vec<_>) = customers.into_iter().unzip();
    let found = match_segments(&old, &new, 2, 2, &MatchParams::default()).unwrap();
    assert_eq!(found.ids, [0, 2]);
}

#[test]
fn an_empty_cluster_after_a_refit_gets_a_fresh_name() {
    let found =
        match_segments(&some(&[0, 0, 1, 1]), &some(&[0, 0, 2, 2]), 3, 2, &MatchParams::default()).unwrap();
    assert_eq!(found.ids, [0, 2, 1]);
    let empty = &found.drift.segments[1];
    assert_eq!((empty.fate, empty.new_size, empty.closest), (Fate::Appeared, 0, None));
    let nobody = match_segments(&[], &[], 1, 0, &MatchParams::default()).unwrap();
    assert_eq!(nobody.ids, [0]);
    assert!(nobody.drift.moved.is_nan() && nobody.drift.stability_index.is_nan());
}

#[test]
fn another_month_assigned_to_the_same_segments() {
    // Customer 3 moves from 4 to 9, customer 5 is new, customer 6 left; segment 2 has lost its only customer.
    let old = [Some(4), Some(4), Some(9), Some(4), Some(2), None, Some(9)];
    let new = [Some(4), Some(4), Some(9), Some(9), Some(9), Some(4), None];
    let found = segment_drift(&old, &new, &[2, 4, 9], &MatchParams::default()).unwrap();
    assert!(found.segments.iter().all(|d| d.fate == Fate::Kept));
    assert_eq!((found.common, found.moved), (5, 0.4));
    let sizes: Vec<_> = found.segments.iter().map(|d| (d.id, d.old_size, d.new_size, d.stayed)).collect();
    assert_eq!(sizes, [(2, 1, 0, 0), (4, 3, 3, 2), (9, 2, 3, 1)]);
    assert_eq!(found.segments[2].came_from, [(2, 1.0), (9, 1.0), (4, 1.0 / 3.0)]);
    let index = population_stability_index(&[1, 3, 2], &[0, 3, 3]).unwrap();
    assert_eq!(found.stability_index, index.total);
    assert!(segment_drift(&old, &new, &[2, 4], &MatchParams::default()).is_err());
}

/// Customers around centers on the unit circle, 60 around each angle (in degrees), a few degrees apart.
fn circle(angles: &[f64], seed: u64) -> Array2<f64> {
    let noise = normal(60 * angles.len(), 1, seed);
    Array2::from_shape_fn((noise.nrows(), 2), |(n, d)| {
        let angle = (angles[n / 60] + 3.0 * noise[[n, 0]]).to_radians();
        if d == 0 { angle.cos() } else { angle.sin() }
    })
}

fn fit(x: &Array2<f64>, clusters: usize, seed: u64) -> Vec<usize> {
    KMeans::params(clusters)
        .starts(8)
        .fit(x, &mut rng(seed))
        .expect("the customers are finite and more than the clusters")
        .labels
}

#[test]
fn refits_with_other_seeds_and_fresh_data_keep_all_names() {
    let angles = [0.0, 72.0, 144.0, 216.0, 288.0];
    let first = some(&fit(&circle(&angles, 1), 5, 1));
    let next_id = 5;
    for seed in 2..8 {
        // The same customers a month later, seen with fresh noise, clustered from another seed.
        let refit = some(&fit(&circle(&angles, seed), 5, seed));
        let found = match_segments(&first, &refit, 5, next_id, &MatchParams::default()).unwrap();
        assert_eq!((found.next_id, found.drift.moved), (5, 0.0), "seed {seed}");
        let kept: Vec<_> = refit.iter().map(|cluster| cluster.map(|c| found.ids[c])).collect();
        assert_eq!(kept, first);
    }
}

#[test]
fn planted_splits_and_mergers_are_named_by_the_refit() {
    // The customers of 0 and 4 degrees part by 100 degrees, those of 140 and 200 meet; those of 270 stay.
    let before = fit(&circle(&[0.0, 4.0, 140.0, 200.0, 270.0], 1), 4, 1);
    let after = fit(&circle(&[-30.0, 70.0, 168.0, 172.0, 270.0], 2), 4, 2);
    let found = match_segments(&some(&before), &some(&after), 4, 4, &MatchParams::default()).unwrap();
    let by_id = |id: usize| found.drift.segments.iter().find(|row| row.id == id).unwrap();
    let (split, stays) = (before[0], before[4 * 60]);
    assert_eq!((by_id(stays).fate, by_id(stays).overlap), (Fate::Kept, 1.0));
    assert!(by_id(split).split() && by_id(split).fate == Fate::Disappeared);
    let merged = found.ids[after[2 * 60]];
    assert!(by_id(merged).merged());
    // Halves of a segment, and a segment of two halves, are too unlike their predecessors: three fresh names.
    assert_eq!(found.next_id, 7);
    assert_eq!(found.drift.segments.iter().filter(|row| row.fate == Fate::Appeared).count(), 3);
}

/// A retrain whose ids do not hold: what the index measured then was the renumbering (4.299 instead of .028).
#[test]
fn the_stability_index_compares_the_sizes_of_matched_segments() {
    // Five segments of 78, 37, 23, 21 and 24 customers become five of 80, 25, 26, 21 and 26, of which 178 customers are in
    // both fits. A part of each goes over to the next one, so that only the first keeps its id.
    let old_sizes = [78, 37, 23, 21, 24];
    let mut customers: Vec<(Option<usize>, Option<usize>)> = Vec::new();
    let mut add = |old: Option<usize>, new: Option<usize>, count: usize| {
        customers.extend(std::iter::repeat_n((old, new), count));
    };
    let stay = [70, 17, 12, 11, 13];
    let leave = [8, 15, 11, 10, 11];
    for k in 0..5 {
        add(Some(k), Some(k), stay[k]);
        add(Some(k), Some((k + 1) % 5), leave[k]);
        add(Some(k), None, old_sizes[k] - stay[k] - leave[k]);
    }
    let (old, new): (Vec<_>, Vec<_>) = customers.into_iter().unzip();
    let found = match_segments(&old, &new, 5, 5, &MatchParams::default()).unwrap();
    assert_eq!(found.ids, [0, 5, 6, 7, 8], "four of five have new numbers");
    let new_sizes: Vec<usize> =
        (0..5).map(|k| new.iter().filter(|label| **label == Some(k)).count()).collect();
    let expected = population_stability_index(&old_sizes, &new_sizes).unwrap();
    assert!((found.drift.stability_index - expected.total).abs() < 1e-12, "{:?}", found.drift);
    let moved = leave.iter().sum::<usize>() as f64 / found.drift.common as f64;
    assert!((found.drift.moved_matched - moved).abs() < 1e-12);
    assert!(found.drift.moved > 0.5, "by number nearly all moved: {}", found.drift.moved);
    let row = |id: usize| found.drift.segments.iter().find(|row| row.id == id).unwrap();
    assert_eq!((row(5).matched, row(1).matched), (Some(1), Some(5)));
    assert!(
        (row(5).stability_index - expected.by_segment[1]).abs() < 1e-12 && row(1).stability_index.is_nan()
    );
    // The sizes of the report: 78, 37, 23, 21, 24 against 80, 25, 26, 21, 26.
    let reported = population_stability_index(&old_sizes, &[80, 25, 26, 21, 26]).unwrap().total;
    assert!((reported - 0.028).abs() < 1e-3, "{reported}");
}

/// A segment without a partner does count: as one that was empty.
#[test]
fn a_segment_without_a_partner_counts_as_empty_before() {
    let old = some(&[0; 60]);
    let new = [some(&[0; 30]), some(&[1; 30])].concat();
    let found = match_segments(&old, &new, 2, 1, &MatchParams::default().keep(0.4).part(0.25)).unwrap();
    let expected = population_stability_index(&[60, 0], &[30, 30]).unwrap();
    assert!((found.drift.stability_index - expected.total).abs() < 1e-12);
    assert_eq!(found.drift.moved_matched, 0.5);
}

#[test]
fn wrong_matches_are_refused() {
    let params = MatchParams::default();
    assert!(matches!(match_segments(&some(&[5]), &some(&[0]), 1, 5, &params), Err(Error::Index { .. })));
    assert!(match_segments(&some(&[0]), &some(&[1]), 1, 1, &params).is_err());
    assert!(match_segments(&some(&[0]), &[], 1, 1, &params).is_err());
    for (keep, part) in [(1.0, 0.25), (-0.1, 0.25), (f64::NAN, 0.25), (0.5, 0.0), (0.5, 1.5)] {
        let params = MatchParams::default().keep(keep).part(part);
        assert!(matches!(
            match_segments(&[], &[], 0, 0, &params),
            Err(Error::Input(BadInput::InvalidParameter { .. }))
        ));
    }
}

#[test]
fn the_stability_index_of_a_known_shift() {
    let found = population_stability_index(&[50, 50], &[80, 20]).unwrap();
    let expected = 0.3 * (0.8f64 / 0.5).ln() - 0.3 * (0.2f64 / 0.5).ln();
    assert!((found.total - expected).abs() < 1e-12);
    assert_eq!(population_stability_index(&[3, 4], &[6, 8]).unwrap().total, 0.0);
    assert!(population_stability_index(&[3, 0], &[3, 1]).unwrap().total.is_finite());
    assert!(population_stability_index(&[0], &[1]).is_err());
}

#[test]
fn profiles_show_what_sets_a_segment_apart() {
    let labels = [0, 0, 2, 2];
    let shares = array![[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.3, 0.4, 0.3]];
    let grades = array![[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.0, 0.0]];
    let states = Array3::from_shape_fn((4, 2, 1), |(n, t, _)| (n * (t + 1)) as f64);
    let input = ProfileInput {
        labels: &labels,
        segments: 3,
        shares: &shares,
        grades: &grades,
        states: &states,
        other_labels: Some(&[Some(0), Some(1), None, Some(2)]),
    };
    let found = profiles(&input, 2, 1).unwrap();
    assert_eq!((found[0].size, found[0].share, found[0].stability), (2, 0.5, Some(0.5)));
    assert_eq!(found[0].grades, array![0.75, 0.25]);
    assert_eq!(found[0].trajectory, array![[0.5], [1.0]]);
    assert_eq!(found[0].examples, [0]);
    let classes: Vec<usize> = found[0].spending.iter().map(|s| s.class).collect();
    // Class 2 lies one standard deviation below the population, class 0 0.93 above, class 1 0.83 below.
    assert_eq!(classes, [2, 0]);
    assert!((found[0].spending[0].difference + 1.0).abs() < 1e-12);
    assert!((found[0].spending[1].index - 0.7 / 0.45).abs() < 1e-12);
    assert_eq!((found[1].size, found[1].spending.len(), found[1].examples.len()), (0, 0, 0));
    assert!(found[1].grades[0].is_nan());
    assert!(profiles(&ProfileInput { segments: 2, ..input }, 2, 1).is_err());
}

#[test]
fn the_number_of_separate_groups_is_found() {
    let x = Array2::from_shape_fn((150, 2), |(n, d)| [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]][n % 3][d])
        + normal(150, 2, 1);
    assert_eq!(elbow(&x, 8, 4, &mut rng(1)).unwrap().clusters, 3);
    for reference in [GapReference::Uniform, GapReference::Gaussian] {
        let found = gap_statistic(&x, 6, 4, reference, 10, &mut rng(2)).unwrap();
        assert_eq!(found.clusters, 3, "{reference:?} {found:?}");
    }
    let one = gap_statistic(&normal(300, 2, 3), 5, 4, GapReference::Gaussian, 10, &mut rng(4)).unwrap();
    assert_eq!(one.clusters, 1, "{one:?}");
    // Directions of one Gaussian have no clusters either, although they lie on a sphere.
    let x = normal(400, 3, 5) + &array![1.0, 0.0, 0.0];
    let directions = gap_statistic(&x, 5, 4, GapReference::GaussianDirections, 20, &mut rng(6)).unwrap();
    assert_eq!(directions.clusters, 1, "{directions:?}");
    assert!(elbow(&x, 0, 4, &mut rng(1)).is_err());
    assert_eq!(elbow(&x, 1, 4, &mut rng(1)).unwrap().clusters, 1);
}

#[test]
fn a_race_ends_no_run_that_is_alone_or_over() {
    let x = normal(400, 3, 1);
    let params = KMeans::params(5).starts(4);
    let fit = |params: &spendscape_segments::clusters::KMeansParams| params.fit(&x, &mut rng(2));
    let whole = fit(&params).unwrap();
    assert_eq!(fit(&params.clone().race(300)).unwrap(), whole);
    let alone = params.clone().starts(1);
    assert_eq!(fit(&alone.clone().race(1)).unwrap(), fit(&alone).unwrap());
    let raced = fit(&params.clone().race(1)).unwrap();
    assert!(raced.inertia >= whole.inertia && raced.converged);
    assert!(fit(&params.race(0)).is_err());
}
