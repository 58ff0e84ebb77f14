//! Markov chains over goals that back off to shorter memories.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2, ArrayViewMut1};

use super::history;
use crate::{Sequences, Target};

/// Strengths that are tried: powers of 2 from 1/16, at which one observation all but settles the matter, to 65,536, at which
/// the longer memory hardly counts.
const STRENGTHS: std::ops::RangeInclusive<i32> = -4..=16;
/// Strength of the uniform distribution behind the shares: that of one observation, 1/G for each goal (Perks 1947), so that
/// a goal that never came keeps a probability above 0.
const UNIFORM_STRENGTH: f64 = 1.0;

/// A Markov chain of order k whose probabilities are Dirichlet means, each centered on the chain of order k - 1 (MacKay and
/// Peto 1995):
///
/// p_k(g | last k goals) = (c(last k, g) + a_k p_(k-1)(g | last k - 1)) / (c(last k) + a_k),
///
/// with c the counts of the training targets and p_0(g) = (c(g) + 1/G) / (c + 1), the shares. The strength a_k is the power
/// of 2 from 2^-4 to 2^16 with the greatest leave-one-out likelihood of the training targets (every target predicted from
/// the counts without it, in all orders), a_1 first. A history that is too short, or was never seen, is predicted from what
/// is left of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Markov {
    goals: usize,
    /// For each order, what came after each context; a context has the last goal first.
    orders: Vec<BTreeMap<Vec<u16>, Counts>>,
    strengths: Vec<f64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Counts {
    total: u32,
    of: BTreeMap<u16, u32>,
}

impl Markov {
    pub(super) fn fit(order: usize, sequences: &Sequences, targets: &[Target]) -> Self {
        let mut orders = vec![BTreeMap::<Vec<u16>, Counts>::new(); order + 1];
        for target in targets {
            let goal = sequences.goal(*target) as u16;
            let context = context(sequences, *target, order);
            for (order, contexts) in orders.iter_mut().enumerate().take(context.len() + 1) {
                // Most contexts are known already, and looking them up needs no key of its own.
                if !contexts.contains_key(&context[..order]) {
                    contexts.insert(context[..order].to_vec(), Counts::default());
                }
                let counts = contexts.get_mut(&context[..order]).expect("it was put there just now");
                counts.total += 1;
                *counts.of.entry(goal).or_default() += 1;
            }
        }
        let mut chain = Self { goals: sequences.goals().len(), orders, strengths: vec![UNIFORM_STRENGTH] };
        for order in 1..=order {
            let (mut best, mut most) = (0.0, f64::NEG_INFINITY);
            for strength in STRENGTHS.rev().map(|power| libm::exp2(f64::from(power))) {
                chain.strengths.push(strength);
                let likelihood = chain.left_one_out(order);
                if likelihood > most {
                    (best, most) = (strength, likelihood);
                }
                chain.strengths.truncate(order);
            }
            chain.strengths.push(best);
        }
        chain
    }

    /// Strengths a_1, a_2, ... that were chosen.
    #[must_use]
    pub fn strengths(&self) -> &[f64] {
        &self.strengths[1..]
    }

    /// Log-likelihood of the training targets with a history of `order` groups and more, each from the counts without it.
    fn left_one_out(&self, order: usize) -> f64 {
        let mut sum = 0.0;
        for (context, counts) in &self.orders[order] {
            for (goal, count) in &counts.of {
                let mut p = (self.goals as f64).recip();
                for (order, strength) in self.strengths.iter().enumerate() {
                    // The observation that is left out stands in every order, so that each of them knows its context.
                    let counts = &self.orders[order][&context[..order]];
                    let seen = f64::from(counts.of[goal]) - 1.0;
                    p = (seen + strength * p) / (f64::from(counts.total) - 1.0 + strength);
                }
                sum += f64::from(*count) * libm::log(p);
            }
        }
        sum
    }

    pub(super) fn predict(&self, sequences: &Sequences, targets: &[Target]) -> Array2<f64> {
        let mut probabilities = Array2::zeros((targets.len(), self.goals));
        for (row, target) in probabilities.rows_mut().into_iter().zip(targets) {
            self.fill(row, &context(sequences, *target, self.orders.len() - 1));
        }
        probabilities
    }

    /// The probabilities without any history (G): the shares.
    pub(super) fn shares(&self) -> Array1<f64> {
        let mut shares = Array1::zeros(self.goals);
        self.fill(shares.view_mut(), &[]);
        shares
    }

    fn fill(&self, mut row: ArrayViewMut1<'_, f64>, context: &[u16]) {
        row.fill((self.goals as f64).recip());
        for (order, strength) in self.strengths.iter().enumerate().take(context.len() + 1) {
            let Some(counts) = self.orders[order].get(&context[..order]) else { break };
            let total = f64::from(counts.total) + strength;
            row.mapv_inplace(|p| p * strength / total);
            for (goal, count) in &counts.of {
                row[usize::from(*goal)] += f64::from(*count) / total;
            }
        }
    }
}

/// The last `order` goals before a target, or as many as there are; the last one first.
fn context(sequences: &Sequences, target: Target, order: usize) -> Vec<u16> {
    history(sequences, target).iter().rev().take(order).copied().collect()
}
