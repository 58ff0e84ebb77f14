//! Training on blocks of customers.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use spendscape_lstm::{Dataset, Network, NetworkParams, Schedule, TrainParams, Training};
use spendscape_stats::{BadInput, check, permutation};

use super::{
    Blocks, GoalModel, GoalParams, Shape,
    encode::Encoder,
    survey::Survey,
    windows::{self, PIECE, Part, Reader, Window},
};
use crate::{Calendar, Error, Target};

/// Longest gradient: what a rare long history may do in one step.
const CLIP: f64 = 1.0;
/// Groups of a block that are scored after each pass, at most.
const VALIDATED: usize = 100_000;

/// How many groups of each customer, from the first on, the targets of a training split cover: what
/// [`InMemory`](super::InMemory) asks for.
///
/// ```
/// use spendscape_goals::{Target, model::prefixes};
///
/// let target = |customer, position| Target { customer, position };
/// assert_eq!(prefixes(2, &[target(0, 1), target(0, 2)])?, [3, 0]);
/// // A gap would be trained on without a word.
/// assert!(prefixes(1, &[target(0, 1), target(0, 3)]).is_err());
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
///
/// # Errors
/// [`BadInput::OutOfRange`] for a customer that does not exist, [`Error::NotPrefix`] if a customer's targets have a gap, so that
/// a later one would be trained on without an earlier.
pub fn prefixes(customers: usize, targets: &[Target]) -> Result<Vec<usize>, Error> {
    let (mut counts, mut prefixes) = (vec![0_usize; customers], vec![0_usize; customers]);
    for target in targets {
        let customer = target.customer as usize;
        check::index("customer", customer, customers)?;
        counts[customer] += 1;
        prefixes[customer] = prefixes[customer].max(target.position as usize + 1);
    }
    // Group 0 is no target of a split, but is learned from the start.
    match counts.iter().zip(&prefixes).position(|(count, prefix)| *prefix > 0 && count + 1 != *prefix) {
        Some(customer) => Err(Error::NotPrefix { customer }),
        None => Ok(prefixes),
    }
}

/// Measurements of one pass over the training groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoalEpoch {
    /// `days` or `goals`.
    pub network: &'static str,
    /// Its number, from 0.
    pub epoch: usize,
    /// Mean negative log-likelihood of the training groups, each at the time it was used; weighted by class.
    pub loss: f64,
    /// That of the validation groups after the pass.
    pub validation_loss: Option<f64>,
}

impl GoalParams {
    /// Trains the networks of days and of goals, at the same time where there are two threads; the result does not depend
    /// on it. `channels` is the number of channels that groups can have; further ones are alike. `after_pass` is told of
    /// every pass.
    ///
    /// # Errors
    /// A parameter out of its range; [`BadInput::ShapeMismatch`] or [`Error::NoTarget`] for a block whose parts do not fit;
    /// [`BadInput::TooFew`] without two groups of one customer to train on; [`Error::Read`].
    pub fn fit<R: Rng + ?Sized>(
        &self,
        source: &dyn Blocks,
        calendar: &Calendar,
        channels: usize,
        rng: &mut R,
        after_pass: impl Fn(&GoalEpoch) + Sync,
    ) -> Result<GoalModel, Error> {
        self.check()?;
        let survey = Survey::of(source, self)?;
        let goals = survey.goals;
        check::length("class_weights", goals, self.class_weights.as_ref().map_or(goals, Vec::len))?;
        let [days_pieces, goals_pieces] = survey.pieces;
        if days_pieces == 0 {
            let found = survey.groups.min(1);
            return Err(Error::Input(BadInput::TooFew {
                what: "training",
                needed: 2,
                of: "groups of one customer",
                found,
            }));
        }
        let sizes = survey.sizes(self, goals, channels, &source.load(0)?.covariates, calendar);
        let encoder = Encoder::new(sizes, calendar.clone());
        let seeds: [u64; 2] = [rng.next_u64(), rng.next_u64()];
        let fit = |part: Part, pieces, seed| {
            let job = Job { source, encoder: &encoder, part, params: self, pieces };
            job.fit(&mut Xoshiro256PlusPlus::seed_from_u64(seed), &after_pass)
        };
        let (days, goals) = rayon::join(
            || fit(Part::Days, days_pieces, seeds[0]),
            || fit(Part::Goals, goals_pieces, seeds[1]),
        );
        let shape = Shape {
            units: self.units,
            layers: self.layers,
            window: self.window,
            temperatures: (1.0, 1.0),
            class_weights: self.class_weights.clone(),
        };
        Ok(GoalModel { encoder, days: days?, goals: goals?, shape })
    }
}

/// One network to be trained.
struct Job<'a> {
    source: &'a dyn Blocks,
    encoder: &'a Encoder,
    part: Part,
    params: &'a GoalParams,
    pieces: usize,
}

impl Job<'_> {
    fn fit<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        after_pass: &impl Fn(&GoalEpoch),
    ) -> Result<Network<f32>, Error> {
        let params = self.params;
        let mut network =
            shape(self.encoder, self.part, params.units, params.layers, params.dropout).init(rng)?;
        let settings = TrainParams::default()
            .batch(params.batch)
            .epochs(params.epochs * self.pieces)
            .schedule(Schedule::cosine(params.rate))
            .clip_norm(CLIP);
        let mut training = Training::start(&settings, &network, rng)?;
        let mut best: Option<(f64, usize, Vec<f32>)> = None;
        for epoch in 0..params.epochs {
            let loss = self.pass(&mut network, &mut training, rng)?;
            let validation_loss = self.validation_loss(&network)?;
            let network_name = if self.part == Part::Days { "days" } else { "goals" };
            after_pass(&GoalEpoch { network: network_name, epoch, loss, validation_loss });
            let judged = validation_loss.unwrap_or(loss);
            if best.as_ref().is_none_or(|(least, ..)| judged < *least) {
                best = Some((judged, epoch, network.parameters().to_vec()));
            } else if best.as_ref().is_some_and(|(_, at, _)| epoch - at >= params.patience.max(1)) {
                break;
            }
        }
        if let Some((.., weights)) = best {
            network.parameters_mut().copy_from_slice(&weights);
        }
        Ok(network)
    }

    /// One pass over all blocks, in an order of its own; the mean loss.
    fn pass<R: Rng + ?Sized>(
        &self,
        network: &mut Network<f32>,
        training: &mut Training<f32>,
        rng: &mut R,
    ) -> Result<f64, Error> {
        let (mut sum, mut count) = (0.0, 0.0);
        for block in permutation(self.source.blocks(), rng) {
            let block = self.source.load(block)?;
            let all = block.training_windows(self.part, self.params.window);
            let pieces: Vec<&[Window]> = all.chunks(PIECE).collect();
            for piece in permutation(pieces.len(), rng) {
                let windows = pieces[piece];
                let (encoded, lengths) =
                    windows::encode(self.encoder, self.part, &block.sequences, &block.covariates, windows)?;
                let labels = windows::labels(self.encoder, self.part, &block.sequences, windows);
                let inputs = encoded.inputs()?.with_lengths(&lengths)?;
                let mut data = Dataset::classes_per_step(inputs, &labels, network.outputs())?;
                if let (Part::Goals, Some(weights)) = (self.part, &self.params.class_weights) {
                    data = data.with_class_weights(weights)?;
                }
                let steps = lengths.iter().sum::<usize>() as f64;
                sum += training.epoch(network, &data, None)?.loss * steps;
                count += steps;
            }
        }
        Ok(sum / count)
    }

    /// Mean negative log-likelihood of the validation groups, if there are any.
    fn validation_loss(&self, network: &Network<f32>) -> Result<Option<f64>, Error> {
        let (mut sum, mut count) = (0.0, 0_usize);
        for block in 0..self.source.blocks() {
            let block = self.source.load(block)?;
            let targets = &block.validation[..block.validation.len().min(VALIDATED)];
            let reader = Reader {
                network,
                encoder: self.encoder,
                part: self.part,
                sequences: &block.sequences,
                covariates: &block.covariates,
                window: self.params.window,
            };
            let losses = reader.logits(targets)?;
            for (row, target) in losses.rows().into_iter().zip(targets) {
                if (target.position as usize) < self.part.first_step() {
                    continue;
                }
                let groups = block.sequences.groups(target.customer as usize);
                let label = windows::label(self.encoder, self.part, groups, target.position as usize);
                sum += log_sum_exp(row.iter().copied()) - f64::from(row[label]);
                count += 1;
            }
        }
        Ok((count > 0).then(|| sum / count as f64))
    }
}

fn log_sum_exp(logits: impl Iterator<Item = f32> + Clone) -> f64 {
    let top = logits.clone().fold(f32::NEG_INFINITY, f32::max);
    f64::from(top) + libm::log(logits.map(|logit| libm::exp(f64::from(logit - top))).sum::<f64>())
}

/// The shape of one of the networks.
pub(crate) fn shape(
    encoder: &Encoder,
    part: Part,
    units: usize,
    layers: usize,
    dropout: f64,
) -> NetworkParams {
    let outputs = if part == Part::Days { encoder.sizes.gaps() } else { encoder.sizes.goals };
    let first = NetworkParams::lstm(encoder.width(part.sees_next()), units);
    (1..layers).fold(first, |shape, _| shape.stacked(units)).dropout(dropout).outputs(outputs).every_step()
}
