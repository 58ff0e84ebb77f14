//! One customer of a net too large for the complete search: roll-out, Newton, certificate.

use super::PopulationParams;
use super::customer::{NEWTON_STEPS, arrives, finish};
use super::table::{Arrival, NOTHING, Population};
use crate::fixed_points::certificate::{Certifier, representative};
use crate::fixed_points::{Outcome, Solver};
use crate::interval::Interval;
use crate::map::{LstmCell, LstmMap, Map};
use crate::norms::norm_inf_of;

/// Reused memory of one thread.
pub(super) struct RollOutOnly<'a> {
    /// The map of the customer at hand.
    map: LstmMap<'a>,
    state: Vec<f64>,
    next: Vec<f64>,
    at_horizon: Vec<f64>,
    solver: Solver,
    certifier: Certifier,
}

impl<'a> RollOutOnly<'a> {
    pub(super) fn new(cell: &'a LstmCell) -> Self {
        let n = 2 * cell.units();
        Self {
            map: LstmMap { cell, z0: Vec::with_capacity(cell.affine.rows()), input_known: false },
            state: vec![0.0; n],
            next: vec![0.0; n],
            at_horizon: vec![0.0; n],
            solver: Solver::new(n),
            certifier: Certifier::default(),
        }
    }

    /// The enclosed pre-activations of the next customer, to be filled in.
    pub(super) fn preactivation(&mut self) -> &mut Vec<Interval> {
        &mut self.map.z0
    }

    /// Appends the customer to the table.
    pub(super) fn analyze(&mut self, params: &PopulationParams, table: &mut Population) {
        let units = self.map.units();
        let mut arrival = self.roll_out(params);
        table.horizon.extend_from_slice(&self.at_horizon);
        table.outcome.push(Outcome::NotProved);
        table.boxes.push(0);
        table.line.push(false);
        self.solver.newton(&self.map, &self.state, NEWTON_STEPS);
        let proved = self.certifier.prove(&self.map, self.solver.state()).is_some();
        let spectrum = if proved { Some(self.certifier.stability(&self.map)) } else { None };
        if let Some(spectrum) = spectrum.filter(|spectrum| arrives(arrival, spectrum)) {
            let enclosure = &self.certifier.enclosure;
            self.state.clear();
            self.state.extend(enclosure.iter().map(|v| representative(*v)));
            self.map.step(&self.state, &mut self.next);
            let residual = norm_inf_of(self.state.iter().zip(&self.next).map(|(a, b)| a - b));
            table.points.states.extend_from_slice(&self.state);
            table.points.error.push(enclosure.iter().fold(0.0, |m: f64, v| m.max(v.rad())));
            table.points.residual.push(residual);
            table.points.spectrum.push(spectrum);
            table.spectrum.push(spectrum);
            table.end_point.push(Some(table.points.spectrum.len() - 1));
        } else {
            arrival = Arrival::None;
            table.spectrum.push(NOTHING);
            table.end_point.push(None);
        }
        table.points.offsets.push(table.points.spectrum.len());
        table.end.extend_from_slice(&self.state);
        table.arrival.push(arrival);
        finish(table, &self.at_horizon[..units], &self.state[..units], params);
    }

    /// Rolls out from zero until a step is small or the limit is reached; notes the state at the horizon.
    fn roll_out(&mut self, params: &PopulationParams) -> Arrival {
        self.state.fill(0.0);
        self.at_horizon.fill(0.0);
        for step in 1..=params.max_steps.max(params.horizon) {
            self.map.step(&self.state, &mut self.next);
            let moved = norm_inf_of(self.state.iter().zip(&self.next).map(|(a, b)| a - b));
            std::mem::swap(&mut self.state, &mut self.next);
            if step == params.horizon {
                self.at_horizon.copy_from_slice(&self.state);
            }
            if step >= params.horizon && moved < params.step_min {
                return Arrival::SmallStep;
            }
        }
        Arrival::StepLimit
    }
}
