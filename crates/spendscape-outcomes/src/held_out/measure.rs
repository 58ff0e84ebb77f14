//! Measures of held-out scores: for everybody, by group, and between sets.

use ndarray::Array1;
use rand::Rng;
use spendscape_stats::Estimate;

use super::parity::Flags;
use crate::held_out::{
    BEST_POSSIBLE, ComparedSets, EVERYBODY, Measured, MeasuredPoint, MeasuredScore, Reference, SkippedGroup,
};
use crate::measures::{BinaryScores, Measure, bootstrap, compare_aucs, ordered_measures};
use crate::{Error, HeldOut, Outcome, Task, check};

/// Bins of the calibration curve.
const CALIBRATION_BINS: usize = 10;
/// Fewest customers of each class that a group is measured with.
const SMALLEST_CLASS: usize = 2;

/// Scores of one set and learner, for those who were held out.
struct Scored {
    set: String,
    learner: &'static str,
    scores: Array1<f64>,
    /// Whether the scores claim to be probabilities.
    probabilities: bool,
}

/// Measures held-out scores of N customers: of a binary outcome for everybody and by group, with curves and comparisons of
/// sets; of another one its ordered measures. Estimates are of `draws` bootstrap samples of customers: of a binary outcome the
/// same for all scores, and others for each group; of another one drawn anew for each score.
///
/// Customers who were held out by no fold count nowhere. The cut of precision, recall and flagged shares is the score that
/// flags as many of everybody as have a positive label.
///
/// ```
/// use ndarray::array;
/// use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
/// use spendscape_outcomes::{
///     HeldOut, Learner, Outcome, Task,
///     held_out::{Reference, measure_held_out},
/// };
///
/// let outcome = Outcome::new(Task::Continuous, &array![1.0, 2.0, 3.0, 4.0])?;
/// let scores = array![[1.1, 1.9, 3.2, 3.9]];
/// let held_out = [HeldOut { set: "spending".to_owned(), learner: Learner::Linear, scores }];
/// let reference = Reference { best: None, groups: &[], pairs: &[], parity: None, margin: 0.02 };
/// let found = measure_held_out(&outcome, &held_out, &reference, 50, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// assert!(found.scores.iter().any(|score| score.measure == "concordance" && score.value == 1.0));
/// # Ok::<(), spendscape_outcomes::Error>(())
/// ```
///
/// # Errors
/// [`BadInput::ShapeMismatch`](spendscape_stats::BadInput) where best scores or groups are not of N customers,
/// [`BadInput::OneClass`](spendscape_stats::BadInput) or [`BadInput::TooFew`](spendscape_stats::BadInput) where those held
/// out are all alike, and those of the measures.
pub fn measure_held_out<R: Rng + ?Sized>(
    outcome: &Outcome,
    held_out: &[HeldOut],
    reference: &Reference<'_>,
    draws: usize,
    rng: &mut R,
) -> Result<Measured, Error> {
    let customers = outcome.values().len();
    for held in held_out {
        check::length("customers of held-out scores", customers, held.scores.ncols())?;
    }
    check::length("best scores", customers, reference.best.map_or(customers, |best| best.len()))?;
    for (_, values) in reference.groups {
        check::length("values of a group's column", customers, values.len())?;
    }
    let mut scored: Vec<Scored> = held_out
        .iter()
        .map(|held| Scored {
            set: held.set.clone(),
            learner: held.learner.name(),
            scores: held.mean(),
            probabilities: outcome.task() == Task::Binary,
        })
        .collect();
    // A split by time holds out the later customers only.
    let rows: Vec<usize> =
        (0..customers).filter(|row| scored.iter().all(|s| s.scores[*row].is_finite())).collect();
    if let Some(best) = reference.best {
        let probabilities = outcome.task() == Task::Binary && best.iter().all(|p| (0.0..=1.0).contains(p));
        let (set, learner) = (BEST_POSSIBLE.to_owned(), "none");
        scored.push(Scored { set, learner, scores: best.to_owned(), probabilities });
    }
    let mut measured = Measured::default();
    if outcome.task() != Task::Binary {
        for scored in &scored {
            ordered(outcome, scored, &rows, draws, rng, &mut measured.scores)?;
        }
        return Ok(measured);
    }
    let adverse = outcome.above(0);
    let take = |rows: &[usize]| -> Result<Vec<BinaryScores>, Error> {
        let labels: Vec<bool> = rows.iter().map(|row| adverse[*row]).collect();
        let of = |scored: &Scored| {
            let scores: Array1<f64> = rows.iter().map(|row| scored.scores[*row]).collect();
            BinaryScores::new(&labels, &scores)
        };
        scored.iter().map(of).collect()
    };
    let all = take(&rows)?;
    let cuts: Vec<f64> =
        all.iter().map(|all| all.threshold_of_share(all.positives() as f64 / all.len() as f64)).collect();
    // Of each score: measures of everybody, then of the groups.
    let mut found: Vec<Vec<MeasuredScore>> = scored.iter().map(|_| Vec::new()).collect();
    for (group, members) in groups(reference.groups, &rows, &adverse, &mut measured.skipped) {
        let part = if group == EVERYBODY { all.clone() } else { take(&members)? };
        let measures: Vec<Vec<Measure>> = scored
            .iter()
            .zip(&part)
            .zip(&cuts)
            .map(|((scored, scores), cut)| {
                let mut measures = measures(scored, *cut);
                if group == EVERYBODY {
                    measures.extend(curve_measures(scored, scores)?);
                }
                Ok(measures)
            })
            .collect::<Result<_, Error>>()?;
        let asked: Vec<(&BinaryScores, &[Measure])> =
            part.iter().zip(&measures).map(|(scores, measures)| (scores, measures.as_slice())).collect();
        let intervals = bootstrap(&asked, draws, rng)?;
        for (k, (scored, intervals)) in scored.iter().zip(&intervals).enumerate() {
            let intervals: Vec<(Measure, Estimate)> =
                measures[k].iter().copied().zip(intervals.iter().copied()).collect();
            binary(scored, &part[k], &group, cuts[k], &intervals, &mut found[k]);
            if group == EVERYBODY {
                curves(scored, &part[k], &intervals, &mut measured.curves)?;
            }
        }
    }
    measured.scores = found.into_iter().flatten().collect();
    if let Some(sets) = reference.parity {
        let rows = rows.as_slice();
        parity(
            &Cuts { scored: &scored, all: &all, cuts: &cuts, rows },
            sets,
            reference.groups,
            draws,
            rng,
            &mut measured,
        );
    }
    compare(&scored, &all, reference, &mut measured)?;
    Ok(measured)
}

/// Everybody, then every group that can be measured, with the rows of its members.
fn groups(
    columns: &[(String, Vec<String>)],
    rows: &[usize],
    adverse: &[bool],
    skipped: &mut Vec<SkippedGroup>,
) -> Vec<(String, Vec<usize>)> {
    let mut groups = vec![(EVERYBODY.to_owned(), rows.to_vec())];
    for (column, values) in columns {
        let mut names: Vec<&String> = rows.iter().map(|row| &values[*row]).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let members: Vec<usize> = rows.iter().copied().filter(|row| values[*row] == *name).collect();
            let group = format!("{column}={name}");
            let positives = members.iter().filter(|row| adverse[**row]).count();
            if positives < SMALLEST_CLASS || members.len() - positives < SMALLEST_CLASS {
                let customers = members.len();
                skipped.push(SkippedGroup { group, customers, positives });
                continue;
            }
            groups.push((group, members));
        }
    }
    groups
}

/// Scores with the cuts above which customers are flagged.
struct Cuts<'a> {
    scored: &'a [Scored],
    all: &'a [BinaryScores],
    cuts: &'a [f64],
    rows: &'a [usize],
}

/// How differently two sets treat the groups of each column: `gap` of both, and `gap_difference` of the first at equal accuracy,
/// learner by learner.
fn parity<R: Rng + ?Sized>(
    cuts: &Cuts<'_>,
    (set, other): (&str, &str),
    columns: &[(String, Vec<String>)],
    draws: usize,
    rng: &mut R,
    measured: &mut Measured,
) {
    let mut pairs: Vec<[usize; 2]> = Vec::new();
    for (a, first) in cuts.scored.iter().enumerate().filter(|(_, scored)| scored.set == set) {
        let same = |scored: &Scored| scored.set == other && scored.learner == first.learner;
        pairs.extend(cuts.scored.iter().position(same).map(|b| [a, b]));
    }
    // Those that are large enough to be measured.
    let measured_names: Vec<String> = measured.scores.iter().map(|row| row.group.clone()).collect();
    for (column, values) in columns {
        let mut names: Vec<&str> =
            measured_names.iter().filter_map(|group| group.strip_prefix(column)?.strip_prefix('=')).collect();
        names.sort_unstable();
        names.dedup();
        let groups: Vec<Option<usize>> =
            cuts.rows.iter().map(|row| names.iter().position(|name| *name == values[*row])).collect();
        for pair in &pairs {
            let flagged =
                pair.map(|k| cuts.all[k].scores().iter().map(|score| *score >= cuts.cuts[k]).collect());
            let labels = cuts.all[pair[0]].labels();
            let found = Flags { labels, flagged, groups: &groups, count: names.len() }.parity(draws, rng);
            let mut push = |k: usize, measure: &'static str, found: Estimate| {
                measured.scores.push(MeasuredScore {
                    set: cuts.scored[k].set.clone(),
                    learner: cuts.scored[k].learner,
                    group: column.clone(),
                    measure,
                    customers: cuts.rows.len(),
                    value: found.value,
                    interval: Some([found.low, found.high]),
                });
            };
            push(pair[0], "gap", found.gaps[0]);
            push(pair[1], "gap", found.gaps[1]);
            push(pair[0], "gap_difference", found.difference);
        }
    }
}

/// The measures of everybody and of every group.
fn measures(scored: &Scored, cut: f64) -> Vec<Measure> {
    let mut measures = vec![
        Measure::Auc,
        Measure::Gini,
        Measure::Ks,
        Measure::Precision(cut),
        Measure::Recall(cut),
        Measure::TopLift,
    ];
    if scored.probabilities {
        measures.extend([
            Measure::Brier,
            Measure::LogLoss,
            Measure::CalibrationIntercept,
            Measure::CalibrationSlope,
        ]);
    }
    measures
}

/// The points of the curves that have intervals.
fn curve_measures(scored: &Scored, scores: &BinaryScores) -> Result<Vec<Measure>, Error> {
    let mut measures: Vec<Measure> = (0..scores.lift().len()).map(Measure::Lift).collect();
    if scored.probabilities {
        let bins = 0..scores.calibration(CALIBRATION_BINS)?.len();
        measures.extend(bins.map(|bin| Measure::CalibrationRate { bins: CALIBRATION_BINS, bin }));
    }
    Ok(measures)
}

fn binary(
    scored: &Scored,
    scores: &BinaryScores,
    group: &str,
    cut: f64,
    intervals: &[(Measure, Estimate)],
    rows: &mut Vec<MeasuredScore>,
) {
    let mut push = |measure: &'static str, value: f64, interval: Option<[f64; 2]>| {
        rows.push(MeasuredScore {
            set: scored.set.clone(),
            learner: scored.learner,
            group: group.to_owned(),
            measure,
            customers: scores.len(),
            value,
            interval,
        });
    };
    let single = measures(scored, cut).len();
    for (measure, found) in &intervals[..single] {
        push(measure.name(), found.value, Some([found.low, found.high]));
    }
    // Rates at the cut of everybody, by which groups are compared.
    let flagged = |wanted: Option<bool>| {
        let members: Vec<usize> = (0..scores.len())
            .filter(|row| wanted.is_none_or(|label| scores.labels()[*row] == label))
            .collect();
        members.iter().filter(|row| scores.scores()[**row] >= cut).count() as f64 / members.len() as f64
    };
    push("rate", scores.positives() as f64 / scores.len() as f64, None);
    push("flagged", flagged(None), None);
    push("false_positive_rate", flagged(Some(false)), None);
    push("cut", cut, None);
    if scored.probabilities {
        push("mean_score", scores.scores().iter().sum::<f64>() / scores.len() as f64, None);
    }
}

fn curves(
    scored: &Scored,
    scores: &BinaryScores,
    intervals: &[(Measure, Estimate)],
    points: &mut Vec<MeasuredPoint>,
) -> Result<(), Error> {
    let mut push = |curve, x, y, interval: Option<Estimate>| {
        let interval = interval.map(|found| [found.low, found.high]);
        points.push(MeasuredPoint {
            set: scored.set.clone(),
            learner: scored.learner,
            curve,
            x,
            y,
            interval,
        });
    };
    for point in scores.roc() {
        push("roc", point.false_positive_rate, point.true_positive_rate, None);
    }
    let bins = if scored.probabilities { scores.calibration(CALIBRATION_BINS)? } else { Vec::new() };
    for (measure, found) in intervals {
        match measure {
            Measure::Lift(tenth) => push(measure.name(), (tenth + 1) as f64, found.value, Some(*found)),
            Measure::CalibrationRate { bin, .. } => {
                push(measure.name(), bins[*bin].score, found.value, Some(*found));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Compares pairs of sets, with the same learner and with the better learner of each.
fn compare(
    scored: &[Scored],
    all: &[BinaryScores],
    asked: &Reference<'_>,
    measured: &mut Measured,
) -> Result<(), Error> {
    for &(set, reference) in asked.pairs {
        let of = |name: &str| -> Vec<(&'static str, &BinaryScores)> {
            let members = scored.iter().zip(all).filter(|(scored, _)| scored.set == name);
            members.map(|(scored, scores)| (scored.learner, scores)).collect()
        };
        let (first, second) = (of(set), of(reference));
        let better = |scores: &[(&'static str, &BinaryScores)]| {
            scores.iter().max_by(|a, b| a.1.auc().total_cmp(&b.1.auc())).map(|(learner, _)| *learner)
        };
        let (best_first, best_second) = (better(&first), better(&second));
        for (learner, scores) in &first {
            for (reference_learner, other) in &second {
                let decides = Some(*learner) == best_first && Some(*reference_learner) == best_second;
                if decides || learner == reference_learner {
                    let found = compare_aucs(scores, other)?;
                    measured.comparisons.push(ComparedSets {
                        set: set.to_owned(),
                        learner,
                        reference: reference.to_owned(),
                        reference_learner,
                        decides,
                        found,
                        verdict: found.non_inferiority(asked.margin),
                    });
                }
            }
        }
    }
    Ok(())
}

/// Measures of an ordinal or continuous outcome.
fn ordered<R: Rng + ?Sized>(
    outcome: &Outcome,
    scored: &Scored,
    rows: &[usize],
    draws: usize,
    rng: &mut R,
    measured: &mut Vec<MeasuredScore>,
) -> Result<(), Error> {
    let values: Array1<f64> = rows.iter().map(|row| outcome.values()[*row]).collect();
    let scores: Array1<f64> = rows.iter().map(|row| scored.scores[*row]).collect();
    // Refuses here what would be NaN in every sample.
    ordered_measures(&values, &scores)?;
    let statistics = |weights: &[u32]| -> Vec<f64> {
        let drawn: Vec<usize> =
            (0..rows.len()).flat_map(|k| std::iter::repeat_n(k, weights[k] as usize)).collect();
        let take = |from: &Array1<f64>| -> Array1<f64> { drawn.iter().map(|k| from[*k]).collect() };
        ordered_measures(&take(&values), &take(&scores))
            .map_or(vec![f64::NAN; 3], |found| vec![found.concordance, found.r2, found.rmse])
    };
    let found = spendscape_stats::bootstrap(rows.len(), draws, rng, statistics);
    for (measure, found) in ["concordance", "r2", "rmse"].into_iter().zip(found) {
        // The best possible score orders customers; it is in no unit of the outcome.
        if scored.set == BEST_POSSIBLE && measure != "concordance" {
            continue;
        }
        measured.push(MeasuredScore {
            set: scored.set.clone(),
            learner: scored.learner,
            group: EVERYBODY.to_owned(),
            measure,
            customers: rows.len(),
            value: found.value,
            interval: Some([found.low, found.high]),
        });
    }
    Ok(())
}
