//! Workspace of the epochs.

use crate::engine::{Derivatives, Engine, Weights};
use crate::inputs::{Dataset, Inputs};
use crate::network::{Layer, Network};
use crate::real::Real;
use std::sync::Mutex;

/// The memory of an epoch, kept for the next one: the system clears new memory page by page, which costs nets of some
/// dozens of units a tenth of their time on two threads.
pub(super) struct Workspace<F: Real> {
    shape: Shape,
    pub(super) weights: Weights<F>,
    /// One per thread.
    pub(super) engines: Vec<Engine<F>>,
    /// One per part of a batch.
    pub(super) partials: Vec<Mutex<Partial<F>>>,
}

/// The contribution of a part to its batch.
pub(super) struct Partial<F> {
    pub(super) gradient: Vec<F>,
    pub(super) loss: f64,
}

/// The shape that engines and weights are made for.
#[derive(PartialEq)]
struct Shape {
    layers: Vec<Layer>,
    every_step: bool,
    instructions: &'static str,
    steps: usize,
    /// Categorical variables and the columns of all of them; the layer's other inputs are features.
    categories: Option<[usize; 2]>,
    from_zero: bool,
}

impl Shape {
    fn of<F: Real>(network: &Network<F>, inputs: &Inputs<'_, F>) -> Self {
        Self {
            layers: network.layers.clone(),
            every_step: network.params.every_step,
            instructions: network.kernels.name,
            steps: inputs.steps,
            categories: inputs.categories.as_deref().map(|c| [c.variables, c.width]),
            from_zero: inputs.initial.is_empty(),
        }
    }
}

impl<F: Real> Workspace<F> {
    fn new(network: &Network<F>, inputs: &Inputs<'_, F>) -> Self {
        Self {
            shape: Shape::of(network, inputs),
            weights: Weights::new(network, inputs, Derivatives::Parameters),
            engines: Vec::new(),
            partials: Vec::new(),
        }
    }
}

/// A training's workspace, which is no part of its state: copies start without, and all are equal.
#[derive(Default)]
pub(super) struct Kept<F: Real>(Option<Box<Workspace<F>>>);

impl<F: Real> Kept<F> {
    /// Takes the workspace out, or makes one if there is none for such a network and such data.
    pub(super) fn take(&mut self, network: &Network<F>, data: &Dataset<'_, F>) -> Box<Workspace<F>> {
        let kept = self.0.take().filter(|kept| kept.shape == Shape::of(network, &data.inputs));
        kept.unwrap_or_else(|| Box::new(Workspace::new(network, &data.inputs)))
    }

    pub(super) fn put(&mut self, workspace: Box<Workspace<F>>) {
        self.0 = Some(workspace);
    }
}

impl<F: Real> Clone for Kept<F> {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl<F: Real> PartialEq for Kept<F> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F: Real> std::fmt::Debug for Kept<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept(..)")
    }
}
