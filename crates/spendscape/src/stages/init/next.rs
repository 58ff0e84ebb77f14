//! The commands that follow a map.

use std::path::Path;

use spendscape_ingest::ColumnMap;

use super::{InitOptions, Trial};

/// Where a taxonomy goes that has to be added to.
const TAXONOMY_FILE: &str = "taxonomy.toml";

/// Codes of money coming in that are named at most.
const MOST_NAMED: usize = 12;

/// The commands that make a run of the ledger.
pub(super) fn commands(options: &InitOptions, map: &ColumnMap, trial: &Trial) -> Vec<String> {
    let files: Vec<String> = options.files.iter().map(|file| shell(&file.display().to_string())).collect();
    let name = options.files.first().and_then(|file| file.file_stem()).and_then(|stem| stem.to_str());
    let name: String = name
        .unwrap_or("ledger")
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect();
    let run = format!("runs/{}", name.trim_matches('_'));
    if let Some(obstacle) = trial.obstacle() {
        return vec![format!("# {obstacle}")];
    }
    let Some(window) = trial.windows.iter().find(|window| window.is_proposed) else { return Vec::new() };
    let short = trial.short.clone().unwrap_or_else(|| "none".to_owned());
    let files = files.join(" ");
    let map_file = shell(&options.map.display().to_string());
    if !options.map.exists() {
        return vec![format!("spendscape init {files} --map {map_file}")];
    }
    let mut commands = Vec::new();
    let classes = match &trial.taxonomy {
        None => {
            commands.extend(leave_out(map, trial));
            format!("--derive-classes {} --draw-coefficients 1", trial.derived_classes)
        }
        Some(known) if known.lacking.is_empty() => {
            format!("--taxonomy {} --coefficients authored", known.name)
        }
        Some(known) => {
            // One that is there already may have been added to.
            if !Path::new(TAXONOMY_FILE).exists() {
                commands.push(format!("spendscape template {} > {TAXONOMY_FILE}", known.name));
                commands.push(format!(
                    "# then add the codes that it lacks to {TAXONOMY_FILE}, or write `unmapped = \"drop\"` at its start"
                ));
            }
            format!("--taxonomy {TAXONOMY_FILE} --coefficients authored")
        }
    };
    commands.push(format!(
        "spendscape ingest {run} --files {files} --map {map_file} {classes} --window '{}' --short-window '{short}' --empty-windows {}",
        window.window, window.policy
    ));
    commands.push(format!("spendscape run {run}"));
    commands
}

/// What leaves out codes that only bring money in: derived classes are all classes of spending.
fn leave_out(map: &ColumnMap, trial: &Trial) -> Option<String> {
    if trial.incoming.is_empty() || trial.incoming.len() > MOST_NAMED {
        return None;
    }
    let class = &map.columns.class;
    let codes: Vec<String> =
        trial.incoming.iter().map(|(code, _)| format!("'{}'", code.replace('\'', "''"))).collect();
    let codes = format!("{class} NOT IN ({})", codes.join(", "));
    let condition = match &map.rows.condition {
        Some(condition) => format!("({condition}) AND {codes}"),
        None => codes,
    };
    let condition = format!("{condition:?}");
    Some(format!(
        "# codes that only bring money in become classes too, without any spending; under [rows] in the map, this leaves them out: \
         where = {condition}"
    ))
}

/// A word of a shell's command.
fn shell(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-=+,:@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
