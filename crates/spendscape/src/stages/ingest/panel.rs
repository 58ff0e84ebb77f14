//! A ledger to panels of spending shares.

use std::num::NonZeroUsize;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use spendscape_ledger::{Limits, PanelReport, PanelRequest, Panels, balances, build_panels, reaches_over};
use spendscape_run::{
    File, Notes, RunFolder, Sources, SpendingClasses, Stage, TableHead, execute, inputs, outputs,
};
use spendscape_schema::{
    EmptyWindows, Panel, WindowSpec,
    scope::SCOPE,
    tables::{Balances, LeftOut, LeftOutRow},
};

use super::options::IngestOptions;
use crate::{scope, stages::anchors::Anchors};

/// What panels are made with.
#[derive(Debug, Clone, Serialize)]
pub struct PanelParams {
    /// Long window.
    #[serde(serialize_with = "as_text")]
    pub window: WindowSpec,
    /// Short window, if there is one.
    #[serde(serialize_with = "as_optional_text")]
    pub short_window: Option<WindowSpec>,
    /// What becomes of customers with empty periods.
    pub empty_windows: EmptyWindows,
    /// What the machine has for it, which changes no result.
    #[serde(skip)]
    pub limits: Limits,
}

inputs! {
    /// What panels are made from.
    pub struct PanelInputs {
        /// Validated transactions.
        pub ledger: TableHead = table File::Ledger,
        /// The spending classes.
        pub classes: SpendingClasses = table File::Taxonomy,
        /// Last days of the customers' own windows.
        pub anchors: Option<Anchors> = file "anchors",
    }
}

outputs! {
    /// Spending shares.
    pub struct PanelOutputs {
        /// Over the long window.
        pub panel: Panel = stream File::Panel,
        /// Over the short window.
        pub short: Option<Panel> = stream File::ShortPanel,
        /// Who is not in one of them.
        pub left_out: LeftOut = table File::LeftOut,
        /// Balances per period, where the ledger records them.
        pub balances: Option<Balances> = table File::Balances,
        /// What was counted.
        pub report: PanelReport = json "panel_report.json",
    }
}

/// Makes panels of a ledger.
#[derive(Debug)]
pub struct PanelStage;

impl Stage for PanelStage {
    const NAME: &'static str = "panel";
    type Params = PanelParams;
    type Inputs = PanelInputs;
    type Outputs = PanelOutputs;

    fn run(params: &PanelParams, inputs: PanelInputs, notes: &mut Notes) -> Result<PanelOutputs> {
        let anchors = inputs.anchors.map(|anchors| anchors.days);
        let windows = [Some(params.window), params.short_window].into_iter().flatten();
        let request = PanelRequest {
            windows: windows.map(|window| (window, params.empty_windows)).collect(),
            classes: inputs.classes.0,
            anchors,
            limits: params.limits.clone(),
        };
        let ledgers = [&inputs.ledger.path];
        let built = build_panels(&ledgers, &request).map_err(|error| advise_windows(error, params))?;
        log_panels(&built.report);
        if built.report.customers == 1 {
            tracing::warn!(
                "all rows are one customer's, and a run compares customers: `columns.customer` in the map says what tells them apart"
            );
        }
        let scope = scope::of_panels(&inputs.ledger.provenance, &built, request.anchors.is_some())?;
        notes.add(SCOPE, serde_json::to_value(&scope)?);
        let places = [(File::Panel, "--window"), (File::ShortPanel, "--short-window")];
        for (at, (panel, (file, option))) in built.panels.iter().zip(places).enumerate() {
            if panel.is_empty() {
                bail!("{}: {}", file.name(), scope::nobody(&built, at));
            }
            scope::warn_of_window(option, &built, at);
        }
        let left_out = left_out(&built)?;
        let mut panels = built.panels.into_iter();
        let panel = panels.next().context("there is no window")?;
        Ok(PanelOutputs {
            balances: balances(&ledgers, params.window, request.anchors.as_ref(), &panel)?,
            panel,
            short: panels.next(),
            left_out,
            report: built.report,
        })
    }
}

/// A value as the text that is read back from it.
fn as_text<T: ToString, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn as_optional_text<T: ToString, S: serde::Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(serializer)
}

pub(super) fn panels(run: &RunFolder, options: &IngestOptions, force: bool) -> Result<()> {
    let params = PanelParams {
        window: options.window,
        short_window: options.short_window.0,
        empty_windows: options.empty_windows,
        limits: Limits {
            memory_bytes: options.memory << 20,
            threads: NonZeroUsize::new(rayon::current_num_threads()).unwrap_or(NonZeroUsize::MIN),
            ..Limits::with_scratch(run.path())
        },
    };
    execute::<PanelStage>(&Sources::new(run).file("anchors", options.anchors.as_deref()), &params, force)
}

/// Who is not in the panels, and why.
fn left_out(built: &Panels) -> Result<LeftOut> {
    let windows = built.report.windows.iter().zip(&built.panels).zip(&built.left_out);
    let rows = windows.flat_map(|((window, panel), left_out)| {
        left_out.iter().map(|row| LeftOutRow {
            window: window.window.clone(),
            customer: row.customer.clone(),
            reason: row.reason.name().to_owned(),
            periods_with_spending: row.periods_with_spending,
            periods: panel.periods.len() as u16,
        })
    });
    Ok(LeftOut::from_rows(rows)?)
}

/// Names the options with which both windows fit a ledger that is too short for one of them.
fn advise_windows(error: spendscape_ledger::Error, params: &PanelParams) -> anyhow::Error {
    let spendscape_ledger::Error::TooFewPeriods { window, first, last, fits: Some(fits), .. } = &error else {
        return error.into();
    };
    let long = if *window == params.window.to_string() {
        format!("--window '{fits}'")
    } else {
        format!("--window '{}'", params.window)
    };
    let short = match params.short_window {
        Some(short) if reaches_over(&short, *first, *last) => format!("--short-window '{short}'"),
        _ => "--short-window none".to_owned(),
    };
    anyhow!("{error}. Write `{long} {short}`")
}

fn log_panels(report: &PanelReport) {
    tracing::info!(
        rows = report.rows,
        customers = report.customers,
        outside = report.rows_outside,
        "ledger aggregated"
    );
    if let Some(spill) = &report.spilled {
        tracing::info!(files = spill.files, bytes = spill.bytes, "beyond the memory limit, through files");
    }
    for window in &report.windows {
        tracing::info!(
            window = window.window,
            first = window.days.as_ref().map(|days| &days.0),
            last = window.days.as_ref().map(|days| &days.1),
            customers = window.customers,
            dropped = window.dropped.count,
            carried = window.carried,
            zero = window.zero,
            clipped = window.clipped.count,
            "panel"
        );
    }
}
