//! The sections of the card.

use spendscape_schema::{CoefficientOrigin, scope::percent};

use super::{Card, blocks::Block};
use crate::draw::text::count;

/// Figures of the claims that the card shows: customers in the same cluster, and of the same dominant output, by both windows.
const SAME_CLUSTER: &str = "stability.k5.lstm";
const SAME_SEGMENT: &str = "stability.dominant.lstm";
/// The search for coefficients that are known, and what its figures mean.
const KNOWN_COEFFICIENTS: [(&str, &str); 4] = [
    ("coefficients.known", "classes with an effect in the known table"),
    ("coefficients.found", "of these, found"),
    ("coefficients.false", "found although without effect"),
    ("coefficients.auroc", "area under the curve of that search"),
];

fn text(blocks: &mut Vec<Block>, text: impl Into<String>) {
    blocks.push(Block::Paragraph(text.into()));
}

fn list<const N: usize>(blocks: &mut Vec<Block>, items: [&str; N]) {
    blocks.push(Block::List(items.map(str::to_owned).to_vec()));
}

fn row<const N: usize>(cells: [String; N]) -> Vec<String> {
    cells.to_vec()
}

impl Card {
    pub(super) fn purpose(&self, blocks: &mut Vec<Block>) {
        blocks.push(Block::Heading("purpose", "Purpose"));
        text(
            blocks,
            "The model assigns customers to micro-segments by what they spend their money on, and says of each customer why. It \
             is meant for understanding a customer base: campaigns, offers, service, research.",
        );
        text(
            blocks,
            "It is not meant for decisions that are to a person's disadvantage (credit, price, refusal of service). The segments \
             carry the names of personality traits, but are linear combinations of spending shares; they measure nobody's \
             personality.",
        );
    }

    pub(super) fn data(&self, blocks: &mut Vec<Block>) {
        blocks.push(Block::Heading("data", "Data"));
        let figures = &self.fidelity;
        blocks.extend(self.facts.warnings.iter().cloned().map(Block::Warning));
        if figures.get("data.synthetic") == Some(1.0) {
            text(
                blocks,
                "The customers are synthetic: no figure of this card says anything about real people.",
            );
        }
        if self.run.scope.is_none() {
            text(
                blocks,
                "The panel does not say which ledger it was made from, nor who was left out of it: make it with `spendscape ingest`.",
            );
        }
        blocks.push(Block::List(
            self.facts.lines.iter().map(|(heading, line)| format!("{heading}: {line}.")).collect(),
        ));
        text(
            blocks,
            format!(
                "{} customers, {} of them in training and {} unseen; {} periods; {} classes of spending, as shares of what a \
                 customer spends in a period.",
                figures.count("customers"),
                figures.count("customers.training"),
                figures.count("customers.unseen"),
                self.run.long.steps(),
                figures.count("classes")
            ),
        );
        let total = figures.get("customers").unwrap_or(0.0) as u64;
        let rows: Vec<Vec<String>> = self
            .run
            .traits
            .iter()
            .filter_map(|name| {
                let customers = figures.get(&format!("segment.{name}.customers"))? as u64;
                Some(row([name.clone(), count(customers as usize), percent(customers, total)]))
            })
            .collect();
        if !rows.is_empty() {
            let headings = vec!["segment", "customers", "share"];
            blocks.push(Block::Table {
                caption: "Customers by the network's segment",
                headings,
                rows,
                numbers: true,
            });
        }
    }

    pub(super) fn method(&self, blocks: &mut Vec<Block>) {
        blocks.push(Block::Heading("method", "Method"));
        text(
            blocks,
            format!(
                "A recurrent network (LSTM, {} hidden units) reads the shares of the periods in order and learns one grade in [-1, \
                 1] per trait. Its outputs are a linear layer on its last hidden state; the trait with the highest output is the \
                 segment, the traits by falling output are the micro-segment.",
                self.run.width()
            ),
        );
        text(
            blocks,
            format!(
                "Explanations come from a surrogate: least squares of the last hidden state on the mean shares, with the network's \
                 own output layer on top. Shares sum to 1, so that {} of {} directions are determined; the slopes are those of \
                 minimum norm, and coefficients are shown less their median, so that a class without effect contributes nothing. \
                 A contribution is a coefficient times the distance of the customer's share from the average training customer's. \
                 Contributions and the average customer's lead add up to the lead that the surrogate itself computes.",
                self.fidelity.count("rank"),
                self.fidelity.count("classes")
            ),
        );
    }

    pub(super) fn fidelity(&self, blocks: &mut Vec<Block>) {
        let figures = &self.fidelity;
        blocks.push(Block::Heading("fidelity", "Fidelity"));
        text(
            blocks,
            "How well the surrogate describes the network, on customers that neither was fitted on; R2 with 95 % bootstrap \
             intervals over customers.",
        );
        let mut rows = vec![row(["hidden state, mean over units".to_owned(), figures.interval("r2.state")])];
        for name in &self.run.traits {
            rows.push(row([format!("output {name}"), figures.interval(&format!("r2.output.{name}"))]));
        }
        rows.push(row(["direction angles, mean (papers)".to_owned(), figures.interval("r2.angle")]));
        rows.push(row([
            "the same for a Gaussian cloud without any network".to_owned(),
            figures.number("r2.angle.anchor"),
        ]));
        blocks.push(Block::Table {
            caption: "R2 on unseen customers",
            headings: vec!["what", "R2"],
            rows,
            numbers: true,
        });
        text(
            blocks,
            "The R2 of the direction angles is what the papers report. Angles are not linear in the state: the figure measures \
             their geometry, and is to be read against the anchor below it, not against 1.",
        );
        let mut rows = vec![
            row([
                "angle between the surrogate's and the network's direction, median".to_owned(),
                figures.degrees("degrees.median"),
            ]),
            row(["the same, 95 % of the customers are below".to_owned(), figures.degrees("degrees.p95")]),
            row([
                "the same for the surrogate of the angles, median".to_owned(),
                figures.degrees("degrees.angles.median"),
            ]),
            row(["same segment (accuracy)".to_owned(), figures.percent("segment.accuracy")]),
            row(["same segment (adjusted Rand index)".to_owned(), figures.number("segment.ari")]),
            row(["same segment (adjusted mutual information)".to_owned(), figures.number("segment.ami")]),
        ];
        for depth in figures.between("path.", ".accuracy") {
            let name = format!("path.{depth}.accuracy");
            rows.push(row([
                format!("same first {depth} traits of the micro-segment"),
                figures.percent(&name),
            ]));
        }
        blocks.push(Block::Table {
            caption: "Agreement on unseen customers",
            headings: vec!["what", "value"],
            rows,
            numbers: true,
        });
        let rows = self
            .run
            .traits
            .iter()
            .filter(|name| figures.get(&format!("by_segment.{name}.customers")).is_some())
            .map(|name| {
                let figure = |what: &str| format!("by_segment.{name}.{what}");
                row([
                    name.clone(),
                    figures.count(&figure("customers")),
                    figures.percent(&figure("accuracy")),
                    figures.degrees(&figure("degrees")),
                ])
            })
            .collect();
        let headings = vec!["segment", "unseen customers", "same segment", "median angle"];
        blocks.push(Block::Table { caption: "By the network's segment", headings, rows, numbers: true });
        let mut sizes: Vec<usize> =
            figures.between("curve.", "").filter_map(|size| size.parse().ok()).collect();
        sizes.sort_unstable();
        let rows: Vec<Vec<String>> = sizes
            .into_iter()
            .map(|size| row([count(size), figures.number(&format!("curve.{size}"))]))
            .collect();
        if !rows.is_empty() {
            let headings = vec!["training customers", "R2 of the state on unseen customers"];
            blocks.push(Block::Table {
                caption: "Learning curve of the surrogate",
                headings,
                rows,
                numbers: true,
            });
        }
    }

    pub(super) fn explanations(&self, blocks: &mut Vec<Block>) {
        let figures = &self.fidelity;
        blocks.push(Block::Heading("explanations", "Explanations of single customers"));
        text(
            blocks,
            format!(
                "Every explanation states its own error: the angle between the surrogate's and the network's direction for that \
                 customer. Above {}, or where the surrogate names another segment than the network, no explanation is \
                 given. That happens for {} of the unseen customers ({} by the angle, {} by the segment).",
                figures.degrees("threshold"),
                figures.percent("refused"),
                figures.percent("refused.direction"),
                figures.percent("refused.segment")
            ),
        );
        text(
            blocks,
            format!(
                "Over all explained customers the sum of baseline and contributions differs from the surrogate's own value by at \
                 most {} of the largest number summed. A feasible change of spending that moves the network's segment was found \
                 for {} of them; half of these have to move no more than {} of their spending.",
                figures.scientific("contributions.gap"),
                figures.percent("change.found"),
                figures.percent("change.moved.median")
            ),
        );
    }

    pub(super) fn stability(&self, blocks: &mut Vec<Block>) {
        let figures = &self.fidelity;
        blocks.push(Block::Heading("stability", "Stability"));
        text(
            blocks,
            "Surrogates fitted on two halves of the training customers, compared on unseen customers; and, once `spendscape \
             evaluate` was run before this report, segments over a long and \
             a short window.",
        );
        let rows = vec![
            row(["same strongest class".to_owned(), figures.percent("stability.first_driver")]),
            row(["three strongest classes in common".to_owned(), figures.percent("stability.three_drivers")]),
            row(["same cluster by long and short window".to_owned(), self.metrics.percent(SAME_CLUSTER)]),
            row(["same segment by long and short window".to_owned(), self.metrics.percent(SAME_SEGMENT)]),
        ];
        blocks.push(Block::Table {
            caption: "Stability",
            headings: vec!["what", "value"],
            rows,
            numbers: true,
        });
    }

    pub(super) fn fairness(&self, blocks: &mut Vec<Block>) {
        blocks.push(Block::Heading("fairness", "Protected and proxy classes"));
        if self.flagged.is_empty() {
            text(
                blocks,
                "No class was listed as protected or as a proxy in this run, and none is protected by its name, so that nothing is \
                 said about fairness here. Give a \
                 list with `spendscape explain --protected`; a class that must not be used at all is left out of the data by \
                 declaring it `flow = \"ignored\"` in the taxonomy.",
            );
            return;
        }
        let rows = self.flagged.iter().map(|flag| flag.to_vec()).collect();
        let headings = vec!["class", "role", "reason, or the class that it goes with"];
        blocks.push(Block::Table { caption: "Flagged classes", headings, rows, numbers: false });
        text(
            blocks,
            format!(
                "Flagged classes are marked in every explanation and are never part of a proposed change. The network's segment of \
                 {} of the customers would be another if they spent on these classes as the average customer does. Whether \
                 segments differ between groups of people cannot be seen here: the data hold no group.",
                self.fidelity.percent("flagged.decide")
            ),
        );
    }

    pub(super) fn limits(&self, blocks: &mut Vec<Block>) {
        blocks.push(Block::Heading("limits", "Limits"));
        list(
            blocks,
            [
                "An explanation is exact for the surrogate and approximate for the network; its error is stated for each customer.",
                "Contributions are additive comparisons with the average customer. They are no causes.",
                "The surrogate sees mean shares. What the order of the periods adds to the network's output is part of its error.",
                "One number per score is free because shares sum to 1. Only differences between coefficients mean something; the \
                 median is the zero by choice.",
                "A proposed change follows the surrogate's slopes and is checked with the network. A smaller one in another direction \
                 may exist where the network is far from linear.",
                self.limit_of_traits(),
            ],
        );
    }

    /// What the traits' names are worth, by where their coefficients come from.
    fn limit_of_traits(&self) -> &'static str {
        match self.run.scope.as_ref().and_then(|scope| scope.coefficients) {
            Some(CoefficientOrigin::Drawn) => {
                "The coefficients of the traits were drawn at random: the traits mean nothing, and neither do segments and \
                 explanations that are told by them."
            }
            Some(CoefficientOrigin::Authored) => {
                "The coefficients of the traits were authored for the synthetic bank; they are no published table. A few of their \
                 signs follow published findings (Matz et al. 2016, Gladstone et al. 2019), which the provenance of the table \
                 names one by one; all other signs and all sizes are assumptions."
            }
            Some(CoefficientOrigin::Given) => {
                "Trait names come from a table of coefficients given by the user; their validity as psychology was not tested."
            }
            None => {
                "Where the coefficients of the traits come from is not recorded; their validity as psychology was not tested."
            }
        }
    }

    pub(super) fn tests(&self, blocks: &mut Vec<Block>) {
        blocks.push(Block::Heading("tests", "Tests"));
        list(
            blocks,
            [
                "Contributions add up to the model's own value to 1e-12 of the largest number summed, over random customers and \
                 models, and in the printed explanations.",
                "Least squares, ridge, polynomials, trees and boosted trees agree with scikit-learn on golden data.",
                "The smallest change beats random feasible changes of the same size and keeps every period whole.",
                "Misleading explanations are refused: another winner, another direction, no spending.",
                "The same run gives the same bytes, on any number of threads.",
            ],
        );
        let rows: Vec<Vec<String>> = KNOWN_COEFFICIENTS
            .iter()
            .filter_map(|(name, what)| {
                let value = self.metrics.get(name)?;
                let shown = if value.fract() == 0.0 && value > 1.0 {
                    format!("{value}")
                } else {
                    format!("{value:.3}")
                };
                Some(row([(*what).to_owned(), shown]))
            })
            .collect();
        if !rows.is_empty() {
            let caption = "Coefficients of the direction angles against the known truth";
            blocks.push(Block::Table { caption, headings: vec!["what", "value"], rows, numbers: true });
        }
    }

    pub(super) fn monitoring(&self, blocks: &mut Vec<Block>) {
        let figures = &self.fidelity;
        blocks.push(Block::Heading("monitoring", "Monitoring"));
        text(
            blocks,
            "Raise an alarm and fit again when a batch of at least 1,000 new customers crosses one of these lines. `spendscape \
             explain` on the batch measures the first three; the last compares the batch's segments with the shares of all customers \
             under Data.",
        );
        let rows = vec![
            row([
                "median angle between the two directions".to_owned(),
                "at most".to_owned(),
                figures.degrees("monitor.degrees_median_at_most"),
            ]),
            row([
                "R2 of the hidden state".to_owned(),
                "at least".to_owned(),
                figures.number("monitor.r2_at_least"),
            ]),
            row([
                "share of customers who are not explained".to_owned(),
                "at most".to_owned(),
                figures.percent("monitor.refused_at_most"),
            ]),
            row([
                "population stability index of the segments".to_owned(),
                "at most".to_owned(),
                "0.2".to_owned(),
            ]),
        ];
        blocks.push(Block::Table {
            caption: "Thresholds",
            headings: vec!["figure", "", "threshold"],
            rows,
            numbers: false,
        });
    }

    pub(super) fn sources(&self, blocks: &mut Vec<Block>) {
        blocks.push(Block::Heading("sources", "Where the figures come from"));
        let rows = self
            .run
            .sources
            .iter()
            .map(|source| {
                row([
                    format!("{}.parquet", source.file),
                    source.stage.clone(),
                    source.seed.map(|seed| seed.to_string()).unwrap_or_default(),
                    source.program.clone(),
                    source.digest.clone(),
                ])
            })
            .collect();
        let headings = vec!["table", "stage", "seed", "program", "digest of the content"];
        blocks.push(Block::Table { caption: "The tables of the run folder", headings, rows, numbers: false });
        if !self.run.left_out.is_empty() {
            blocks.push(Block::List(self.run.left_out.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use spendscape_claims::claims::CLAIMS;

    use super::*;

    #[test]
    fn the_card_shows_figures_that_are_measured() {
        let known = KNOWN_COEFFICIENTS.map(|(name, _)| name);
        for name in known.into_iter().chain([SAME_CLUSTER, SAME_SEGMENT]) {
            let mut figures = CLAIMS.iter().flat_map(|claim| claim.figures);
            assert!(figures.any(|figure| figure.contains(name)), "no claim measures {name}");
        }
    }
}
