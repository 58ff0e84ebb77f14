//! Customers: complete list, stability of each point, and the point that the roll-out reaches.

use std::ops::Range;

use num_complex::Complex64;

use super::PopulationParams;
use super::table::{Arrival, NOTHING, Population};
use crate::attractors::is_line;
use crate::fixed_points::certificate::{representative, time_constant};
use crate::fixed_points::complete::{Batch, LstmReduced, Recurrent, Root, roll_out, step};
use crate::fixed_points::spectrum::SpectrumWork;
use crate::fixed_points::{Outcome, Solver, Spectrum, Verdict, certify};
use crate::interval::{Interval, by_lower_ends};
use crate::map::{LstmCell, LstmMap};

/// Steps between two looks at the distance from the nearest stable point.
const LOOK_EVERY: usize = 8;
/// The contraction test is repeated when the distance has shrunk below this share of the last one tried.
const RETRY_SHRINK: f64 = 0.6;
/// The tested neighborhood exceeds the roll-out's distance by this share, which covers the rounding of the distance.
const BALL_MARGIN: f64 = 1e-6;
/// The smallest neighborhood: covers the enclosure of the point itself.
const BALL_MIN: f64 = 1e-11;
/// Where no stable point can be reached within the step limit, a roll-out ends at this part of it: what is left is a marginal
/// point, or a roll-out that never settles.
const UNREACHABLE_SHARE: usize = 10;
/// Steps of the Newton polish after a roll-out that no contraction has caught.
pub(super) const NEWTON_STEPS: usize = 60;

/// Customers searched together at the most, which bounds the memory that undecided boxes take.
const TOGETHER: usize = 128;
/// Roots of a customer that there is room for from the beginning.
const ROOTS: usize = 8;

/// Some customers and memory for their analysis, for cells of `N` units.
pub(super) struct CustomerAnalysis<'a, const N: usize> {
    /// The map of the customer at hand.
    map: LstmMap<'a>,
    solver: Solver,
    w: &'a Recurrent<N>,
    /// The reduced systems of the customers searched together, and the middles of their enclosed pre-activations.
    systems: Vec<LstmReduced<'a, N>>,
    mids: Vec<[[f64; N]; 4]>,
    batch: Batch<N>,
    horizons: Vec<[[f64; N]; 2]>,
    /// The customer at hand, and its roots.
    at: usize,
    roots: Vec<Root<N>>,
    spectrum: SpectrumWork,
    jacobian: Vec<Interval>,
    cells: Vec<[Interval; N]>,
    vectors: Vec<Complex64>,
    inverses: Vec<Complex64>,
    /// Start of each point's eigenbasis in `vectors` and `inverses`, and its length (zero: no basis).
    bases: Vec<(usize, usize)>,
}

/// A state of the roll-out.
#[derive(Clone, Copy)]
struct State<const N: usize> {
    h: [f64; N],
    c: [f64; N],
}

impl<const N: usize> State<N> {
    fn flat(&self) -> impl Iterator<Item = f64> + '_ {
        self.h.iter().chain(&self.c).copied()
    }
}

/// A neighborhood of a point being tried for contraction.
struct ContractionCandidate {
    point: usize,
    /// The distance at which the next test is worth its cost.
    next: f64,
}

impl<'a, const N: usize> CustomerAnalysis<'a, N> {
    /// For a number of customers of a cell with the recurrent weights `w`.
    pub(super) fn new(cell: &'a LstmCell, w: &'a Recurrent<N>, customers: usize) -> Self {
        let customers = customers.min(TOGETHER);
        Self {
            map: LstmMap { cell, z0: Vec::with_capacity(cell.affine.rows()), input_known: false },
            solver: Solver::new(2 * N),
            w,
            systems: Vec::with_capacity(customers),
            mids: Vec::with_capacity(customers),
            batch: Batch::new(customers),
            horizons: Vec::with_capacity(customers),
            at: 0,
            roots: Vec::with_capacity(ROOTS),
            spectrum: SpectrumWork::default(),
            jacobian: vec![Interval::ZERO; 4 * N * N],
            cells: Vec::new(),
            vectors: Vec::new(),
            inverses: Vec::new(),
            bases: Vec::new(),
        }
    }

    /// Appends customers to the table; `fill` writes the enclosed pre-activations of each.
    pub(super) fn analyze(
        &mut self,
        customers: Range<usize>,
        fill: impl Fn(usize, &mut Vec<Interval>),
        params: &PopulationParams,
        table: &mut Population,
    ) {
        for first in customers.clone().step_by(TOGETHER) {
            self.mids.clear();
            self.systems.clear();
            for n in first..customers.end.min(first + TOGETHER) {
                fill(n, &mut self.map.z0);
                let system = LstmReduced::of(&self.map, self.w);
                self.mids.push(system.z0.map(|gate| gate.map(Interval::mid)));
                self.systems.push(system);
            }
            self.batch.run(&self.systems, params.search.cap(N));
            roll_out(&self.mids, self.w, params.horizon, &mut self.horizons);
            for at in 0..self.systems.len() {
                self.at = at;
                self.map.z0.clear();
                self.map.z0.extend(self.systems[at].z0.as_flattened());
                self.one(params, table);
            }
        }
    }

    fn system(&self) -> &LstmReduced<'a, N> {
        &self.systems[self.at]
    }

    /// Appends the customer at hand to the table.
    fn one(&mut self, params: &PopulationParams, table: &mut Population) {
        let end = self.batch.end(self.at);
        self.roots.clear();
        self.roots.extend_from_slice(self.batch.roots(self.at));
        self.roots.sort_unstable_by(|a, b| by_lower_ends(&a.tight, &b.tight));
        let first = table.points.len();
        self.points(table);
        let last = table.points.len();
        table.points.offsets.push(last);
        table.outcome.push(end.outcome);
        table.boxes.push(end.boxes);
        table.line.push(end.outcome != Outcome::Complete && self.on_a_line());

        let [h, c] = self.horizons[self.at];
        let mut state = State { h, c };
        table.horizon.extend(state.flat());
        let at_horizon = state.h;
        let (point, arrival) = self.arrive(&mut state, params, &table.points.spectrum[first..]);
        match point {
            Some(Reached::Listed(k)) => {
                let row = first + k;
                table.spectrum.push(table.points.spectrum[row]);
                table.end_point.push(Some(row));
                state.h = std::array::from_fn(|j| table.points.states[row * 2 * N + j]);
                state.c = std::array::from_fn(|j| table.points.states[row * 2 * N + N + j]);
            }
            Some(Reached::Other(found)) => {
                table.spectrum.push(found.spectrum);
                table.end_point.push(None);
                state.h = std::array::from_fn(|j| found.state[j]);
                state.c = std::array::from_fn(|j| found.state[N + j]);
            }
            None => {
                table.spectrum.push(NOTHING);
                table.end_point.push(None);
            }
        }
        table.end.extend(state.flat());
        table.arrival.push(arrival);
        finish(table, &at_horizon, &state.h, params);
    }

    /// Whether the undecided boxes form a line attractor (a cold path: hardly any customer has undecided boxes).
    fn on_a_line(&self) -> bool {
        let whole = |b: &[Interval; N]| -> Vec<Interval> {
            b.iter().copied().chain((0..N).map(|k| self.system().cell(k, b))).collect()
        };
        is_line(&self.map, &self.batch.undecided(self.at).iter().map(whole).collect::<Vec<_>>())
    }

    /// Appends the certified points with their stability.
    fn points(&mut self, table: &mut Population) {
        self.cells.clear();
        self.vectors.clear();
        self.inverses.clear();
        self.bases.clear();
        let system = &self.systems[self.at];
        for Root { tight, .. } in &self.roots {
            let cells: [Interval; N] = std::array::from_fn(|k| system.cell(k, tight));
            self.cells.push(cells);
            system.state_jacobian(tight, &cells, &mut self.jacobian);
            let spectrum = self.spectrum.enclose(2 * N, &self.jacobian);
            let at = self.vectors.len();
            if self.spectrum.basis && spectrum.verdict == Verdict::Stable {
                self.vectors.extend_from_slice(self.spectrum.vectors());
                self.inverses.extend_from_slice(&self.spectrum.inverse);
            }
            self.bases.push((at, self.vectors.len() - at));
            let state = State {
                h: std::array::from_fn(|k| representative(tight[k])),
                c: std::array::from_fn(|k| representative(cells[k])),
            };
            let mut next = state;
            step(&self.mids[self.at], self.w, &mut next.h, &mut next.c);
            let residual = state.flat().zip(next.flat()).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            let error = tight.iter().chain(&cells).fold(0.0, |m: f64, v| m.max(v.rad()));
            table.points.states.extend(state.flat());
            table.points.error.push(error);
            table.points.residual.push(residual);
            table.points.spectrum.push(spectrum);
        }
    }

    /// Continues the roll-out until a contraction catches it, a step is small or the limit is reached.
    fn arrive(
        &mut self,
        state: &mut State<N>,
        params: &PopulationParams,
        spectra: &[Spectrum],
    ) -> (Option<Reached>, Arrival) {
        let mut trap: Option<ContractionCandidate> = None;
        let mut arrival = Arrival::StepLimit;
        let mut taken = params.horizon;
        let in_time = |s: &Spectrum| time_constant(s.radius.mid()) <= params.max_steps as f64;
        let reachable = spectra.iter().any(|s| s.verdict == Verdict::Stable && in_time(s));
        let limit = if reachable { params.max_steps } else { params.max_steps / UNREACHABLE_SHARE };
        let (mid, w) = (self.mids[self.at], self.w);
        while taken < limit {
            if let Some(k) = self.caught(state, spectra, &mut trap) {
                return (Some(Reached::Listed(k)), Arrival::Contraction);
            }
            let steps = LOOK_EVERY.min(limit - taken);
            for _ in 1..steps {
                step(&mid, w, &mut state.h, &mut state.c);
            }
            let before = *state;
            step(&mid, w, &mut state.h, &mut state.c);
            taken += steps;
            let moved = before.flat().zip(state.flat()).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            if moved < params.step_min {
                arrival = Arrival::SmallStep;
                break;
            }
        }
        // The cold path: Newton from where the roll-out ended.
        let residual =
            self.solver.newton(&self.map, [state.h, state.c].as_flattened(), NEWTON_STEPS).residual;
        let reached = self.solver.state();
        let listed = self.roots.iter().position(|r| (0..N).all(|k| r.unique[k].contains(reached[k])));
        if let Some(k) = listed
            && residual < RESIDUAL_MAX
        {
            return if arrives(arrival, &spectra[k]) {
                (Some(Reached::Listed(k)), arrival)
            } else {
                (None, Arrival::None)
            };
        }
        match certify(&self.map, reached) {
            Some(found) if arrives(arrival, &found.spectrum) => {
                (Some(Reached::Other(Box::new(found))), arrival)
            }
            _ => (None, Arrival::None),
        }
    }

    /// The stable point whose proved contraction neighborhood holds the state.
    fn caught(
        &mut self,
        state: &State<N>,
        spectra: &[Spectrum],
        trap: &mut Option<ContractionCandidate>,
    ) -> Option<usize> {
        let distance = |k: usize| -> f64 {
            let (tight, cells) = (&self.roots[k].tight, &self.cells[k]);
            (0..N)
                .map(|j| (state.h[j] - tight[j].mid()).powi(2) + (state.c[j] - cells[j].mid()).powi(2))
                .sum()
        };
        let nearest = (0..spectra.len())
            .filter(|&k| self.bases[k].1 > 0)
            .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))?;
        if trap.as_ref().is_none_or(|t| t.point != nearest) {
            let (at, len) = self.bases[nearest];
            self.spectrum.restore(&self.vectors[at..at + len], &self.inverses[at..at + len]);
            *trap = Some(ContractionCandidate { point: nearest, next: f64::INFINITY });
        }
        let trap = trap.as_mut()?;
        let (tight, cells) = (&self.roots[nearest].tight, &self.cells[nearest]);
        let mut dx = [[0.0; N]; 2];
        for j in 0..N {
            dx[0][j] = state.h[j] - tight[j].mid();
            dx[1][j] = state.c[j] - cells[j].mid();
        }
        let mut reach = [[0.0; N]; 2];
        let away = self.spectrum.coordinates(dx.as_flattened(), reach.as_flattened_mut());
        if away.is_nan() || away > trap.next {
            return None;
        }
        trap.next = away * RETRY_SHRINK;
        let ball = away * (1.0 + BALL_MARGIN) + BALL_MIN;
        // |x - x*| <= |V| |(C V)^-1| ball, and |I - C V| is below a tenth when the basis was accepted.
        let widen = ball / (1.0 - crate::fixed_points::spectrum::BASIS_ERROR_MAX);
        let h: [Interval; N] = std::array::from_fn(|j| around(tight[j], reach[0][j] * widen));
        let c: [Interval; N] = std::array::from_fn(|j| around(cells[j], reach[1][j] * widen));
        self.systems[self.at].state_jacobian(&h, &c, &mut self.jacobian);
        (self.spectrum.contraction(2 * N, &self.jacobian) < 1.0).then_some(nearest)
    }
}

/// Whether a roll-out that ended so can have gone to a point of such a spectrum: one that was still moving has not gone to a
/// point that repels it, wherever Newton's method leads from there.
pub(super) fn arrives(arrival: Arrival, spectrum: &Spectrum) -> bool {
    arrival != Arrival::StepLimit || !matches!(spectrum.verdict, Verdict::Saddle { .. })
}

/// A state whose residual is larger is no root of the box it lies in.
const RESIDUAL_MAX: f64 = 1e-9;

/// The point that a roll-out reaches.
enum Reached {
    /// One of the complete list.
    Listed(usize),
    /// A point certified on its own (the list is not complete).
    Other(Box<crate::fixed_points::FixedPoint>),
}

fn around(v: Interval, radius: f64) -> Interval {
    Interval::around(v.mid(), radius + v.rad())
}

/// Appends the distance of the hidden state at the horizon from that at the end.
pub(super) fn finish(table: &mut Population, at_horizon: &[f64], end: &[f64], params: &PopulationParams) {
    let distance = at_horizon.iter().zip(end).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
    table.distance.push(distance);
    table.converged.push(distance < params.converged_within);
}
