//! Fixed points of small recurrent networks, each with a certificate.

mod certificate;
mod complete;
mod dense;
mod error;
mod find;
mod interval;
mod map;
mod population;
mod solve;
mod spectrum;

pub use certificate::{FixedPoint, certify};
pub use complete::{COMPLETE_UNITS_MAX, Complete, FixedPointList, Outcome, SearchConfig};
pub use error::Error;
pub use find::{Fate, FindConfig, Found, Method, find_fixed_points, halton};
pub use interval::Interval;
pub use map::{
    GruCell, GruMap, Henon, LstmCell, LstmMap, Map, NewtonCubic, RnnCell, RnnMap, Scalar, StackedLstm, StackedMap,
    TanhMap,
};
pub use population::{Arrival, PointTable, Population, PopulationConfig, analyze_population, analyze_preactivations};
pub use solve::{Solution, Solver, Status, descend, iterate, newton, residual};
pub use spectrum::{Spectrum, Verdict};
