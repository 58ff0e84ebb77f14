//! The complete list of fixed points, with a proof: interval branch and bound for up to six units per layer; the linear
//! regions, one after the other, of a relu layer.

mod batch;
mod boxes;
mod gru;
mod lstm;
mod relu;
mod rnn;
mod search;
mod stacked;

pub(crate) use batch::{Batch, roll_out};
pub(crate) use boxes::Rows;
pub(crate) use lstm::{LstmReduced, Recurrent, recurrent, step};
pub use relu::RELU_UNITS_MAX;
pub(crate) use search::{Root, Search};

use gru::{GruReduced, ResetBefore};
use rnn::RnnReduced;

use crate::fixed_points::spectrum::SpectrumWork;
use crate::fixed_points::{Fate, FindParams, FixedPoint, find_fixed_points};
use crate::interval::{Interval, by_lower_ends};
use crate::map::{GruMap, LstmMap, Map, Nonlinearity, Reset, RnnMap};

/// The largest number of units per layer for which completeness is proved; the cost grows about tenfold per unit.
pub const COMPLETE_UNITS_MAX: usize = 6;

/// A system of `N` equations on `(-1, 1)^N` whose roots are a map's fixed points.
pub(crate) trait Reduced<const N: usize> {
    /// Narrows the box without losing a root; `false` when no root is left.
    fn contract(&self, x: &mut [Interval; N]) -> bool;
    /// The rows' values at `mid` and Jacobian over `x`.
    fn rows(&self, x: &[Interval; N], mid: &[f64; N]) -> Rows<N>;
}

/// How a search for fixed points ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The list is proved complete.
    Complete,
    /// The list is complete but for roots in the undecided boxes (a singular or nearly singular point).
    Undecided,
    /// The cap was reached: the undecided boxes cover everything not yet searched.
    Exhausted,
    /// The system is too large for the search: each point is certified, completeness is not proved.
    NotProved,
}

/// Parameters of the complete search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchParams {
    pub(crate) max_boxes: Option<usize>,
}

impl SearchParams {
    /// The most boxes examined per layer problem; `None` takes the default for the number of units (20,000 up to four
    /// units, 200,000 for five, 2,000,000 for six).
    #[must_use]
    pub fn max_boxes(mut self, max_boxes: usize) -> Self {
        self.max_boxes = Some(max_boxes);
        self
    }

    /// The cap for a system of `units` equations.
    #[must_use]
    pub fn cap(&self, units: usize) -> usize {
        // The largest number of boxes seen at three units is below a thousand; five and six are extrapolated.
        self.max_boxes.unwrap_or(match units {
            0..=4 => 20_000,
            5 => 200_000,
            _ => 2_000_000,
        })
    }
}

/// Every fixed point of a map, or what is known of them.
#[derive(Debug, Clone)]
pub struct FixedPointList {
    /// The certified points, in the order of their first coordinates.
    pub points: Vec<FixedPoint>,
    /// Boxes of states that may hold further points (of a stack, possibly of its lower layers only). Beyond the complete
    /// search: states that solve the equations to rounding but that no test certifies.
    pub undecided: Vec<Vec<Interval>>,
    /// How the search ended.
    pub outcome: Outcome,
    /// Boxes examined.
    pub boxes: usize,
    /// The sum of the signs of `det(I - R')` over the points when the list is complete: one, by Brouwer's degree; of a relu
    /// layer, whose states may grow for ever, possibly another number.
    pub degree: Option<i32>,
    /// The fate of each start, where the points come from many starts ([`Outcome::NotProved`]); empty otherwise.
    pub starts: Vec<Fate>,
}

/// A map whose fixed points can all be listed.
pub trait Complete: Map {
    /// Lists every fixed point with a proof, up to [`COMPLETE_UNITS_MAX`] units per layer ([`RELU_UNITS_MAX`] of a relu
    /// layer); above that, certified points from many starts with the outcome [`Outcome::NotProved`].
    fn fixed_points(&self, params: &SearchParams) -> FixedPointList;
}

/// The result of a reduced search, free of its dimension.
pub(crate) struct Raw {
    pub(crate) roots: Vec<RawRoot>,
    pub(crate) undecided: Vec<Vec<Interval>>,
    pub(crate) outcome: Outcome,
    pub(crate) boxes: usize,
}

/// A root of a reduced system, free of its dimension.
pub(crate) struct RawRoot {
    pub(crate) tight: Vec<Interval>,
    pub(crate) unique: Vec<Interval>,
    /// The cells of an LSTM; empty otherwise.
    pub(crate) cells: Vec<Interval>,
    pub(crate) sign: i32,
}

fn run<const N: usize>(
    system: &impl Reduced<N>,
    params: &SearchParams,
    cells: impl Fn(&[Interval; N]) -> Vec<Interval>,
) -> Raw {
    let mut search = Search::new();
    let outcome = search.run(system, params.cap(N));
    let roots = search.roots.iter().map(|r| RawRoot {
        tight: r.tight.to_vec(),
        unique: r.unique.to_vec(),
        cells: cells(&r.tight),
        sign: r.sign,
    });
    Raw {
        roots: roots.collect(),
        undecided: search.undecided.iter().map(|b| [b.as_slice(), &cells(b)].concat()).collect(),
        outcome,
        boxes: search.boxes,
    }
}

/// Calls `$body` with the constant `N` equal to `$units`, or evaluates `$larger`.
macro_rules! with_units {
    ($units:expr, $n:ident => $body:expr, $larger:expr) => {
        match $units {
            1 => {
                const $n: usize = 1;
                $body
            }
            2 => {
                const $n: usize = 2;
                $body
            }
            3 => {
                const $n: usize = 3;
                $body
            }
            4 => {
                const $n: usize = 4;
                $body
            }
            5 => {
                const $n: usize = 5;
                $body
            }
            6 => {
                const $n: usize = 6;
                $body
            }
            _ => $larger,
        }
    };
}
pub(crate) use with_units;

impl<'a, const N: usize> LstmReduced<'a, N> {
    /// The reduced system of a map with `N` units, whose recurrent weights are `w`.
    pub(crate) fn of(map: &LstmMap<'_>, w: &'a Recurrent<N>) -> Self {
        Self { z0: std::array::from_fn(|q| std::array::from_fn(|k| map.z0[q * N + k])), w }
    }
}

/// The reduced search of one LSTM layer, or `None` when it has too many units.
pub(crate) fn lstm_raw(map: &LstmMap<'_>, params: &SearchParams) -> Option<Raw> {
    with_units!(map.units(), N => {
        let w = recurrent(map.cell);
        let system = LstmReduced::<N>::of(map, &w);
        Some(run(&system, params, |x| (0..N).map(|k| system.cell(k, x)).collect()))
    }, None)
}

fn rnn_raw(map: &RnnMap<'_>, params: &SearchParams) -> Option<Raw> {
    let w = &map.cell.affine;
    with_units!(map.dim(), N => {
        let system = RnnReduced::<N> {
            z0: std::array::from_fn(|k| map.z0[k]),
            w: std::array::from_fn(|k| std::array::from_fn(|j| w.recurrent(k, j))),
        };
        Some(run(&system, params, |_| Vec::new()))
    }, None)
}

fn gru_raw(map: &GruMap<'_>, params: &SearchParams) -> Option<Raw> {
    let w = &map.cell.affine;
    with_units!(map.dim(), N => {
        let r0 = std::array::from_fn(|k| map.z0[k]);
        let n0 = std::array::from_fn(|k| map.z0[2 * N + k]);
        let w_r = std::array::from_fn(|k| std::array::from_fn(|j| w.recurrent(k, j)));
        let w_n = std::array::from_fn(|k| std::array::from_fn(|j| w.recurrent(2 * N + k, j)));
        Some(match &map.cell.reset {
            Reset::After { bias } => {
                let a0 = std::array::from_fn(|k| Interval::point(bias[k]));
                run(&GruReduced::<N> { r0, n0, a0, w_r, w_n }, params, |_| Vec::new())
            }
            Reset::Before => run(&ResetBefore::<N> { r0, n0, w_r, w_n }, params, |_| Vec::new()),
        })
    }, None)
}

/// Attaches residual and stability to the roots of a reduced search.
pub(crate) fn finish(map: &impl Map, raw: Option<Raw>) -> FixedPointList {
    let Some(raw) = raw else { return not_proved(map) };
    let mut work = SpectrumWork::default();
    let mut points: Vec<FixedPoint> = raw
        .roots
        .iter()
        .map(|root| {
            let enclosure = [root.tight.as_slice(), &root.cells].concat();
            let mut uniqueness = root.unique.clone();
            // A fixed point's cells follow from its hidden state: the box is unique whatever the cells.
            uniqueness.resize(enclosure.len(), Interval::ENTIRE);
            FixedPoint::at(map, enclosure, uniqueness, &mut work)
        })
        .collect();
    points.sort_by(|a, b| by_lower_ends(&a.enclosure, &b.enclosure));
    let degree = (raw.outcome == Outcome::Complete).then(|| raw.roots.iter().map(|r| r.sign).sum());
    FixedPointList {
        points,
        undecided: raw.undecided,
        outcome: raw.outcome,
        boxes: raw.boxes,
        degree,
        starts: Vec::new(),
    }
}

/// Certified points from many starts, for systems beyond the search.
fn not_proved(map: &impl Map) -> FixedPointList {
    let mut found = find_fixed_points(map, &FindParams::default(), &[]);
    let mut order: Vec<usize> = (0..found.certificates.len()).collect();
    order.sort_by(|&a, &b| by_lower_ends(&found.certificates[a].enclosure, &found.certificates[b].enclosure));
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(now, &before)| place[before] = now);
    for fate in &mut found.fates {
        fate.point = fate.point.map(|before| place[before]);
    }
    let uncertified = found.uncertified.iter().map(|x| x.iter().map(|&v| Interval::point(v)).collect());
    FixedPointList {
        undecided: uncertified.collect(),
        points: order.into_iter().map(|k| found.certificates[k].clone()).collect(),
        outcome: Outcome::NotProved,
        boxes: 0,
        degree: None,
        starts: found.fates,
    }
}

impl Complete for LstmMap<'_> {
    fn fixed_points(&self, params: &SearchParams) -> FixedPointList {
        finish(self, lstm_raw(self, params))
    }
}

impl Complete for RnnMap<'_> {
    fn fixed_points(&self, params: &SearchParams) -> FixedPointList {
        match self.cell.nonlinearity {
            Nonlinearity::Tanh => finish(self, rnn_raw(self, params)),
            Nonlinearity::Relu => relu::fixed_points(self),
        }
    }
}

impl Complete for GruMap<'_> {
    fn fixed_points(&self, params: &SearchParams) -> FixedPointList {
        finish(self, gru_raw(self, params))
    }
}
