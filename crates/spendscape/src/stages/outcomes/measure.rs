//! Measures of held-out scores: for everybody, by group, and between sets.

use anyhow::Result;
use ndarray::Array1;
use rand::Rng;
use spendscape_outcomes::{
    AucComparison, BinaryScores, HeldOut, Measure, NonInferiority, Outcome, Task, bootstrap, compare_aucs,
    ordered_measures,
};
use spendscape_stats::Estimate;

use super::{OutcomesOptions, labels::Labels};

/// The group of everybody.
pub(super) const EVERYBODY: &str = "everybody";
/// The set of scores that came with the labels.
pub(super) const BEST: &str = "best possible";
/// Bins of the calibration curve.
const CALIBRATION_BINS: usize = 10;
/// Fewest customers of each class that a group is measured with.
const SMALLEST_CLASS: usize = 2;

/// One measure.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) set: String,
    pub(super) learner: &'static str,
    pub(super) group: String,
    pub(super) measure: &'static str,
    pub(super) customers: usize,
    pub(super) value: f64,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

/// One comparison of two sets.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) set: String,
    pub(super) learner: &'static str,
    pub(super) reference: String,
    pub(super) reference_learner: &'static str,
    pub(super) decides: bool,
    pub(super) found: AucComparison,
    pub(super) margin: f64,
    pub(super) verdict: NonInferiority,
}

/// A point of a curve.
#[derive(Debug)]
pub(super) struct CurvePoint {
    pub(super) set: String,
    pub(super) learner: &'static str,
    pub(super) curve: &'static str,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) interval: Option<[f64; 2]>,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) curves: Vec<CurvePoint>,
}

/// Scores of one set and learner, for those who were held out.
struct Scored {
    set: String,
    learner: &'static str,
    scores: Array1<f64>,
    /// Whether the scores claim to be probabilities.
    probabilities: bool,
}

pub(super) fn measure<R: Rng>(
    outcome: &Outcome,
    labels: &Labels,
    held_out: &[HeldOut],
    options: &OutcomesOptions,
    rng: &mut R,
) -> Result<Measured> {
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
        (0..labels.customers.len()).filter(|row| scored.iter().all(|s| s.scores[*row].is_finite())).collect();
    if let Some(best) = &labels.best {
        let probabilities = outcome.task() == Task::Binary && best.iter().all(|p| (0.0..=1.0).contains(p));
        let (set, learner) = (BEST.to_owned(), "none");
        scored.push(Scored { set, learner, scores: best.clone(), probabilities });
    }
    let mut measured = Measured::default();
    if outcome.task() != Task::Binary {
        for scored in &scored {
            ordered(outcome, scored, &rows, options.draws, rng, &mut measured.rows)?;
        }
        return Ok(measured);
    }
    let adverse = outcome.above(0);
    let take = |rows: &[usize]| -> Result<Vec<BinaryScores>> {
        let labels: Vec<bool> = rows.iter().map(|row| adverse[*row]).collect();
        let of = |scored: &Scored| {
            let scores: Array1<f64> = rows.iter().map(|row| scored.scores[*row]).collect();
            Ok(BinaryScores::new(&labels, &scores)?)
        };
        scored.iter().map(of).collect()
    };
    let all = take(&rows)?;
    let cuts: Vec<f64> =
        all.iter().map(|all| all.threshold_of_share(all.positives() as f64 / all.len() as f64)).collect();
    // Of each score: measures of everybody, then of the groups.
    let mut found: Vec<Vec<Row>> = scored.iter().map(|_| Vec::new()).collect();
    for (group, members) in groups(labels, &rows, &adverse) {
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
            .collect::<Result<_>>()?;
        let asked: Vec<(&BinaryScores, &[Measure])> =
            part.iter().zip(&measures).map(|(scores, measures)| (scores, measures.as_slice())).collect();
        let intervals = bootstrap(&asked, options.draws, rng)?;
        for (k, (scored, intervals)) in scored.iter().zip(&intervals).enumerate() {
            let intervals: Vec<(Measure, Estimate)> =
                measures[k].iter().copied().zip(intervals.iter().copied()).collect();
            binary(scored, &part[k], &group, cuts[k], &intervals, &mut found[k]);
            if group == EVERYBODY {
                curves(scored, &part[k], &intervals, &mut measured.curves)?;
            }
        }
    }
    measured.rows = found.into_iter().flatten().collect();
    compare(&scored, &all, options.margin, &mut measured)?;
    Ok(measured)
}

/// Everybody, then every group that can be measured, with the rows of its members.
fn groups(labels: &Labels, rows: &[usize], adverse: &[bool]) -> Vec<(String, Vec<usize>)> {
    let mut groups = vec![(EVERYBODY.to_owned(), rows.to_vec())];
    for (column, values) in &labels.groups {
        let mut names: Vec<&String> = rows.iter().map(|row| &values[*row]).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let members: Vec<usize> = rows.iter().copied().filter(|row| values[*row] == *name).collect();
            let group = format!("{column}={name}");
            let positives = members.iter().filter(|row| adverse[**row]).count();
            if positives < SMALLEST_CLASS || members.len() - positives < SMALLEST_CLASS {
                let customers = members.len();
                tracing::warn!(group, customers, positives, "too few of a class to measure the group");
                continue;
            }
            groups.push((group, members));
        }
    }
    groups
}

/// What is measured of everybody and of every group.
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
fn curve_measures(scored: &Scored, scores: &BinaryScores) -> Result<Vec<Measure>> {
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
    rows: &mut Vec<Row>,
) {
    let mut push = |measure: &'static str, value: f64, interval: Option<[f64; 2]>| {
        rows.push(Row {
            set: scored.set.clone(),
            learner: scored.learner,
            group: group.to_owned(),
            measure,
            customers: scores.len(),
            value,
            low: interval.map(|[low, _]| low),
            high: interval.map(|[_, high]| high),
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
    points: &mut Vec<CurvePoint>,
) -> Result<()> {
    let mut push = |curve, x, y, interval: Option<Estimate>| {
        let interval = interval.map(|found| [found.low, found.high]);
        points.push(CurvePoint { set: scored.set.clone(), learner: scored.learner, curve, x, y, interval });
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

/// Compares the sets that the claim is about, with the same learner and with the better learner of each.
fn compare(scored: &[Scored], all: &[BinaryScores], margin: f64, measured: &mut Measured) -> Result<()> {
    let pairs = [
        ("trajectory", "bespoke"),
        ("trajectory", "bespoke-no-balance"),
        ("trajectory", "shares"),
        ("combined", "bespoke"),
        ("combined-no-balance", "bespoke-no-balance"),
    ];
    for (set, reference) in pairs {
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
                    measured.comparisons.push(Comparison {
                        set: set.to_owned(),
                        learner,
                        reference: reference.to_owned(),
                        reference_learner,
                        decides,
                        found,
                        margin,
                        verdict: found.non_inferiority(margin),
                    });
                }
            }
        }
    }
    Ok(())
}

/// Measures of an ordinal or continuous outcome.
fn ordered<R: Rng>(
    outcome: &Outcome,
    scored: &Scored,
    rows: &[usize],
    draws: usize,
    rng: &mut R,
    measured: &mut Vec<Row>,
) -> Result<()> {
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
        if scored.set == BEST && measure != "concordance" {
            continue;
        }
        measured.push(Row {
            set: scored.set.clone(),
            learner: scored.learner,
            group: EVERYBODY.to_owned(),
            measure,
            customers: rows.len(),
            value: found.value,
            low: Some(found.low),
            high: Some(found.high),
        });
    }
    Ok(())
}
