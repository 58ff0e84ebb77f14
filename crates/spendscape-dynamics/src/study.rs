//! One map in depth: all fixed points, basins and their edges, transients, cycles, sensitivities, and the changes of input at
//! which its attractor is lost.

use ndarray::{Array1, Array2, ArrayRef, Ix1};
use rand::Rng;

use crate::attractors::{MapVerdict, judge_map};
use crate::continuation::{Branch, ContinuationParams, Passage, follow, jump_toward};
use crate::error::Error;
use crate::fixed_points::{Complete, FindParams, FixedPoint, FixedPointList, SearchParams, Solver, Verdict};
use crate::interval::Interval;
use crate::map::{Driven, Map};
use crate::orbits::{Basins, Cycle, Edge, Membership, Share, Transient, find_cycles, sensitivity, transient};
use crate::population::Population;

/// Steps of a roll-out toward its attractor, and within a basin.
const ROLL_OUT: usize = 10_000;
/// Newton steps from there.
const POLISH: usize = 60;
/// Starts of the search for cycles, and the steps they settle.
const CYCLE_STARTS: usize = 64;
const CYCLE_SETTLE: usize = 100;
/// Powers of the Jacobian looked at for transient growth.
const GROWTH_STEPS: usize = 200;

/// How far a map is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StudyParams {
    pub(crate) horizon: usize,
    pub(crate) basin_samples: usize,
    pub(crate) longest_cycle: usize,
    pub(crate) followed: usize,
}

impl Default for StudyParams {
    fn default() -> Self {
        Self { horizon: 100, basin_samples: 500, longest_cycle: 2, followed: 8 }
    }
}

impl StudyParams {
    /// A stable point with a time constant beyond so many steps is slow (T' of P3, section III-D). Default: 100.
    #[must_use]
    pub fn horizon(mut self, horizon: usize) -> Self {
        self.horizon = horizon;
        self
    }

    /// States drawn to measure the basins. Default: 500.
    #[must_use]
    pub fn basin_samples(mut self, basin_samples: usize) -> Self {
        self.basin_samples = basin_samples;
        self
    }

    /// Longest cycle looked for; 1 looks for none. Default: 2.
    #[must_use]
    pub fn longest_cycle(mut self, longest_cycle: usize) -> Self {
        self.longest_cycle = longest_cycle;
        self
    }

    /// Other inputs toward which the attractor is followed. Default: 8.
    #[must_use]
    pub fn followed(mut self, followed: usize) -> Self {
        self.followed = followed;
        self
    }
}

/// The inputs whose maps are studied.
#[derive(Debug, Clone, Copy)]
pub struct StudyInputs<'a> {
    /// The inputs that are held, N x C.
    pub held: &'a Array2<f64>,
    /// The inputs that each row had one after another, K x C, where that is known: one per row of `held`, or none at all.
    pub paths: &'a [Array2<f64>],
}

/// An edge of the basin of a stable point.
#[derive(Debug, Clone, PartialEq)]
pub struct BasinEdge {
    /// The stable point, by its place in the list.
    pub index: usize,
    /// The nearest other stable point, toward which the edge was looked for.
    pub toward: usize,
    /// The basin beyond the edge, which may be a third one.
    pub beyond: Membership,
    /// The edge.
    pub edge: Edge,
}

/// The fate of the attractor on the way to another input.
#[derive(Debug, Clone)]
pub struct Departure {
    /// The row of the other input.
    pub toward: usize,
    /// The fate of the attractor.
    pub passage: Passage,
    /// The branch of its point; `None` where the roll-out has left the range of numbers, and there is nothing to follow.
    pub branch: Option<Branch>,
}

/// The study of one map.
#[derive(Debug, Clone)]
pub struct StudiedMap {
    /// Coordinates of its states.
    pub dim: usize,
    /// Its fixed points, with what is undecided.
    pub list: FixedPointList,
    /// Its verdict.
    pub verdict: MapVerdict,
    /// Shares of the basins among the states drawn.
    pub basins: Vec<Share>,
    /// An edge of each stable point's basin, where it has one toward the nearest other stable point.
    pub edges: Vec<BasinEdge>,
    /// The transient at each point; `None` on a kink, where there is no Jacobian.
    pub transients: Vec<Option<Transient>>,
    /// The sensitivity of each point to the input, dim x C; `None` where it is singular, or on a kink.
    pub sensitivities: Vec<Option<Array2<f64>>>,
    /// Its cycles, from length 2 on.
    pub cycles: Vec<Cycle>,
    /// The ways toward other inputs.
    pub departures: Vec<Departure>,
    /// The attractor of the first input of the row's own path, followed along that path.
    pub own_path: Option<Branch>,
}

impl StudiedMap {
    /// The number of certified stable points.
    #[must_use]
    pub fn stable(&self) -> usize {
        self.with(Verdict::Stable)
    }

    /// The number of points on kinks: they are proved, but no Jacobian tells of their stability.
    #[must_use]
    pub fn kinks(&self) -> usize {
        self.with(Verdict::Kink)
    }

    fn with(&self, verdict: Verdict) -> usize {
        self.list.points.iter().filter(|point| point.spectrum.verdict == verdict).count()
    }

    /// The number of points and undecided boxes that are not bounded by numbers: cells that forget nothing grow for ever.
    #[must_use]
    pub fn unbounded(&self) -> usize {
        let bounded =
            |sides: &&Vec<Interval>| sides.iter().all(|side| side.lo.is_finite() && side.hi.is_finite());
        let all = self.list.points.iter().map(|point| &point.enclosure).chain(&self.list.undecided);
        all.filter(|sides| !bounded(sides)).count()
    }

    /// A cover of what is undecided by at most `most` boxes (at least one): neighbors in the order of the search, which lie
    /// side by side, are joined to the box around them. Each box has a side per coordinate of the state.
    pub fn undecided_cover(&self, most: usize) -> impl Iterator<Item = Vec<Interval>> + '_ {
        // A box of the lower layers of a stack says nothing of the upper ones.
        let side = |sides: &Vec<Interval>, k: usize| sides.get(k).copied().unwrap_or(Interval::ENTIRE);
        let joined = self.list.undecided.len().div_ceil(most.max(1)).max(1);
        self.list.undecided.chunks(joined).map(move |boxes| {
            let around = |k| boxes.iter().map(|sides| side(sides, k)).reduce(Interval::hull);
            (0..self.dim).filter_map(around).collect()
        })
    }

    /// The departure on which the attractor jumps after the smallest change of input, by its place; `None` where it jumps on
    /// none.
    #[must_use]
    pub fn smallest_jump(&self) -> Option<usize> {
        let change = |(at, departure): (usize, &Departure)| match &departure.passage {
            Passage::Jumps(jump) => Some((at, jump.change)),
            Passage::Survives | Passage::Undecided { .. } => None,
        };
        let changes = self.departures.iter().enumerate().filter_map(change);
        changes.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
    }
}

/// Studies the map of the input in one row: its fixed points, and what the configuration asks for. The attractor is followed
/// toward evenly spaced other rows, and along the row's own path where that has at least two inputs.
///
/// # Errors
/// [`Error::InputWidth`] or [`BadInput::NotFinite`](spendscape_stats::BadInput::NotFinite) for an input that does not fit the
/// cell, or [`Error::Linalg`].
///
/// # Panics
/// If there is no such row.
///
/// ```
/// use ndarray::array;
/// use rand::SeedableRng;
/// use rand_xoshiro::Xoshiro256PlusPlus;
/// use spendscape_dynamics::{map::LstmCell, study::{StudyParams, StudyInputs, study_map}};
///
/// // One LSTM unit that reads one input; without input it has three fixed points, the outer two stable.
/// let w_x = array![[0.0], [0.0], [1.0], [0.0]];
/// let w_h = array![[0.0], [0.0], [2.3773458124385903], [0.0]];
/// let cell = LstmCell::new(&w_x, &w_h, &array![0.0, 0.0, 0.0, 0.0])?;
/// let held = array![[0.0], [1.0]];
/// let inputs = StudyInputs { held: &held, paths: &[] };
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let found = study_map(&cell, &inputs, 0, &StudyParams::default(), &mut rng)?;
/// assert_eq!((found.list.points.len(), found.stable()), (3, 2));
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
pub fn study_map<C: Driven, R: Rng + ?Sized>(
    cell: &C,
    inputs: &StudyInputs<'_>,
    row: usize,
    params: &StudyParams,
    rng: &mut R,
) -> Result<StudiedMap, Error> {
    let input = inputs.held.row(row);
    let map = cell.driven_by(&input)?;
    let list = map.fixed_points(&SearchParams::default());
    let verdict = judge_map(&map, &list, params.horizon as f64);
    let of_list = Basins::new(&map, &list, ROLL_OUT);
    let basins = of_list.fractions(params.basin_samples, rng);
    let edges = basin_edges(&of_list, &list)?;
    let transients = list.points.iter().map(|point| transient_of(&map, point)).collect::<Result<_, _>>()?;
    let sensitivities =
        list.points.iter().map(|point| sensitivity_of(&map, point)).collect::<Result<_, _>>()?;
    let find = FindParams::default().starts(CYCLE_STARTS);
    let cycles = (2..=params.longest_cycle)
        .flat_map(|length| find_cycles(&map, length, CYCLE_SETTLE, &find))
        .collect();
    let own_path = match inputs.paths.get(row).filter(|path| path.nrows() > 1) {
        Some(path) => match attractor(cell, &path.row(0))? {
            Some(start) => Some(follow(cell, path, &start, &ContinuationParams::default())?),
            None => None,
        },
        None => None,
    };
    Ok(StudiedMap {
        dim: map.dim(),
        verdict,
        basins,
        edges,
        transients,
        sensitivities,
        cycles,
        departures: departures(cell, inputs, row, params.followed)?,
        own_path,
        list,
    })
}

/// The fates of a row's attractor on the ways toward evenly spaced other rows.
fn departures<C: Driven>(
    cell: &C,
    inputs: &StudyInputs<'_>,
    row: usize,
    followed: usize,
) -> Result<Vec<Departure>, Error> {
    let input = inputs.held.row(row);
    let start = attractor(cell, &input)?;
    let others = evenly_spaced(inputs.held.nrows(), followed + 1);
    let departure = |toward: usize| {
        let Some(start) = &start else {
            return Ok(Departure { toward, passage: Passage::Undecided { at: 0.0 }, branch: None });
        };
        let target = inputs.held.row(toward);
        let (passage, branch) = jump_toward(cell, &input, &target, start, &ContinuationParams::default())?;
        Ok(Departure { toward, passage, branch: Some(branch) })
    };
    others.into_iter().filter(|other| *other != row).take(followed).map(departure).collect()
}

/// Evenly spaced rows of `rows`, at most `wanted`, from the first on.
///
/// ```
/// use spendscape_dynamics::study::evenly_spaced;
///
/// assert_eq!(evenly_spaced(10, 2), [0, 5]);
/// assert_eq!(evenly_spaced(3, 8), [0, 1, 2]);
/// ```
#[must_use]
pub fn evenly_spaced(rows: usize, wanted: usize) -> Vec<usize> {
    let count = rows.min(wanted);
    (0..count).map(|k| k * rows / count).collect()
}

/// The customers of a population whose maps say most, at most `wanted` rows in rising order: half of them those with the most
/// fixed points (more than one), whose basins say most, and evenly spaced others.
///
/// ```
/// use ndarray::{Array2, array};
/// use spendscape_dynamics::{
///     map::LstmCell,
///     population::{PopulationParams, analyze_population},
///     study::worth_studying,
/// };
///
/// let w_x = array![[0.0], [0.0], [1.0], [0.0]];
/// let cell = LstmCell::new(&w_x, &Array2::zeros((4, 1)), &array![0.0, 0.0, 0.0, 0.0])?;
/// let inputs = Array2::from_shape_fn((10, 1), |(n, _)| 0.1 * n as f64);
/// // One point each: evenly spaced customers will do.
/// let population = analyze_population(&cell, &inputs, &PopulationParams::default())?;
/// assert_eq!(worth_studying(&population, 2), [0, 5]);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
#[must_use]
pub fn worth_studying(population: &Population, wanted: usize) -> Vec<usize> {
    let mut rich: Vec<usize> = (0..population.len()).filter(|row| population.count(*row) > 1).collect();
    rich.sort_by_key(|row| (std::cmp::Reverse(population.count(*row)), *row));
    rich.truncate(wanted / 2);
    let mut rows = rich.clone();
    let others = evenly_spaced(population.len(), wanted - rich.len());
    rows.extend(others.into_iter().filter(|row| !rich.contains(row)));
    rows.sort_unstable();
    rows
}

/// Where the roll-out from zero under an input ends: its attractor, where it is a point; `None` where it leaves the range of
/// numbers, as that of a relu layer may.
fn attractor<C: Driven>(cell: &C, input: &ArrayRef<f64, Ix1>) -> Result<Option<Array1<f64>>, Error> {
    let map = cell.driven_by(input)?;
    let mut solver = Solver::for_map(&map);
    solver.iterate(&map, &vec![0.0; map.dim()], ROLL_OUT);
    let from = solver.state().to_vec();
    solver.newton(&map, &from, POLISH);
    let end = Array1::from(solver.state().to_vec());
    Ok(end.iter().all(|x| x.is_finite()).then_some(end))
}

/// The edge of each stable point's basin toward the nearest other stable point: one per point, because a large net may have
/// hundreds.
fn basin_edges<M: Map>(basins: &Basins<'_, M>, list: &FixedPointList) -> Result<Vec<BasinEdge>, Error> {
    let state = |index: usize| &list.points[index].state;
    let apart = |a: usize, b: usize| (state(a) - state(b)).mapv(|d| d * d).sum();
    let stable: Vec<usize> =
        (0..list.points.len()).filter(|k| list.points[*k].spectrum.verdict == Verdict::Stable).collect();
    let mut edges = Vec::new();
    for &index in &stable {
        let others = stable.iter().copied().filter(|other| *other != index);
        let nearest = others.min_by(|a, b| f64::total_cmp(&apart(index, *a), &apart(index, *b)));
        let Some(toward) = nearest else { continue };
        if let Some(edge) = basins.edge(state(index), state(toward))? {
            edges.push(BasinEdge { index, toward, beyond: basins.membership(&edge.outside)?, edge });
        }
    }
    Ok(edges)
}

fn transient_of(map: &impl Map, point: &FixedPoint) -> Result<Option<Transient>, Error> {
    if point.spectrum.verdict == Verdict::Kink {
        return Ok(None);
    }
    transient(map, &point.state, GROWTH_STEPS).map(Some)
}

fn sensitivity_of(map: &impl Map, point: &FixedPoint) -> Result<Option<Array2<f64>>, Error> {
    if point.spectrum.verdict == Verdict::Kink {
        return Ok(None);
    }
    match sensitivity(map, &point.state) {
        Ok(change) => Ok(Some(change)),
        Err(Error::Singular) => Ok(None),
        Err(error) => Err(error),
    }
}
