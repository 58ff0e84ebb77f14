//! What a run is about ([`Scope`]): gathered where panels are made, handed on to the targets, and warned of where it has to be.

use anyhow::{Context, Result};
use jiff::civil::Date;
use serde_json::Value;
use spendscape_ledger::{Panels, WindowReport};
use spendscape_schema::{
    CoefficientOrigin, Coverage, Currency, LeftOut, Scope,
    scope::{COEFFICIENT_ORIGIN, SCOPE, counted, percent},
};
use spendscape_store::Provenance;

/// Share of the ledger's customers whose being left out is warned of: beyond it a panel no longer stands for its ledger.
const MANY_LEFT_OUT: f64 = 0.1;

/// What to do about a panel of one customer.
pub(crate) const ONE_CUSTOMER: &str = "the panel has 1 customer, and a network learns from several: set `columns.customer` in the \
    column map to what tells customers apart and run `spendscape ingest` again, or take a `--window` and \
    `--empty-windows` that keep more of them";

/// The scope of panels made from a ledger of this provenance.
pub(crate) fn of_panels(ledger: &Provenance, built: &Panels, anchored: bool) -> Result<Scope> {
    let days = |days: &Option<(String, String)>| -> Result<(Date, Date)> {
        let (first, last) = days.as_ref().context("the report of the panels has no days")?;
        Ok((first.parse()?, last.parse()?))
    };
    let coverage = |(panel, window): (&spendscape_schema::Panel, &WindowReport)| -> Result<Coverage> {
        Ok(Coverage {
            window: window.window.clone(),
            days: days(&window.days)?,
            anchored,
            periods: panel.periods.len(),
            rows_outside: window.rows_outside,
            customers: window.customers,
            left_out: window.left_out.clone(),
        })
    };
    Ok(Scope {
        files: files(ledger),
        ledger_days: days(&built.report.days)?,
        ledger_rows: built.report.rows,
        ledger_customers: built.report.customers,
        currency: currency(ledger),
        windows: built.panels.iter().zip(&built.report.windows).map(coverage).collect::<Result<_>>()?,
        coefficients: None,
    })
}

/// The raw files that a ledger was made from: its provenance numbers them.
fn files(ledger: &Provenance) -> Vec<String> {
    let name = |input: &String| {
        let (number, name) = input.split_once(' ')?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.to_owned())
    };
    ledger.inputs.keys().filter_map(name).collect()
}

/// The currency that the map of a ledger names.
fn currency(ledger: &Provenance) -> Option<Currency> {
    let map = ledger.parameters.get("map")?;
    let digits = map.get("minor_digits").and_then(Value::as_u64)?;
    Some(Currency::new(map.get("currency")?.as_str()?, u32::try_from(digits).ok()?))
}

/// The scope that a table's provenance holds, if it was made from a ledger.
pub(crate) fn of_table(provenance: &Provenance) -> Option<Scope> {
    serde_json::from_value(provenance.parameters.get(SCOPE)?.clone()).ok()
}

/// The scope of a panel with the coefficients that traits are computed with.
pub(crate) fn with_coefficients(panel: &Provenance, coefficients: &Provenance) -> Option<Scope> {
    let origin = coefficients.parameters.get(COEFFICIENT_ORIGIN).cloned();
    let coefficients = origin.and_then(|origin| serde_json::from_value(origin).ok());
    Some(Scope { coefficients, ..of_table(panel)? })
}

/// Warns of traits that mean nothing.
pub(crate) fn warn_of_traits(origin: Option<CoefficientOrigin>) {
    if let Some(warning) = origin.and_then(CoefficientOrigin::warning) {
        tracing::warn!("{warning} Bring a table of your own with `ingest --coefficients`");
    }
}

/// Warns where a window holds few of the customers, or not the days that its reader thinks it holds. `option` asks for it.
pub(crate) fn warn_of_window(option: &str, built: &Panels, at: usize) {
    let (report, left_out) = (&built.report.windows[at], &built.left_out[at]);
    let all = built.report.rows;
    if let (Some(better), Some((first, last))) = (&report.better, &report.days) {
        tracing::warn!(
            "{} of the ledger's rows lie outside the window, {first} to {last}, because of {} ({}) later than {}: \
             `{option} '{}'` leaves out {} ({})",
            percent(report.rows_outside, all),
            counted(better.rows_later, "row"),
            percent(better.rows_later, all),
            better.days.1,
            better.window,
            counted(better.rows_outside, "row"),
            percent(better.rows_outside, all)
        );
    }
    let (dropped, customers) = (left_out.len() as u64, report.customers as u64);
    if dropped as f64 > MANY_LEFT_OUT * (dropped + customers) as f64 {
        let periods = built.panels[at].periods.len() as u16;
        let half = periods.div_ceil(2);
        let more = left_out
            .iter()
            .filter(|row| row.reason == LeftOut::FewPeriods && row.periods_with_spending >= half);
        let more = more.count() as u64;
        let advice = if more == 0 {
            String::new()
        } else {
            format!(": `--empty-windows keep-zero:{half}` keeps {} customers", customers + more)
        };
        tracing::warn!(
            "{} of {} customers ({}) are not in the panel of `{}`{advice}",
            dropped,
            dropped + customers,
            percent(dropped, dropped + customers),
            report.window
        );
    }
}

/// Why nobody is left, and what may be the matter.
pub(crate) fn nobody(built: &Panels, at: usize) -> String {
    let (report, left_out) = (&built.report.windows[at], &built.left_out[at]);
    let reasons = report.left_out.iter().map(|(reason, count)| format!("{count} {}", reason.in_words()));
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    let money_in = report.left_out.get(&LeftOut::MoneyIn).copied().unwrap_or(0);
    let few = left_out.iter().filter(|row| row.reason == LeftOut::FewPeriods);
    let most = few.map(|row| row.periods_with_spending).max();
    let advice = match most {
        _ if 2 * money_in > report.left_out.values().sum::<u64>() => {
            "is the sign of the map's `amount` right? Money spent is negative".to_owned()
        }
        Some(most) if most > 0 => {
            format!(
                "`--empty-windows keep-zero:{most}` keeps those with spending in {most} of the periods, the most that any has"
            )
        }
        _ => "choose other windows".to_owned(),
    };
    format!("no customer of the ledger is left ({reasons}): {advice}")
}
