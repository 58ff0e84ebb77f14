//! Continuation of a fixed point along a path of inputs, each stretch certified; folds located; and so the smallest
//! change of spending at which a customer's attractor jumps.

use ndarray::{Array1, ArrayRef, Ix1, Ix2};
use spendscape_stats::{BadInput, check};

use crate::error::Error;
use crate::fixed_points::certificate::Certifier;
use crate::fixed_points::{FixedPoint, Solver, Status, Verdict};
use crate::interval::Interval;
use crate::map::{Driven, Map};

/// Parameters of a continuation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContinuationParams {
    pub(crate) first_step: f64,
    pub(crate) min_step: f64,
    pub(crate) max_steps: usize,
}

impl Default for ContinuationParams {
    fn default() -> Self {
        Self { first_step: 0.02, min_step: 1e-9, max_steps: 20_000 }
    }
}

impl ContinuationParams {
    /// First stretch tried, as a share of one leg of the path. Default: 0.02.
    #[must_use]
    pub fn first_step(mut self, first_step: f64) -> Self {
        self.first_step = first_step;
        self
    }

    /// A stretch that cannot be certified at this length ends the branch: a fold is located this sharply.
    /// Default: 1e-9.
    #[must_use]
    pub fn min_step(mut self, min_step: f64) -> Self {
        self.min_step = min_step;
        self
    }

    /// The most stretches certified or tried. Default: 20,000.
    #[must_use]
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.max_steps = max_steps;
        self
    }
}

/// A certified point of a branch.
#[derive(Debug, Clone)]
pub struct BranchPoint {
    /// Path parameter: leg `floor(s)`, share `s - floor(s)`.
    pub s: f64,
    /// The point.
    pub point: FixedPoint,
}

/// How a branch ended.
#[derive(Debug, Clone, PartialEq)]
pub enum BranchEnd {
    /// It was followed to the end of the path: one certified point for every input on the way.
    Complete,
    /// `I - J` becomes singular: the branch cannot be followed beyond this bracket of the path parameter. Generically a
    /// fold, where the point vanishes.
    Fold {
        /// Certified up to here.
        before: f64,
        /// Not certifiable up to here.
        after: f64,
    },
    /// The step limit was reached at this parameter.
    StepLimit {
        /// Certified up to here.
        at: f64,
    },
    /// No certified point at the start.
    NoStart,
}

/// A branch of fixed points along a path of inputs.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Points along the path; between neighbors, existence and uniqueness near the branch are proved for every input.
    pub points: Vec<BranchPoint>,
    /// How it ended.
    pub end: BranchEnd,
    /// The first stretch over which the verdict of the points changes (a loss of stability other than a fold included).
    pub verdict_change: Option<(f64, f64)>,
}

/// Follows the fixed point nearest to `start` (a state of the cell) along the polygon of inputs `path` (K x C, K >= 2).
///
/// ```
/// use ndarray::array;
/// use spendscape_dynamics::{
///     continuation::{BranchEnd, ContinuationParams, follow},
///     map::RnnCell,
/// };
///
/// // x = tanh(2 x + u): the lower point is lost on the way to a larger input.
/// let cell = RnnCell::new(&array![[1.0]], &array![[2.0]], &array![0.0])?;
/// let path = array![[0.0], [1.0]];
/// let branch = follow(&cell, &path, &array![-0.9575], &ContinuationParams::default())?;
/// let BranchEnd::Fold { before, after } = branch.end else { panic!("no fold") };
/// assert!(before > 0.5 && after < 0.6 && after - before < 1e-8);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// [`BadInput::TooFew`] for fewer than two inputs, [`Error::InputWidth`], [`Error::Shape`] or [`BadInput::NotFinite`].
pub fn follow<C: Driven>(
    cell: &C,
    path: &ArrayRef<f64, Ix2>,
    start: &ArrayRef<f64, Ix1>,
    params: &ContinuationParams,
) -> Result<Branch, Error> {
    if path.nrows() < 2 {
        return Err(Error::Input(BadInput::TooFew {
            what: "a path of inputs",
            of: "rows",
            needed: 2,
            found: path.nrows(),
        }));
    }
    if path.ncols() != cell.input_width() {
        return Err(Error::InputWidth { expected: cell.input_width(), found: path.ncols() });
    }
    check::finite("path", path)?;
    let mut nodes = Vec::with_capacity(path.nrows());
    for u in path.outer_iter() {
        nodes.push(cell.preactivations(&u)?);
    }
    let dim = cell.with_preactivations(nodes[0].clone()).dim();
    crate::map::check_shape("start", start.shape(), &[dim])?;
    check::finite("start", start)?;
    let line = Polygon { cell, nodes };
    Ok(line.follow(start, params))
}

/// The path in the space of pre-activations.
struct Polygon<'a, C> {
    cell: &'a C,
    nodes: Vec<Vec<Interval>>,
}

impl<'a, C: Driven> Polygon<'a, C> {
    /// The maps of all inputs between `s0` and `s1` (within one leg) at once.
    fn between(&self, s0: f64, s1: f64) -> C::Map<'a> {
        let leg = (s0.floor() as usize).min(self.nodes.len() - 2);
        let share = Interval::new(s0 - leg as f64, s1 - leg as f64);
        let (a, b) = (&self.nodes[leg], &self.nodes[leg + 1]);
        self.cell.with_preactivations(a.iter().zip(b).map(|(a, b)| *a + share * (*b - *a)).collect())
    }

    /// Encloses the point at `s` that Newton's method reaches from `from`, without its uniqueness box and stability, which
    /// [`Certifier::complete`] adds.
    fn prove(&self, s: f64, from: &[f64], work: &mut Work) -> Option<Proved<C::Map<'a>>> {
        /// Newton steps at one parameter: the start is a neighbor on the branch.
        const STEPS: usize = 30;
        let map = self.between(s, s);
        let status = work.solver.newton(&map, from, STEPS).status;
        if status == Status::Diverged {
            return None;
        }
        let radius = work.point.prove(&map, work.solver.state())?;
        Some(Proved { map, radius })
    }

    /// The point at `s` with its certificate.
    fn solve(&self, s: f64, from: &[f64], work: &mut Work) -> Option<FixedPoint> {
        let Proved { map, radius } = self.prove(s, from, work)?;
        Some(work.point.complete(&map, radius))
    }

    fn follow(&self, start: &ArrayRef<f64, Ix1>, params: &ContinuationParams) -> Branch {
        let last = (self.nodes.len() - 1) as f64;
        let mut work = Work::new(start.len());
        let mut branch = Branch { points: Vec::new(), end: BranchEnd::NoStart, verdict_change: None };
        let Some(first) = self.solve(0.0, &start.to_vec(), &mut work) else { return branch };
        let (mut s, mut ds) = (0.0f64, params.first_step);
        let mut here = first;
        branch.points.push(BranchPoint { s, point: here.clone() });
        branch.end = BranchEnd::Complete;
        for _ in 0..params.max_steps {
            if s >= last {
                return branch;
            }
            // A stretch never crosses a corner of the path.
            let next = (s + ds).min(s.floor() + 1.0);
            if let Some(there) = self.stretch(s, next, &here, &mut work) {
                if there.spectrum.verdict != here.spectrum.verdict && branch.verdict_change.is_none() {
                    branch.verdict_change = Some((s, next));
                }
                s = next;
                here = there;
                branch.points.push(BranchPoint { s, point: here.clone() });
                ds *= 2.0;
            } else {
                ds = 0.5 * (next - s);
                if ds < params.min_step {
                    branch.end = BranchEnd::Fold { before: s, after: next };
                    return branch;
                }
            }
        }
        if s < last {
            branch.end = BranchEnd::StepLimit { at: s };
        }
        branch
    }

    /// The point at `s1` when the whole stretch from `here` at `s0` is certified.
    fn stretch(&self, s0: f64, s1: f64, here: &FixedPoint, work: &mut Work) -> Option<FixedPoint> {
        let Proved { map, radius } = self.prove(s1, &here.state.to_vec(), work)?;
        // One unique point for every input of the stretch, in a box that holds both ends: the branch is connected.
        let connected = work.tube.tube(&self.between(s0, s1), &here.enclosure, &work.point.enclosure);
        // Half of the stretches tried are too long: they need no more than that.
        connected.then(|| work.point.complete(&map, radius))
    }
}

/// A map whose point has been enclosed, alone in a ball of this relative radius.
struct Proved<M> {
    map: M,
    radius: f64,
}

/// Reused memory of a continuation.
struct Work {
    solver: Solver,
    point: Certifier,
    tube: Certifier,
}

impl Work {
    fn new(dim: usize) -> Self {
        Self { solver: Solver::new(dim), point: Certifier::default(), tube: Certifier::default() }
    }
}

/// The fate of an attractor on the way to another input.
#[derive(Debug, Clone, PartialEq)]
pub enum Passage {
    /// It is followed to the end of the way and nowhere proved unstable.
    Survives,
    /// It is lost.
    Jumps(Jump),
    /// Not known: the start is no certified stable point, or the step limit was reached at this share of the way.
    Undecided {
        /// Known up to here.
        at: f64,
    },
}

/// How an attractor is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JumpCause {
    /// Its point meets a saddle and vanishes.
    Fold,
    /// Its point lives on but is proved unstable beyond.
    LossOfStability,
}

/// Where a customer's attractor jumps on the way to another input.
#[derive(Debug, Clone, PartialEq)]
pub struct Jump {
    /// The share of the way up to which the customer's point is certified to exist (and not proved unstable).
    pub share: f64,
    /// The change of the input at that share, `sum_j |du_j|`: for shares of spending, twice the share moved.
    pub change: f64,
    /// How the attractor is lost.
    pub cause: JumpCause,
    /// The point just before.
    pub before: Array1<f64>,
    /// Where the roll-out from there leads just beyond.
    pub after: Array1<f64>,
}

/// The roll-out beyond a fold starts this share of the way further: past the slow passage at the fold itself.
const BEYOND: f64 = 1e-4;
/// Steps of that roll-out.
const JUMP_STEPS: usize = 20_000;
/// Bisections of the stretch in which a point loses its stability.
const STABILITY_BISECTIONS: usize = 40;

/// The change of input from `from` toward `to` at which the attractor near `start` jumps, and the branch of its point, which
/// [`follow`] gives too.
///
/// ```
/// use ndarray::array;
/// use spendscape_dynamics::{
///     continuation::{ContinuationParams, JumpCause, Passage, jump_toward},
///     map::RnnCell,
/// };
///
/// let cell = RnnCell::new(&array![[1.0]], &array![[2.0]], &array![0.0])?;
/// let (from, to, start) = (array![0.0], array![1.0], array![-0.9575]);
/// let (passage, _) = jump_toward(&cell, &from, &to, &start, &ContinuationParams::default())?;
/// let Passage::Jumps(jump) = passage else { panic!("the lower point is lost") };
/// assert_eq!(jump.cause, JumpCause::Fold);
/// assert!(jump.before[0] < 0.0 && jump.after[0] > 0.9);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// Those of [`follow`].
pub fn jump_toward<C: Driven>(
    cell: &C,
    from: &ArrayRef<f64, Ix1>,
    to: &ArrayRef<f64, Ix1>,
    start: &ArrayRef<f64, Ix1>,
    params: &ContinuationParams,
) -> Result<(Passage, Branch), Error> {
    if from.len() != to.len() {
        return Err(Error::InputWidth { expected: from.len(), found: to.len() });
    }
    let mut path = ndarray::Array2::zeros((2, from.len()));
    path.row_mut(0).assign(from);
    path.row_mut(1).assign(to);
    let branch = follow(cell, &path, start, params)?;
    Ok((jump_along(cell, from, to, &branch)?, branch))
}

/// The fate of the stable point at the start of `branch`, which has been followed between two inputs.
fn jump_along<C: Driven>(
    cell: &C,
    from: &ArrayRef<f64, Ix1>,
    to: &ArrayRef<f64, Ix1>,
    branch: &Branch,
) -> Result<Passage, Error> {
    let first = match branch.points.first() {
        Some(first) if first.point.spectrum.verdict == Verdict::Stable => first,
        _ => return Ok(Passage::Undecided { at: 0.0 }),
    };
    let dim = first.point.state.len();
    let line = Polygon { cell, nodes: vec![cell.preactivations(from)?, cell.preactivations(to)?] };
    let unstable = |p: &FixedPoint| matches!(p.spectrum.verdict, Verdict::Saddle { .. });
    let mut last = first;
    let mut lost = None;
    for p in &branch.points {
        if unstable(&p.point) {
            lost = Some((last.clone(), p.s));
            break;
        }
        last = p;
    }
    let (before, share, after, cause) = match (lost, &branch.end) {
        (Some((mut last, mut beyond)), _) => {
            let mut work = Work::new(dim);
            for _ in 0..STABILITY_BISECTIONS {
                let s = 0.5 * (last.s + beyond);
                match line.solve(s, &last.point.state.to_vec(), &mut work) {
                    Some(point) if !unstable(&point) => last = BranchPoint { s, point },
                    _ => beyond = s,
                }
            }
            (last.point.state, last.s, beyond, JumpCause::LossOfStability)
        }
        (None, BranchEnd::Fold { before, after }) => {
            (last.point.state.clone(), *before, *after, JumpCause::Fold)
        }
        (None, BranchEnd::Complete) => return Ok(Passage::Survives),
        (None, BranchEnd::StepLimit { at }) => return Ok(Passage::Undecided { at: *at }),
        (None, BranchEnd::NoStart) => return Ok(Passage::Undecided { at: 0.0 }),
    };
    let beyond = (after + BEYOND).min(1.0);
    let map = line.between(beyond, beyond);
    let mut solver = Solver::new(dim);
    solver.iterate(&map, &before.to_vec(), JUMP_STEPS);
    let change = share * from.iter().zip(to).map(|(a, b)| (a - b).abs()).sum::<f64>();
    let after = Array1::from(solver.state().to_vec());
    Ok(Passage::Jumps(Jump { share, change, cause, before, after }))
}

/// The smallest change of input among the ways toward each row of `targets` (N x C) at which the attractor near `start`
/// jumps, with the target's row; `None` when it is lost on none of them (those undecided included).
///
/// ```
/// use ndarray::array;
/// use spendscape_dynamics::{
///     continuation::{ContinuationParams, smallest_jump},
///     map::RnnCell,
/// };
///
/// // Toward a smaller input the lower point of x = tanh(2 x + u) lives on, toward a larger one it is lost.
/// let cell = RnnCell::new(&array![[1.0]], &array![[2.0]], &array![0.0])?;
/// let (from, start) = (array![0.0], array![-0.9575]);
/// let targets = array![[-1.0], [1.0]];
/// let found = smallest_jump(&cell, &from, &targets, &start, &ContinuationParams::default())?;
/// let (row, jump) = found.expect("one of the ways loses the point");
/// assert!(row == 1 && (jump.change - 0.5328).abs() < 1e-3);
/// # Ok::<(), spendscape_dynamics::Error>(())
/// ```
///
/// # Errors
/// Those of [`follow`].
pub fn smallest_jump<C: Driven>(
    cell: &C,
    from: &ArrayRef<f64, Ix1>,
    targets: &ArrayRef<f64, Ix2>,
    start: &ArrayRef<f64, Ix1>,
    params: &ContinuationParams,
) -> Result<Option<(usize, Jump)>, Error> {
    let mut best: Option<(usize, Jump)> = None;
    for (row, to) in targets.outer_iter().enumerate() {
        if let (Passage::Jumps(jump), _) = jump_toward(cell, from, &to, start, params)?
            && best.as_ref().is_none_or(|(_, b)| jump.change < b.change)
        {
            best = Some((row, jump));
        }
    }
    Ok(best)
}
