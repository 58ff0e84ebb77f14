//! The sections of the page that hold text and tables.

use std::collections::BTreeMap;

use super::html;
use crate::{
    draw::{palette::look, svg::escape, text::count},
    facts::Facts,
    run::{Part, Run},
};

/// Paths of two traits are listed up to this many.
const PATHS: usize = 25;

/// What the run is: warnings first, then who and what it is about, and how good it is.
pub(super) fn introduction(run: &Run, facts: &Facts) -> String {
    let warnings: String = facts.warnings.iter().map(|text| html::warning(&escape(text))).collect();
    let lines: String = facts
        .lines
        .iter()
        .map(|(heading, text)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(heading), escape(text)))
        .collect();
    let seeds: Vec<String> = run
        .sources
        .iter()
        .filter_map(|source| source.seed.map(|seed| format!("{} ({})", seed, source.stage)))
        .fold(Vec::new(), |mut seeds, seed| {
            if !seeds.contains(&seed) {
                seeds.push(seed);
            }
            seeds
        });
    let seeds = if seeds.is_empty() { "none".to_owned() } else { seeds.join(", ") };
    let states = run.sources.iter().find(|source| source.file == "states");
    let digest = states.map(|source| source.digest.clone()).unwrap_or_default();
    format!(
        "{warnings}<dl class=\"facts\">\n{lines}</dl>\n<p class=\"note\">{} customers, {} periods, {} hidden units, {} traits. \
         Seeds: {}. Digest of the states: <code>{}</code>. \
         Every figure is drawn from the tables of the run folder, listed at the end of this page.</p>\n",
        count(run.customers.len()),
        run.long.steps(),
        run.width(),
        run.traits.len(),
        escape(&seeds),
        escape(&digest)
    )
}

/// Sizes of the segments.
pub(super) fn segments(run: &Run) -> String {
    let total = run.dominant.len();
    let share = |size: usize| format!("{:.1} %", 100.0 * size as f64 / total.max(1) as f64);
    let mut sizes = vec![0_usize; run.traits.len()];
    for trait_index in &run.dominant {
        sizes[*trait_index] += 1;
    }
    let rows: Vec<Vec<String>> = run
        .traits
        .iter()
        .enumerate()
        .map(|(at, name)| vec![named(at, name), count(sizes[at]), share(sizes[at])])
        .collect();
    let headings = [("dominant trait", false), ("customers", true), ("share", true)];
    let mut content = html::table("Customers by the trait with the highest grade", &headings, &rows);
    let paths = match &run.paths {
        Ok(paths) => paths,
        Err(missing) => {
            content.push_str(&note(&missing.reason()));
            return content;
        }
    };
    let mut pairs: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for path in paths {
        if let [first, second, ..] = path.as_slice() {
            *pairs.entry((*first, *second)).or_default() += 1;
        }
    }
    let mut pairs: Vec<((usize, usize), usize)> = pairs.into_iter().collect();
    // Stable: pairs of the same size stay in the traits' order.
    pairs.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let found = pairs.len();
    let rows: Vec<Vec<String>> = pairs
        .into_iter()
        .take(PATHS)
        .map(|((first, second), size)| {
            let name = |at: usize| named(at, &run.traits[at]);
            vec![name(first), name(second), count(size), share(size)]
        })
        .collect();
    let caption =
        format!("Micro-segments by the first two traits of the dominance path: {} of {found}", rows.len());
    let headings = [("dominant", false), ("second", false), ("customers", true), ("share", true)];
    content.push_str(&html::table(&caption, &headings, &rows));
    content
}

/// A trait with its color.
pub(super) fn named(trait_index: usize, name: &str) -> String {
    let color = look(trait_index).color.hex();
    format!("<span class=\"swatch\" style=\"background:{color}\"></span>{}", escape(name))
}

pub(super) fn note(reason: &str) -> String {
    format!("<p class=\"skipped\">{}.</p>\n", escape(reason))
}

/// The measured figures.
pub(super) fn metrics(metrics: &Part<Vec<(String, f64)>>) -> String {
    match metrics {
        Ok(metrics) => {
            let row = |(name, value): &(String, f64)| vec![escape(name), number(*value)];
            let rows: Vec<Vec<String>> = metrics.iter().map(row).collect();
            html::table("Measured on this run", &[("figure", false), ("value", true)], &rows)
        }
        Err(missing) => note(&format!("{}: `spendscape evaluate` measures them", missing.reason())),
    }
}

/// A number with the digits that matter.
fn number(value: f64) -> String {
    let size = value.abs();
    let text = if !value.is_finite() {
        "not a number".to_owned()
    } else if value == value.trunc() && size < 1e9 {
        format!("{value:.0}")
    } else if (1e-3..1e6).contains(&size) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    };
    text.replace('-', "\u{2212}")
}

/// Where the tables come from.
pub(super) fn provenance(run: &Run) -> String {
    let rows: Vec<Vec<String>> = run
        .sources
        .iter()
        .map(|source| {
            vec![
                format!("{}.parquet", escape(&source.file)),
                escape(&source.stage),
                count(source.rows),
                source.seed.map(|seed| seed.to_string()).unwrap_or_default(),
                escape(&source.program),
                format!("<code>{}</code>", escape(&source.digest)),
            ]
        })
        .collect();
    let headings = [
        ("table", false),
        ("stage", false),
        ("rows", true),
        ("seed", true),
        ("program", false),
        ("digest of the content", false),
    ];
    let left_out: String = run.left_out.iter().map(|reason| note(reason)).collect();
    html::table("The tables of the run folder", &headings, &rows) + &left_out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_matters() {
        let shown = [0.94512, -0.0123, 26_000.0, 1.2e-9, f64::NAN].map(number);
        assert_eq!(shown, ["0.9451", "\u{2212}0.0123", "26000", "1.200e\u{2212}9", "not a number"]);
    }
}
