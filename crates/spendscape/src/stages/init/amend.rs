//! What all rows show of a proposed map, and its first rows do not.

use std::path::PathBuf;

use anyhow::Result;
use spendscape_ingest::{Guess, Overlap, Proposal, Refusal, expand, overlap};
use spendscape_store::ScratchFolder;

use super::Trial;

/// Amends a proposed map by what came of it, and says whether anything changed.
pub(super) fn amend(proposal: &mut Proposal, trial: &Trial, files: &[PathBuf]) -> Result<bool> {
    let without_code = without_code(proposal, trial);
    Ok(once(proposal, files)? || without_code)
}

/// Leaves out rows without a code, where they only bring money in and the taxonomy would refuse them.
fn without_code(proposal: &mut Proposal, trial: &Trial) -> bool {
    let is_empty = |code: &&(String, u64)| code.0.trim().is_empty();
    let lacking = trial.taxonomy.as_ref().and_then(|known| known.lacking.iter().find(is_empty));
    let Some((_, rows)) = lacking.filter(|_| trial.incoming.iter().any(|code| is_empty(&code))) else {
        return false;
    };
    let map = &mut proposal.map;
    let condition = format!("trim(CAST({} AS VARCHAR)) <> ''", map.columns.class);
    let reason = format!("the {rows} rows without a code only bring money in, and no class takes them");
    proposal.guesses.push(Guess { entry: "rows.where", value: condition.clone(), reason, is_sure: false });
    map.rows.condition = Some(match map.rows.condition.take() {
        Some(before) => format!("{before} AND {condition}"),
        None => condition,
    });
    true
}

/// Takes rows that are equal in all columns once, where files overlap.
fn once(proposal: &mut Proposal, files: &[PathBuf]) -> Result<bool> {
    let Some(whole_row) = proposal.whole_row.clone().filter(|_| proposal.map.columns.transaction.is_none())
    else {
        return Ok(false);
    };
    if expand(files)?.len() < 2 {
        return Ok(false);
    }
    let mut map = proposal.map.clone();
    map.columns.transaction = Some(whole_row.clone());
    let scratch = ScratchFolder::create(&std::env::temp_dir())?;
    let Overlap { between_files, within_files } = overlap(&map, files, scratch.path())?;
    if between_files == 0 {
        return Ok(false);
    }
    let found = format!("{between_files} rows are equal in all columns to rows of another file");
    if within_files >= between_files {
        let reason = format!(
            "{found}, and {within_files} to rows of their own, which may be second payments: nothing tells them apart, all are \
             counted"
        );
        proposal.guesses.push(Guess {
            entry: "rows.repeated",
            value: "\"refuse\"".to_owned(),
            reason,
            is_sure: false,
        });
        return Ok(true);
    }
    map.rows.repeated = Refusal::Drop;
    proposal.map = map;
    let guess = |entry: &'static str, value: &str, reason: String| Guess {
        entry,
        value: value.to_owned(),
        reason,
        is_sure: false,
    };
    let own = match within_files {
        0 => String::new(),
        rows => format!(
            "; {rows} that are equal to rows of their own file are dropped too, which may be second payments"
        ),
    };
    let id = "no column is an id: rows that are equal in all columns are taken for one".to_owned();
    proposal.guesses.push(guess("columns.transaction", &whole_row, id));
    proposal.guesses.push(guess("rows.repeated", "\"drop\"", found + ", as where exports overlap" + &own));
    Ok(true)
}
