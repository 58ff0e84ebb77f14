//! What claims are measured with: the run, what several of them need of it, and where figures go.

pub(crate) mod comparison;
pub(crate) mod cosine;
pub(crate) mod explanation;
pub(crate) mod metrics;
pub(crate) mod run;
pub(crate) mod study;

pub use self::{
    metrics::Metrics,
    run::{Extent, Run, RunTables},
};
