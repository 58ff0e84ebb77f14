//! What the network says of every customer: hidden states, directions, outputs and mean shares; and the inverse of its output
//! layer, by which grades have a place among the states.

use anyhow::Result;
use ndarray::Array2;
use spendscape_dynamics::inverse::{InverseParams, InverseRegression, inverse_regression};
use spendscape_run::{
    File, Model, NoParams, Notes, Stage, StoredStates, StoredTargets, WithAxes, inputs, outputs,
};
use spendscape_schema::{
    Panel,
    tables::{Angles, Frame, MeanShares, Predictions, Projection, Reach, TraitAxes},
};
use spendscape_segments::directions::{CanonicalFrame, unit_rows};

use crate::readout::{axes, mean_shares, predictions, projection};

inputs! {
    /// What states are computed from.
    pub struct StatesInputs {
        /// Shares over the long window.
        pub panel: Panel = table File::Panel,
        /// Shares over the short window.
        pub short: Option<Panel> = table File::ShortPanel,
        /// The network.
        pub model: Model = table File::Model,
        /// Grades, and who was trained on.
        pub targets: StoredTargets = table File::Targets,
    }
}

outputs! {
    /// What the network says of every customer.
    pub struct StatesOutputs {
        /// States over the long window.
        pub states: StoredStates = table File::States,
        /// States over the short window.
        pub short: Option<StoredStates> = table File::ShortStates,
        /// The canonical frame.
        pub frame: WithAxes<Frame> = table File::Frame,
        /// Direction angles.
        pub angles: WithAxes<Angles> = table File::Angles,
        /// How states of more than three units are drawn.
        pub projection: Option<WithAxes<Projection>> = table File::Projection,
        /// Mean shares.
        pub mean_shares: WithAxes<MeanShares> = table File::MeanShares,
        /// Outputs, and where grades are among the states.
        pub predictions: WithAxes<Predictions> = table File::Predictions,
        /// Trait axes in state space.
        pub trait_axes: WithAxes<TraitAxes> = table File::TraitAxes,
        /// Reachable outputs.
        pub reach: Option<WithAxes<Reach>> = table File::Reach,
    }
}

/// Computes the states of every customer, over both windows, and what follows from them.
#[derive(Debug)]
pub struct States;

impl Stage for States {
    const NAME: &'static str = "states";
    type Params = NoParams;
    type Inputs = StatesInputs;
    type Outputs = StatesOutputs;

    fn run(_: &NoParams, inputs: StatesInputs, notes: &mut Notes) -> Result<StatesOutputs> {
        let StatesInputs { panel, short, model, targets } = inputs;
        let states = StoredStates::compute(&model, &panel)?;
        let short = short.map(|short| StoredStates::compute(&model, &short)).transpose()?;
        let weights = model.weights()?;
        let ends = states.ends()?;
        let frame = CanonicalFrame::fit(&ends, &weights.output, &targets.train)?;
        let inverse = inverse_regression(&weights.output, &weights.output_bias, &InverseParams::default())?;
        add_notes(&inverse, notes);
        let axes = axes(&model);
        Ok(StatesOutputs {
            frame: WithAxes {
                axes: axes.clone(),
                table: Frame {
                    index: (0..model.units()).map(|k| k as u16).collect(),
                    basis: frame.axes().to_owned(),
                },
            },
            angles: WithAxes {
                axes: axes.clone(),
                table: Angles {
                    customer: panel.customers.clone(),
                    direction: unit_rows(&frame.coordinates(&ends)?),
                    angle: frame.angles(&ends)?,
                },
            },
            projection: projection(&states, &axes)?,
            mean_shares: mean_shares(&panel),
            predictions: predictions(&model, &panel, &inverse, &targets.grades)?,
            trait_axes: WithAxes {
                axes: axes.clone(),
                table: trait_axes(&inverse, &model.traits, &weights.output),
            },
            reach: inverse.reachable.as_ref().map(|reachable| WithAxes {
                axes,
                table: Reach { state: reachable.states.clone(), output: reachable.outputs.clone() },
            }),
            states,
            short,
        })
    }
}

fn add_notes(inverse: &InverseRegression, notes: &mut Notes) {
    notes.add("inverse_rank", inverse.rank);
    // Directions of state space that the outputs tell apart, one per row.
    let identifiable: Vec<Vec<f64>> =
        inverse.identifiable.outer_iter().map(|direction| direction.to_vec()).collect();
    notes.add("identifiable_directions", identifiable);
    if let Some(error) = inverse.closed_form_error {
        notes.add("closed_form_error", error);
    }
}

fn trait_axes(inverse: &InverseRegression, traits: &[String], readout: &Array2<f64>) -> TraitAxes {
    TraitAxes {
        r#trait: traits.to_vec(),
        magnitude: inverse.magnitude.to_vec(),
        axis: inverse.axes.clone(),
        origin: Array2::from_shape_fn(inverse.axes.raw_dim(), |(_, unit)| inverse.origin[unit]),
        readout: readout.clone(),
    }
}
