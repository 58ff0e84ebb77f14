//! The long-run behavior of small recurrent networks under a constant input: every fixed point with a certificate,
//! inverse regression, and an honest verdict on each attractor.
//!
//! It deliberately does not train networks, read files or draw, and it does not know the crate that trains ours: any
//! [`Map`] will do. It claims no completeness beyond [`COMPLETE_UNITS_MAX`] units per layer.
//!
//! ```
//! use ndarray::{Array2, array};
//! use spendscape_dynamics::{Complete, LstmCell, Outcome, SearchConfig, Verdict};
//!
//! // One LSTM unit, gate order i, f, g, o; only the recurrent weight of g is not zero.
//! let w_h = array![[0.0], [0.0], [2.3773458124385903], [0.0]];
//! let cell = LstmCell::new(&Array2::zeros((4, 0)), &w_h, &array![0.0, 0.0, 0.0, 0.0])?;
//! let list = cell.under(&array![])?.fixed_points(&SearchConfig::default());
//! assert_eq!((list.outcome, list.points.len()), (Outcome::Complete, 3));
//! assert_eq!(list.points[1].spectrum.verdict, Verdict::Saddle { index: 1 });
//! # Ok::<(), spendscape_dynamics::Error>(())
//! ```
//!
//! # What is proved and what is measured
//!
//! Certificates rest on outward-rounded interval arithmetic. The bounds of its sums, products and quotients are proved;
//! the elementary functions carry a margin of eight units of `2^-52` over the largest error ever measured against
//! 300-bit references (below three). Verdicts of the attractors, basins and transients that are not certificates say so
//! in their documentation.

mod attractors;
mod basin;
mod certificate;
mod complete;
mod continuation;
mod cycle;
mod dense;
mod error;
mod fiber;
mod find;
mod interval;
mod inverse;
mod map;
mod population;
mod rollout;
mod solve;
mod spectrum;
mod study;
mod transient;

pub use attractors::{
    CLUSTERS_MAX, Curve, CurveFit, GroupAttractors, GroupVerdict, Label, MapVerdict, PointClusters, Shape,
    Verdicts, fit_attractors, judge_group, judge_map, label_points,
};
pub use basin::{Basins, Edge, Membership, Share};
pub use certificate::{FixedPoint, certify};
pub use complete::{COMPLETE_UNITS_MAX, Complete, FixedPointList, Outcome, RELU_UNITS_MAX, SearchConfig};
pub use continuation::{
    Branch, BranchEnd, BranchPoint, ContinuationConfig, Jump, JumpCause, Passage, follow, jump_toward,
    smallest_jump,
};
pub use cycle::{Cycle, Ring, find_cycles};
pub use error::Error;
pub use fiber::{FiberConfig, trace_fiber};
pub use find::{Fate, FindConfig, Found, Method, find_fixed_points, halton};
pub use interval::{Interval, Number};
pub use inverse::{InverseConfig, InverseRegression, Reachable, inverse_regression};
pub use map::{
    Driven, GruCell, GruMap, LANES, LstmCell, LstmMap, Map, Nonlinearity, RnnCell, RnnMap, Scalar,
    StackedLstm, StackedMap,
};
pub use population::{
    Arrival, PointTable, Population, PopulationConfig, analyze_population, analyze_preactivations,
};
pub use rollout::extended_trajectories;
pub use solve::{Solution, Solver, Status, residual};
pub use spectrum::{Spectrum, Verdict};
pub use spendscape_stats::BadInput;
pub use study::{
    BasinEdge, Departure, StudiedMap, StudyConfig, StudyInputs, evenly_spaced, study_map, worth_studying,
};
pub use transient::{Transient, sensitivity, transient};
