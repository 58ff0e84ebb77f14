//! The model card of a run, as Markdown and as a page: what the explanations are for, how faithful and how stable they are,
//! where they end, and when to raise an alarm. Its figures are those of the tables `fidelity`, `explanations`,
//! `flagged_classes` and, where `spendscape evaluate` was run, `metrics`.

mod blocks;
mod sections;

use std::path::Path;

use spendscape_schema::{
    Tabular,
    tables::{FlaggedClasses, Metrics},
};
use spendscape_store::write_file;

use self::blocks::Block;
use crate::{
    Error,
    facts::Facts,
    measured::{Figures, read_figures},
    run::{FIDELITY, Run, optional},
};

/// What the card is written from.
struct Card {
    run: Run,
    fidelity: Figures,
    metrics: Figures,
    facts: Facts,
    /// Class, role, reason.
    flagged: Vec<[String; 3]>,
}

/// Writes the model card of the run folder `run` as `model_card.md` and `model_card.html` into the folder `out`. The same
/// tables give the same bytes.
///
/// The crate's [first page](crate) has an example.
///
/// # Errors
/// [`Error::MissingTable`] without the table `fidelity`, and as [`figures`](crate::figures()).
pub fn model_card(run: &Path, out: &Path) -> Result<(), Error> {
    let blocks = Card::open(run)?.blocks();
    write_file(&out.join("model_card.md"), blocks::markdown(TITLE, &blocks).as_bytes())?;
    write_file(&out.join("model_card.html"), blocks::page(TITLE, &blocks).as_bytes())?;
    Ok(())
}

/// The card's heading.
const TITLE: &str = "Model card: customer segments and their explanations";

impl Card {
    fn open(folder: &Path) -> Result<Self, Error> {
        let run = Run::open(folder)?;
        let Ok(fidelity) = read_figures(folder, FIDELITY)? else {
            return Err(Error::MissingTable { path: folder.join(format!("{FIDELITY}.parquet")) });
        };
        let flagged = match optional::<FlaggedClasses>(folder, FlaggedClasses::NAME)? {
            Ok((table, _)) => table.into_rows().map(|row| [row.class, row.role, row.reason]).collect(),
            Err(_) => Vec::new(),
        };
        let metrics = read_figures(folder, Metrics::NAME)?.unwrap_or_default();
        let facts = Facts::new(run.scope.as_ref(), &run.traits, &fidelity);
        Ok(Self { run, fidelity, metrics, facts, flagged })
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for section in [
            Self::purpose,
            Self::data,
            Self::method,
            Self::fidelity,
            Self::explanations,
            Self::stability,
            Self::fairness,
            Self::limits,
            Self::tests,
            Self::monitoring,
            Self::sources,
        ] {
            section(self, &mut blocks);
        }
        blocks
    }
}
