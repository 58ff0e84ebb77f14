//! From the tables of one customer to the document that is printed.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use ndarray::{Array1, Array2, Axis as Dimension, s};
use spendscape_report::{
    AnglePart, AnglesPart, AssignmentPart, ChangePart, ChangedClass, CustomerExplanation, DriverPart,
    FlaggedClass, FlaggedPart, LeadPart, MadeFrom, MovePart, PeriodPart, ShiftPart, TrustPart,
};
use spendscape_run::{File, Inputs, Model, RunFolder, Sourced, WithAxes, inputs};
use spendscape_schema::{
    Axis,
    tables::{
        Contributions, ExplanationRow, Explanations, FlaggedClassRow, FlaggedClasses, Moves, Segments,
        SurrogateAngles,
    },
};
use spendscape_segments::directions::dominance_order;
use spendscape_store::{Digest, TableReader};
use spendscape_surrogate::{
    explain::{Explanation, MAX_ERROR_DEGREES, winner},
    fidelity::{degrees_between, median_gauge},
};

use super::{
    ExplainInputs, Source, TRAINED, TYPICAL_ANGLE_ERROR, TYPICAL_ERROR, TrainedInputs,
    data::CustomerInputs,
    tables::{DIRECTION, NO_SPENDING, SurrogateTable},
};

/// Classes listed among what changed over the periods.
const SHIFTS: usize = 5;

inputs! {
    /// The network of another run.
    pub(crate) struct NetworkInputs {
        pub(crate) model: Model = table File::Model,
    }
}

inputs! {
    /// What the stage wrote, and what it was made from.
    pub(crate) struct ExplainedInputs {
        pub(crate) customers: CustomerInputs = all (),
        pub(crate) model: Option<Model> = table File::Model,
        pub(crate) network: Option<NetworkInputs> = folder TRAINED,
        pub(crate) segments: Segments = table File::Segments,
        pub(crate) surrogate: SurrogateTable = table File::Surrogate,
        pub(crate) angles: WithAxes<SurrogateAngles> = table File::SurrogateAngles,
        pub(crate) flagged: FlaggedClasses = table File::FlaggedClasses,
        pub(crate) explanations: Sourced<Explanations> = table File::Explanations,
        pub(crate) contributions: Contributions = table File::Contributions,
        pub(crate) moves: Moves = table File::Moves,
    }
}

impl ExplainedInputs {
    /// The customer's row among the panel's.
    pub(crate) fn row(&self, customer: &str) -> Option<usize> {
        self.customers.panel.customers.iter().position(|name| name == customer)
    }

    /// Everything there is to say about the customer in a row of the panel.
    pub(crate) fn document(self, row: usize, made_from: MadeFrom) -> Result<CustomerExplanation> {
        let Self {
            customers,
            model,
            network,
            segments,
            surrogate,
            angles,
            flagged,
            explanations,
            contributions,
            moves,
        } = self;
        let customer = customers.panel.customers[row].clone();
        let said = |name: &str| {
            let value = explanations.provenance.parameters.get(name).and_then(serde_json::Value::as_f64);
            value.with_context(|| format!("{} does not say {name}", File::Explanations.name()))
        };
        let typical = (said(TYPICAL_ERROR)?, said(TYPICAL_ANGLE_ERROR)?);
        let explanation = explanations.value.into_rows().nth(row);
        let explanation = explanation.filter(|found| found.customer == customer).with_context(|| {
            format!(
                "{} does not have this customer: run `spendscape explain` again",
                File::Explanations.name()
            )
        })?;
        let model = network.map(|network| network.model).or(model).context("there is no network")?;
        let lead = Lead::of(&customer, explanation.surrogate_lead, &contributions);
        let trust = trust(&explanation, typical.0);
        let subject = Subject { customers, row, model, surrogate, explanation };
        let flagged: Vec<FlaggedClassRow> = flagged.into_rows().collect();
        let coefficients = subject.coefficients()?;
        let is_explained = lead.is_some();
        Ok(CustomerExplanation {
            assignment: subject.assignment(&segments)?,
            trust,
            lead: lead.as_ref().map(|lead| subject.drivers(lead, &coefficients, &flagged)).transpose()?,
            angles: subject.angles(&angles, typical.1)?,
            change: subject.change(moves)?,
            flagged: subject.flagged(&flagged, lead.as_ref())?,
            periods: subject.periods()?,
            shifts: if is_explained { subject.shifts(&coefficients) } else { Vec::new() },
            scope: subject.customers.targets.scope.clone(),
            made_from,
            customer,
        })
    }
}

/// What each class adds to the lead of a customer, of the table of contributions.
struct Lead {
    explanation: Explanation,
    percentiles: Array1<f32>,
}

impl Lead {
    /// The row of a customer, for whom the surrogate's own lead is `value`.
    fn of(customer: &str, value: f64, table: &Contributions) -> Option<Self> {
        let at = table.customer.iter().position(|name| name == customer)?;
        let explanation = Explanation {
            baseline: table.baseline[at],
            contributions: table.contribution.row(at).to_owned(),
            value,
        };
        Some(Self { explanation, percentiles: table.percentile.row(at).to_owned() })
    }
}

fn trust(explanation: &ExplanationRow, typical: f64) -> TrustPart {
    TrustPart {
        error_degrees: explanation.error_degrees,
        threshold_degrees: MAX_ERROR_DEGREES,
        typical_degrees: typical,
        error_percentile: explanation.error_percentile,
        lead_error: (explanation.surrogate_lead - explanation.lead).abs()
            / explanation.lead.max(f64::MIN_POSITIVE),
        surrogate_segment: explanation.surrogate_segment.clone(),
        refusal: explanation
            .refusal
            .as_deref()
            .map(|refusal| reason(refusal, &explanation.surrogate_segment)),
    }
}

/// A refusal in words.
fn reason(refusal: &str, surrogate_segment: &str) -> String {
    match refusal {
        NO_SPENDING => "the customer has no spending to explain anything by".to_owned(),
        DIRECTION => {
            "the surrogate's direction is too far from the network's, so that it does not describe this customer".to_owned()
        }
        _ => format!(
            "the surrogate puts this customer into segment {surrogate_segment}, so that it cannot explain the network's"
        ),
    }
}

/// The customer who is explained.
struct Subject {
    customers: CustomerInputs,
    row: usize,
    model: Model,
    surrogate: SurrogateTable,
    explanation: ExplanationRow,
}

impl Subject {
    fn shares(&self) -> Array1<f64> {
        self.customers.mean_shares.share.row(self.row).to_owned()
    }

    fn classes(&self) -> &[String] {
        &self.customers.panel.classes
    }

    fn traits(&self) -> &[String] {
        &self.customers.targets.traits
    }

    /// Place of a trait.
    fn place(&self, name: &str) -> Result<usize> {
        let place = self.traits().iter().position(|other| other == name);
        place.with_context(|| format!("{} names an unknown trait {name:?}", File::Explanations.name()))
    }

    fn class(&self, name: &str) -> Result<usize> {
        let place = self.classes().iter().position(|other| other == name);
        place.with_context(|| format!("the panel has no class {name:?}"))
    }

    /// What one unit of share more adds to the lead, C.
    fn coefficients(&self) -> Result<Array1<f64>> {
        let output = |name: &str| Ok::<_, anyhow::Error>(self.surrogate.output(name, self.classes())?.1);
        Ok(gauged(&output(&self.explanation.segment)? - &output(&self.explanation.runner_up)?))
    }

    fn assignment(&self, segments: &Segments) -> Result<AssignmentPart> {
        let (row, targets) = (self.row, &self.customers.targets);
        let outputs = &self.customers.predictions.output;
        let order = dominance_order(&outputs.slice(s![row..=row, ..]))?;
        let grades = dominance_order(&targets.grades.slice(s![row..=row, ..]))?;
        let name = |k: usize| targets.traits[k].clone();
        let at = segments.customer.iter().position(|other| *other == self.explanation.customer);
        let at =
            at.context("segments.parquet does not have this customer: run `spendscape segment` again")?;
        Ok(AssignmentPart {
            segment: self.explanation.segment.clone(),
            runner_up: self.explanation.runner_up.clone(),
            lead: self.explanation.lead,
            lead_percentile: self.explanation.lead_percentile,
            path: order.row(0).iter().map(|&k| (name(k), outputs[[row, k]])).collect(),
            grade_path: grades.row(0).iter().map(|&k| name(k)).collect(),
            direction_segment: segments.segment[at],
            short_direction_segment: segments.short_segment[at],
            training: targets.train[row],
        })
    }

    fn drivers(
        &self,
        lead: &Lead,
        coefficients: &Array1<f64>,
        flagged: &[FlaggedClassRow],
    ) -> Result<LeadPart> {
        let shares = self.shares();
        let roles: HashMap<&str, &str> =
            flagged.iter().map(|flag| (flag.class.as_str(), flag.role.as_str())).collect();
        let driver = |class: usize| DriverPart {
            class: self.classes()[class].clone(),
            share: shares[class],
            average: self.surrogate.average[class],
            percentile: lead.percentiles[class],
            coefficient: coefficients[class],
            contribution: lead.explanation.contributions[class],
            flag: roles.get(self.classes()[class].as_str()).map(|role| (*role).to_owned()),
        };
        Ok(LeadPart {
            baseline: lead.explanation.baseline,
            value: lead.explanation.value,
            sum: lead.explanation.total(),
            classes: lead.explanation.ranking().into_iter().map(driver).collect(),
        })
    }

    fn angles(&self, predicted: &WithAxes<SurrogateAngles>, typical: f64) -> Result<AnglesPart> {
        let error_degrees = self.explanation.angle_error_degrees;
        let shares = self.shares();
        let refusal = if shares.sum() == 0.0 {
            Some("the customer has no spending to explain anything by".to_owned())
        } else if error_degrees > MAX_ERROR_DEGREES {
            Some(format!("the error is above {MAX_ERROR_DEGREES:.1} degrees"))
        } else {
            None
        };
        let average = Array1::from(self.surrogate.average.clone());
        let mut angles = Vec::new();
        for (k, name) in predicted.axes.labels(Axis::Angle)?.iter().enumerate() {
            let (intercept, slopes) = self.surrogate.angle(name, self.classes())?;
            let baseline = intercept + average.dot(&slopes);
            let slopes = if refusal.is_some() { slopes } else { gauged(slopes) };
            let value = predicted.table.angle[[self.row, k]];
            let found = Explanation { baseline, contributions: (&shares - &average) * &slopes, value };
            let listed = if refusal.is_some() { Vec::new() } else { found.ranking() };
            angles.push(AnglePart {
                name: name.clone(),
                network: self.customers.angles.table.angle[[self.row, k]],
                value,
                baseline,
                sum: found.total(),
                contributions: listed
                    .into_iter()
                    .map(|class| (self.classes()[class].clone(), found.contributions[class]))
                    .collect(),
            });
        }
        Ok(AnglesPart { error_degrees, typical_degrees: typical, refusal, angles })
    }

    fn change(&self, moves: Moves) -> Result<Option<ChangePart>> {
        let ExplanationRow {
            customer,
            moved: Some(moved),
            moved_to: Some(segment),
            moved_lead: Some(lead),
            ..
        } = &self.explanation
        else {
            return Ok(None);
        };
        let shares = self.shares();
        let (mut after, mut steps) = (BTreeMap::new(), Vec::new());
        for step in moves.into_rows().filter(|step| step.customer == *customer) {
            for (class, amount) in [(&step.from, -step.share), (&step.to, step.share)] {
                let place = self.class(class)?;
                *after.entry(place).or_insert(shares[place]) += amount;
            }
            steps.push(MovePart { from: step.from, to: step.to, share: step.share });
        }
        let mut classes: Vec<ChangedClass> = after
            .into_iter()
            .map(|(place, after)| ChangedClass {
                class: self.classes()[place].clone(),
                before: shares[place],
                after: f64::max(after, 0.0),
            })
            .collect();
        let size = |changed: &ChangedClass| (changed.after - changed.before).abs();
        // Stable: equal changes stay in the order of classes.
        classes.sort_by(|a, b| size(b).total_cmp(&size(a)));
        Ok(Some(ChangePart { moved: *moved, segment: segment.clone(), lead: *lead, moves: steps, classes }))
    }

    fn flagged(&self, flagged: &[FlaggedClassRow], lead: Option<&Lead>) -> Result<FlaggedPart> {
        let shares = self.shares();
        let places = flagged.iter().map(|flag| self.class(&flag.class)).collect::<Result<Vec<usize>>>()?;
        Ok(FlaggedPart {
            listed: flagged.len(),
            classes: flagged
                .iter()
                .zip(&places)
                .filter(|(_, place)| shares[**place] > 0.0)
                .map(|(flag, place)| FlaggedClass {
                    class: flag.class.clone(),
                    flag: flag.role.clone(),
                    reason: flag.reason.clone(),
                    share: shares[*place],
                })
                .collect(),
            contribution: lead
                .map(|lead| places.iter().map(|place| lead.explanation.contributions[*place]).sum()),
            segment_without: self.explanation.unflagged_segment.clone(),
        })
    }

    /// The trajectory through the output layer, period by period.
    fn periods(&self) -> Result<Vec<PeriodPart>> {
        let (panel, row) = (&self.customers.panel, self.row);
        let (segment, runner_up) =
            (self.place(&self.explanation.segment)?, self.place(&self.explanation.runner_up)?);
        let weights = self.model.weights()?;
        let trajectory = self.customers.states.hidden.slice(s![row, .., ..]);
        let outputs: Array2<f64> = trajectory.dot(&weights.output.t()) + &weights.output_bias;
        let mut parts = Vec::new();
        for (t, (outputs, period)) in outputs.rows().into_iter().zip(&panel.periods).enumerate() {
            let step = |t: usize| match t {
                0 => trajectory.row(0).to_owned(),
                _ => &trajectory.row(t) - &trajectory.row(t - 1),
            };
            parts.push(PeriodPart {
                start: period.start.to_string(),
                end: period.end.to_string(),
                total_minor: panel.totals[[row, t]],
                observed: panel.observed[[row, t]],
                segment: self.traits()[winner(&outputs)?.segment].clone(),
                lead: outputs[segment] - outputs[runner_up],
                turn_degrees: (t > 0).then(|| degrees_between(&step(t), &step(t - 1))),
            });
        }
        Ok(parts)
    }

    fn shifts(&self, coefficients: &Array1<f64>) -> Vec<ShiftPart> {
        let shares = self.customers.panel.shares.slice(s![self.row, .., ..]).mapv(f64::from);
        let last = shares.nrows().saturating_sub(1);
        if last == 0 {
            return Vec::new();
        }
        let mut parts: Vec<ShiftPart> = (0..shares.ncols())
            .map(|c| {
                let (first, last) = (shares[[0, c]], shares[[last, c]]);
                let class = self.classes()[c].clone();
                ShiftPart { class, first, last, effect: coefficients[c] * (last - first) }
            })
            .collect();
        // Stable: equal effects stay in the order of classes.
        parts.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        parts.truncate(SHIFTS);
        parts
    }
}

/// Slopes measured from their median, as contributions are.
fn gauged(slopes: Array1<f64>) -> Array1<f64> {
    median_gauge(&slopes.insert_axis(Dimension(1))).remove_axis(Dimension(1))
}

/// The tables that the explanation was made from; those of the run whose network assigned a batch under names of their own.
pub(crate) fn made_from(run: &RunFolder, source: &Source) -> Result<MadeFrom> {
    let (mut tables, mut seeds) = (BTreeMap::new(), BTreeMap::new());
    let ledger = run.has(File::Ledger)?.then_some(File::Ledger);
    let own = ExplainInputs::files().into_iter().chain([File::Segments]).chain(ledger);
    let own = own.filter(|file| !source.batch || *file != File::Model).map(|file| (run, "", file));
    let trained = if source.batch { TrainedInputs::files() } else { Vec::new() };
    let trained = trained.into_iter().map(|file| (&source.trained, "trained ", file));
    for (folder, prefix, file) in own.chain(trained) {
        let (path, _) = folder.need(file)?;
        let reader = TableReader::open(&path, file.table())?;
        tables.insert(format!("{prefix}{}", file.name()), reader.digest().to_string());
        let provenance = reader.provenance();
        let study = provenance.parameters.get("study_seed").and_then(serde_json::Value::as_u64);
        let named = match file {
            // A synthetic ledger was drawn from a seed; a real one has none.
            File::Ledger => vec![("data", provenance.seed)],
            File::Model => {
                vec![("initial weights", provenance.seed), ("split and the minibatch order", study)]
            }
            File::Segments => vec![("clusters", provenance.seed)],
            _ => Vec::new(),
        };
        seeds.extend(named.into_iter().filter_map(|(what, seed)| Some((what.to_owned(), seed?))));
    }
    Ok(MadeFrom {
        program: concat!("spendscape ", env!("CARGO_PKG_VERSION")).to_owned(),
        program_digest: Digest::of_file(&std::env::current_exe()?)?.to_string(),
        tables,
        seeds,
    })
}
