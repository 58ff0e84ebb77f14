//! Why a customer cannot be explained who is not in the panel.

use anyhow::Result;
use spendscape_run::{File, RunFolder};
use spendscape_schema::{
    EmptyWindows, LeftOut,
    tables::{self, LeftOutRow},
};

use crate::scope;

/// Why the customer is not in the panel, and what would change that.
pub(super) fn why(run: &RunFolder, customer: &str) -> Result<String> {
    let path = run.find(File::Panel);
    let panel = run.read(File::Panel)?.provenance;
    let long = scope::of_table(&panel).and_then(|scope| scope.long().cloned());
    let unknown = format!(
        "there is no customer {customer:?} in the ledger that {} was made from: ids are those of the column `customer`, hashed \
         where `ingest` was told to",
        path.display()
    );
    let (Some(window), true) = (long, run.has(File::LeftOut)?) else {
        return Ok(format!(
            "there is no customer {customer:?} in {}: ids are those of the column `customer`, hashed where `ingest` was told to",
            path.display()
        ));
    };
    let table: tables::LeftOut = run.table(File::LeftOut)?;
    let found = |row: &LeftOutRow| row.customer == customer && row.window == window.window;
    let Some(LeftOutRow { reason, periods_with_spending: spending, periods, .. }) =
        table.into_rows().find(found)
    else {
        return Ok(unknown);
    };
    let is = |name: LeftOut| reason == name.name();
    let policy = panel.parameters.get("empty_windows").cloned().unwrap_or_default();
    let policy: Option<EmptyWindows> = serde_json::from_value(policy).ok();
    let reason = if is(LeftOut::FewPeriods) {
        let (rule, needed) = match policy {
            Some(EmptyWindows::KeepZero(least)) => (format!("keep-zero:{least}"), least),
            Some(EmptyWindows::CarryForward(least)) => (format!("carry-forward:{least}"), least),
            Some(EmptyWindows::Drop) | None => ("drop".to_owned(), periods),
        };
        format!(
            "only {spending} of the {periods} periods have spending, and `--empty-windows {rule}` asks for {needed}; `spendscape ingest \
             --empty-windows keep-zero:{spending}` keeps the customer"
        )
    } else if is(LeftOut::MoneyIn) {
        "in no period is there spending; money came in, in classes of spending (refunds, or amounts of the wrong sign)".to_owned()
    } else if is(LeftOut::NoAnchor) {
        "the file of `--anchors` has no day for the customer".to_owned()
    } else {
        "in no period is there spending".to_owned()
    };
    Ok(format!(
        "customer {customer:?} is in the ledger, but was left out of {}, the window {}: {reason}",
        path.display(),
        window.days_in_words()
    ))
}
