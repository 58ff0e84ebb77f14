//! Single maps in depth, for nets from elsewhere and for a sample of customers.

mod tables;

use std::sync::Mutex;

use anyhow::Result;
use clap::Args;
use ndarray::Array2;
use rayon::prelude::*;
use serde::Serialize;
use spendscape_dynamics::{
    map::Driven,
    study::{StudiedMap, StudyInputs, StudyParams, study_map},
};
use spendscape_schema::{Axes, Axis, seed};

pub use self::tables::MapTables;
use crate::{
    progress::Progress,
    stages::{command_line_defaults, count},
};

/// How far single maps are looked into.
#[derive(Debug, Clone, Args, Serialize)]
pub struct StudyOptions {
    /// States drawn to measure the basins of each map
    #[arg(long, default_value_t = 500, value_parser = count(0..=1_000_000))]
    pub basin_samples: usize,
    /// Longest cycle looked for; 1 looks for none
    #[arg(long, default_value_t = 2, value_parser = count(1..=100))]
    pub longest_cycle: usize,
    /// Other inputs toward which each map's attractor is followed
    #[arg(long, default_value_t = 8, value_parser = count(0..=10_000))]
    pub followed: usize,
}

impl Default for StudyOptions {
    fn default() -> Self {
        command_line_defaults()
    }
}

/// The inputs whose maps are studied.
pub(super) struct Inputs<'a> {
    /// The cell that they go into, with what is taken for granted of it.
    pub(super) cell: &'a str,
    /// What each is called.
    pub(super) labels: Vec<String>,
    /// The inputs that are held, one per row.
    pub(super) held: Array2<f64>,
    /// What their coordinates are called.
    pub(super) coordinates: &'a [String],
    /// The inputs that each customer had one after another, where that is known; one path per row of `held`.
    pub(super) paths: Vec<Array2<f64>>,
}

/// Studies the map of each input and returns the tables of single maps.
///
/// # Errors
/// If an input does not fit the cell.
pub(super) fn study<C: Driven>(
    cell: &C,
    inputs: &Inputs<'_>,
    horizon: usize,
    options: &StudyOptions,
) -> Result<MapTables> {
    let StudyOptions { basin_samples, longest_cycle, followed } = *options;
    let studied = each(
        cell,
        inputs,
        &StudyParams::default()
            .horizon(horizon)
            .basin_samples(basin_samples)
            .longest_cycle(longest_cycle)
            .followed(followed),
    )?;
    warn(&inputs.labels, &studied);
    MapTables::of(inputs, &studied, &Axes::new().with(Axis::Unit, cell.state_names()))
}

/// Studies the maps side by side.
fn each<C: Driven>(cell: &C, inputs: &Inputs<'_>, params: &StudyParams) -> Result<Vec<StudiedMap>> {
    let rows = inputs.held.nrows();
    let studied = StudyInputs { held: &inputs.held, paths: &inputs.paths };
    let progress = Mutex::new((0, Progress::new("maps")));
    let one = |row: usize| {
        let map = study_map(cell, &studied, row, params, &mut seed::stream(1, "basins", row as u64))?;
        if let Ok(mut progress) = progress.lock() {
            progress.0 += 1;
            let done = format!("{} of {rows} studied", progress.0);
            progress.1.show(&done);
        }
        Ok(map)
    };
    let maps = (0..rows).into_par_iter().map(one).collect();
    if let Ok((_, mut progress)) = progress.into_inner() {
        progress.done();
    }
    maps
}

/// Says of which maps numbers say nothing, or nothing of stability.
fn warn(labels: &[String], studied: &[StudiedMap]) {
    for (input, map) in labels.iter().zip(studied) {
        let (unbounded, points) = (map.unbounded(), map.kinks());
        if unbounded > 0 {
            tracing::warn!(input, unbounded, "points or boxes without bounds: their numbers say nothing");
        }
        if points > 0 {
            tracing::warn!(
                input,
                points,
                "fixed points on kinks, where relu has no derivative: their stability is not defined by a Jacobian"
            );
        }
    }
}
