//! Panels against the slow obvious way, and what must not matter.

use jiff::civil::{DateTime, date};
use proptest::prelude::*;
use spendscape_ledger::{Error, build_panels};
use spendscape_schema::{EmptyWindows, LeftOut, Panel, WindowSpec};

use super::common::{Row, limits, request, row, slow_panel, write, write_plain};

const CLASSES: [&str; 3] = ["food", "rent", "fun"];
const ALL_CLASSES: [&str; 4] = ["food", "rent", "fun", "salary"];
const PLENTY: u64 = 1 << 30;

fn at(day: i32) -> DateTime {
    date(2018, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap().at(13, 7, 5, 0)
}

/// A ledger of three years whose first and last days are fixed, so that every window is reached.
fn ledger() -> impl Strategy<Value = Vec<Row>> {
    let one = (0_usize..6, 0_i32..1096, -30_000_i64..8_000, 0_usize..4);
    prop::collection::vec(one, 0..120).prop_map(|rows| {
        let ends = [row("c1", at(0), -100, "food"), row("c1", at(1095), -100, "rent")];
        rows.into_iter()
            .map(|(customer, day, amount, class)| {
                row(&format!("c{customer}"), at(day), amount, ALL_CLASSES[class])
            })
            .chain(ends)
            .collect()
    })
}

fn policy() -> impl Strategy<Value = EmptyWindows> {
    prop_oneof![
        Just(EmptyWindows::Drop),
        (0_u16..4).prop_map(EmptyWindows::CarryForward),
        (0_u16..4).prop_map(EmptyWindows::KeepZero),
    ]
}

fn spec(window: &str) -> WindowSpec {
    window.parse().unwrap()
}

fn classes() -> Vec<String> {
    CLASSES.map(str::to_owned).to_vec()
}

const WINDOWS: [&str; 3] = ["annual x 3", "bi-monthly x 6", "30 days x 4 from 2019-06-01"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Several windows from one pass, each as the definitions say.
    #[test]
    fn panels_are_what_the_definitions_say(rows in ledger(), policy in policy(), threads in 1_usize..4) {
        let folder = tempfile::tempdir().unwrap();
        let path = write(&folder.path().join("ledger.parquet"), &rows, 50);
        let windows = WINDOWS.map(|window| (window, policy));
        let panels = build_panels(&[path], &request(&windows, &CLASSES, limits(folder.path(), threads, PLENTY))).unwrap();
        for ((panel, window), report) in panels.panels.iter().zip(WINDOWS).zip(&panels.report.windows) {
            prop_assert_eq!(panel, &slow_panel(&rows, &spec(window), policy, &classes()));
            let customers = panels.report.customers as u64;
            prop_assert_eq!(report.customers as u64 + report.dropped.count, customers);
            prop_assert_eq!(panel.observed.iter().filter(|own| !**own).count() as u64, report.carried + report.zero);
        }
        let other = rows.iter().filter(|row| row.class == "salary").count() as u64;
        prop_assert_eq!(panels.report.rows_of_other_classes.get("salary").copied().unwrap_or(0), other);
        prop_assert_eq!(panels.report.rows, rows.len() as u64);
    }

    /// Neither threads, nor the memory limit, nor the order of rows, nor their division into files and batches matter.
    #[test]
    fn only_the_rows_matter(
        rows in ledger(), order in any::<u64>(), cut in any::<prop::sample::Index>(), batch in 1_usize..40,
        threads in 1_usize..4, memory in 2_000_u64..20_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let windows = [("annual x 3", EmptyWindows::KeepZero(0)), ("bi-monthly x 6", EmptyWindows::CarryForward(1))];
        let whole = write(&folder.path().join("whole.parquet"), &rows, 1000);
        let expected = build_panels(&[whole], &request(&windows, &CLASSES, limits(folder.path(), 1, PLENTY))).unwrap();
        let mut shuffled = rows;
        let mut state = order;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        let (first, second) = shuffled.split_at(cut.index(shuffled.len()));
        let files = [
            write(&folder.path().join("first.parquet"), first, batch),
            write(&folder.path().join("second.parquet"), second, batch),
        ];
        let scratch = folder.path().join("scratch");
        let found = build_panels(&files, &request(&windows, &CLASSES, limits(&scratch, threads, memory))).unwrap();
        prop_assert_eq!(&expected.panels, &found.panels);
        let plain = [write_plain(&folder.path().join("plain.parquet"), &shuffled)];
        let plain = build_panels(&plain, &request(&windows, &CLASSES, limits(&scratch, threads, PLENTY))).unwrap();
        prop_assert_eq!(&expected.panels, &plain.panels);
        prop_assert_eq!(&expected.report, &plain.report);
        let mut report = found.report;
        report.spilled = None;
        prop_assert_eq!(&expected.report, &report);
    }

    /// A year is the sum of its six two-month periods, and shares sum to one.
    #[test]
    fn windows_add_up(rows in ledger()) {
        // Without refunds nothing is clipped, so that totals add up exactly.
        let rows: Vec<Row> = rows.into_iter().map(|row| Row { amount: -row.amount.abs(), ..row }).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = write(&folder.path().join("ledger.parquet"), &rows, 64);
        let windows = [("annual x 1", EmptyWindows::KeepZero(0)), ("bi-monthly x 6", EmptyWindows::KeepZero(0))];
        let made = build_panels(&[path], &request(&windows, &CLASSES, limits(folder.path(), 2, PLENTY))).unwrap();
        let [year, months]: &[Panel; 2] = made.panels.as_slice().try_into().unwrap();
        prop_assert_eq!(&year.customers, &months.customers);
        for n in 0..year.len() {
            prop_assert_eq!(year.totals[[n, 0]], months.totals.row(n).sum());
            for t in 0..6 {
                let sum: f32 = months.shares.slice(ndarray::s![n, t, ..]).sum();
                // Three shares are each rounded once, to 2^-25 at most.
                let tolerance = 3.0 * f32::EPSILON;
                prop_assert!((sum - if months.observed[[n, t]] { 1.0 } else { 0.0 }).abs() <= tolerance, "{}", sum);
            }
        }
    }
}

fn small() -> Vec<Row> {
    vec![
        row("b", date(2020, 1, 15).at(23, 59, 59, 999_000_000), -600, "food"),
        row("b", date(2020, 1, 20).at(0, 0, 0, 0), -200, "rent"),
        row("b", date(2020, 2, 1).at(0, 0, 0, 0), -500, "fun"),
        row("b", date(2020, 2, 29).at(12, 0, 0, 0), 700, "fun"),
        row("b", date(2020, 2, 3).at(12, 0, 0, 0), -100, "food"),
        row("b", date(2020, 1, 5).at(12, 0, 0, 0), 99_999, "salary"),
        row("a", date(2020, 1, 31).at(23, 59, 59, 999_000_000), -1000, "rent"),
        row("z", date(2019, 12, 31).at(23, 59, 59, 999_000_000), -5, "food"),
    ]
}

#[test]
fn refunds_reduce_their_class_and_never_below_zero() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder.path().join("ledger.parquet"), &small(), 3);
    let windows = [("monthly x 2", EmptyWindows::KeepZero(1)), ("monthly x 2", EmptyWindows::Drop)];
    let made = build_panels(&[path], &request(&windows, &CLASSES, limits(folder.path(), 2, PLENTY))).unwrap();
    let panel = &made.panels[0];
    assert_eq!(panel.customers, ["a", "b"]);
    assert_eq!(panel.totals, ndarray::array![[1000, 0], [800, 100]]);
    assert_eq!(
        panel.shares,
        ndarray::array![[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[0.75, 0.25, 0.0], [1.0, 0.0, 0.0]]]
    );
    assert_eq!(made.panels[1].customers, ["b"]);
    let report = &made.report;
    assert_eq!((report.rows, report.rows_outside, report.customers), (8, 1, 3));
    assert_eq!(report.rows_of_other_classes, [("salary".to_owned(), 1)].into());
    let window = &report.windows[0];
    assert_eq!((window.customers, window.incomplete, window.silent, window.zero), (2, 1, 0, 1));
    assert_eq!((window.dropped.count, window.dropped.examples.as_slice()), (1, ["z".to_owned()].as_slice()));
    assert_eq!((window.clipped.count, window.clipped_minor), (1, 200));
    let example = &window.clipped.examples[0];
    assert_eq!(
        (example.customer.as_str(), example.period, example.class.as_str(), example.total_minor),
        ("b", 1, "fun", -200)
    );
}

/// Everybody of the ledger is in the panel, or is left out for a reason that is told.
#[test]
fn who_is_left_out_is_told_with_the_reason_and_the_days() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = small();
    // Money in a class of spending comes in only: refunds, or amounts of the wrong sign.
    rows.push(row("sign", date(2020, 1, 10).at(12, 0, 0, 0), 300, "food"));
    rows.push(row("wage", date(2020, 1, 10).at(12, 0, 0, 0), 300, "salary"));
    let path = write(&folder.path().join("ledger.parquet"), &rows, 3);
    let windows = [("monthly x 2", EmptyWindows::Drop)];
    for threads in [1, 3] {
        let limits = limits(folder.path(), threads, PLENTY);
        let made = build_panels(&[&path], &request(&windows, &CLASSES, limits)).unwrap();
        let left_out: Vec<(&str, LeftOut, u16)> = made.left_out[0]
            .iter()
            .map(|row| (row.customer.as_str(), row.reason, row.periods_with_spending))
            .collect();
        let expected = [
            ("a", LeftOut::FewPeriods, 1),
            ("sign", LeftOut::MoneyIn, 0),
            ("wage", LeftOut::NoSpending, 0),
            ("z", LeftOut::NoSpending, 0),
        ];
        assert_eq!(left_out, expected);
        let report = &made.report.windows[0];
        let reasons = [(LeftOut::FewPeriods, 1), (LeftOut::NoSpending, 2), (LeftOut::MoneyIn, 1)];
        assert_eq!(report.left_out, reasons.into());
        assert_eq!(report.dropped.count, 4);
        let days = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        assert_eq!(report.days, days("2020-01-01", "2020-02-29"));
        assert_eq!(made.report.days, days("2019-12-31", "2020-02-29"));
    }
}

/// The window that ends with the ledger is moved by a few late rows: a better one is named.
#[test]
fn a_window_that_a_few_late_rows_moved_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows: Vec<Row> = (0..365).map(|day| row("a", at(day), -100, "food")).collect();
    rows.push(row("a", at(365), -1, "food"));
    let path = write(&folder.path().join("ledger.parquet"), &rows, 50);
    let windows = [
        ("quarterly x 4", EmptyWindows::Drop),
        ("quarterly x 4 from 2018-01-01", EmptyWindows::Drop),
        ("monthly x 2", EmptyWindows::Drop),
    ];
    let made = build_panels(&[path], &request(&windows, &CLASSES, limits(folder.path(), 2, PLENTY))).unwrap();
    let [moved, asked, last] = [0, 1, 2].map(|at| &made.report.windows[at]);
    assert_eq!(moved.rows_outside, 31);
    let better = moved.better.as_ref().unwrap();
    assert_eq!(better.window, "quarterly x 4 from 2018-01-01");
    assert_eq!((better.rows_outside, better.rows_later), (1, 1));
    assert_eq!((asked.rows_outside, &asked.better), (1, &None));
    // January 2019 has one row. Two months of summer would hold one day more, but that is not what a late row moved.
    assert_eq!(last.better.as_ref().unwrap().window, "monthly x 2 from 2018-11-01");
}

#[test]
fn windows_may_end_with_a_day_of_each_customer() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder.path().join("ledger.parquet"), &small(), 100);
    let windows = [("monthly x 2", EmptyWindows::KeepZero(0)), ("10 days x 1", EmptyWindows::KeepZero(0))];
    let mut request = request(&windows, &CLASSES, limits(folder.path(), 2, PLENTY));
    request.anchors = Some([("a".to_owned(), date(2020, 2, 5)), ("b".to_owned(), date(2020, 1, 31))].into());
    let made = build_panels(&[path], &request).unwrap();
    assert_eq!(made.panels[0].customers, ["a", "b"]);
    // a: 2019-12-06..2020-01-05, 2020-01-06..2020-02-05; b: December and January.
    assert_eq!(made.panels[0].totals, ndarray::array![[0, 1000], [0, 800]]);
    // a: the ten days from 2020-01-27; b: those from 2020-01-22.
    assert_eq!(made.panels[1].totals, ndarray::array![[1000], [0]]);
    assert_eq!(made.panels[0].periods[1].end, date(2020, 2, 6));
    let report = &made.report.windows[0];
    assert_eq!((report.without_anchor.count, report.dropped.count, report.silent), (1, 0, 0));
    assert_eq!(made.report.rows_outside, 4);
}

/// 3,000 customers whose blocks need 1.3 MB, with 100 KB allowed: the rows must go through files, and come out the same.
#[test]
fn beyond_the_memory_limit_rows_go_through_files() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..60_000_i32)
        .map(|k| {
            let customer = k.wrapping_mul(7919).rem_euclid(3000);
            row(
                &format!("c{customer:04}"),
                at(k.rem_euclid(1096)),
                -1 - i64::from(k),
                ALL_CLASSES[k as usize % 4],
            )
        })
        .collect();
    let path = write(&folder.path().join("ledger.parquet"), &rows, 10_000);
    let windows = [("annual x 3", EmptyWindows::KeepZero(0)), ("monthly x 12", EmptyWindows::KeepZero(0))];
    let scratch = folder.path().join("scratch");
    let make = |threads, memory| {
        build_panels(&[&path], &request(&windows, &CLASSES, limits(&scratch, threads, memory))).unwrap()
    };
    let in_memory = make(2, PLENTY);
    assert_eq!(in_memory.report.spilled, None);
    for threads in [1, 2, 3] {
        let started = std::time::Instant::now();
        let spilled = make(threads, 100_000);
        let written = spilled.report.spilled.unwrap();
        assert!(written.files > 9 * threads, "{written:?}");
        // Sixteen bytes for each of the 45,000 rows that count, and a little per piece.
        assert!((720_000..900_000).contains(&written.bytes), "{written:?}");
        assert_eq!(in_memory.panels, spilled.panels);
        // A second on an idle machine; what must not happen is that it never ends.
        assert!(started.elapsed().as_secs() < 60);
    }
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    let refused = build_panels(&[&path], &request(&windows, &CLASSES, limits(&scratch, 2, 300)));
    assert!(matches!(refused, Err(Error::MemoryTooSmall { limit: 300, .. })), "{refused:?}");
}

#[test]
fn what_cannot_become_a_panel_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder.path().join("ledger.parquet"), &small(), 100);
    let refuse = |window: &str, classes: &[&str]| {
        let windows = [(window, EmptyWindows::Drop)];
        build_panels(&[&path], &request(&windows, classes, limits(folder.path(), 1, PLENTY))).unwrap_err()
    };
    let error = refuse("annual x 6", &CLASSES);
    assert!(matches!(&error, Error::TooFewPeriods { reached: 1, .. }) && error.is_bad_input(), "{error}");
    assert!(error.to_string().contains("`weekly x 6` fits"), "{error}");
    assert!(matches!(
        refuse("monthly x 1 from 2030-01-01", &CLASSES),
        Error::TooFewPeriods { reached: 0, .. }
    ));
    assert!(matches!(refuse("monthly x 1", &[]), Error::NoClasses));
    assert!(matches!(refuse("monthly x 1", &["food", "food"]), Error::DuplicateClass { .. }));
    let empty = write(&folder.path().join("empty.parquet"), &[], 1);
    let windows = [("monthly x 1", EmptyWindows::Drop)];
    let empty = build_panels(&[empty], &request(&windows, &CLASSES, limits(folder.path(), 1, PLENTY)));
    assert!(matches!(empty, Err(Error::EmptyLedger { .. })));
    let huge = [row("a", at(0), i64::MIN, "food"), row("a", at(1), i64::MIN, "rent")];
    let huge = write(&folder.path().join("huge.parquet"), &huge, 1);
    let huge = build_panels(&[huge], &request(&windows, &CLASSES, limits(folder.path(), 1, PLENTY)));
    assert!(matches!(huge, Err(Error::TotalsTooLarge { .. })), "{huge:?}");
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 3, whole.len() / 2, whole.len() - 1] {
        let cut_path = folder.path().join("cut.parquet");
        std::fs::write(&cut_path, &whole[..cut]).unwrap();
        let error = build_panels(&[cut_path], &request(&windows, &CLASSES, limits(folder.path(), 1, PLENTY)))
            .unwrap_err();
        assert!(error.is_bad_input() && error.to_string().contains("cut.parquet"), "{error}");
    }
}

#[test]
fn one_customer_one_class_and_no_spending_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [row("a", at(0), 500, "food"), row("a", at(40), 500, "food")];
    let path = write(&folder.path().join("ledger.parquet"), &rows, 100);
    let windows = [
        ("monthly x 2", EmptyWindows::KeepZero(0)),
        ("monthly x 2", EmptyWindows::CarryForward(0)),
        ("monthly x 2", EmptyWindows::Drop),
    ];
    let made =
        build_panels(&[path], &request(&windows, &["food"], limits(folder.path(), 4, PLENTY))).unwrap();
    assert_eq!(made.panels[0].shares, ndarray::Array3::<f32>::zeros((1, 2, 1)));
    assert_eq!((made.report.windows[0].silent, made.report.windows[0].clipped.count), (1, 2));
    assert!(made.panels[1].is_empty() && made.panels[2].is_empty());
    assert_eq!(made.report.windows[2].clipped.count, 0);
}
