//! Parameters, options and tables.

use ndarray::{Array2, s};
use spendscape_schema::{Axis, Coefficients, Flow, Panel, Table, Tabular, arrays, tables::Latent};
use spendscape_synth::{Bank, BankParams, Error, INCOME_CLASS, Preset, bank_coefficients};

use crate::bank;

fn base() -> BankParams {
    BankParams::new(Preset::Base).customers(10)
}

#[test]
fn parameters_out_of_range_are_refused() {
    for params in [
        base().customers(0),
        base().customers(1_000_000),
        base().years(0),
        base().years(61),
        base().strength(f64::NAN),
        base().strength(-0.1),
        base().event_probability(1.1),
        base().persistence(-0.5),
        base().missing_years(2.0),
        base().concentration(0.0),
        base().taste(f64::INFINITY),
        base().noise(-1.0),
        base().separation(20.5),
        base().spread(-1.0),
        base().trait_share(Some(1.1)),
        base().trait_share(Some(f64::NAN)),
    ] {
        let error = Bank::generate(&params, &bank_coefficients().unwrap()).unwrap_err();
        assert!(matches!(error, Error::Parameter { .. }), "{params:?}");
    }
    let error = Bank::generate(&base().strength(-0.1), &bank_coefficients().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the strength of traits (lambda) is -0.1, but must be from 0 to 10");
}

#[test]
fn tables_that_do_not_suit_are_refused() {
    let of = |text: &str| Bank::generate(&base(), &Coefficients::from_csv(text).unwrap()).unwrap_err();
    assert!(matches!(of("class,E,N,O,C,A\nfood,1,0,0,0,0\n"), Error::NoPopulationShare));
    assert!(matches!(of("class,pi,E,N\nfood,1,1,1\n"), Error::Traits { expected: 5, found: 2 }));
    let mut table = bank_coefficients().unwrap();
    table.weights[[3, 1]] = f64::NAN;
    assert!(
        matches!(Bank::generate(&base(), &table), Err(Error::Coefficient { class, .. }) if class == "car_purchase")
    );
    for bad in [f64::NAN, -1.0] {
        let mut table = bank_coefficients().unwrap();
        table.population_share.as_mut().unwrap()[2] = bad;
        let error = Bank::generate(&base(), &table).unwrap_err();
        assert!(matches!(error, Error::PopulationShare { class, .. } if class == "rent"));
    }
    table = bank_coefficients().unwrap();
    table.population_share = Some(vec![0.0; 97]);
    assert!(matches!(Bank::generate(&base(), &table), Err(Error::PopulationShare { .. })));
    let none = Coefficients {
        classes: vec![],
        weights: Array2::zeros((0, 5)),
        population_share: Some(vec![]),
        ..table
    };
    assert!(matches!(Bank::generate(&base(), &none), Err(Error::PopulationShare { .. })));
}

/// Extreme but allowed parameters give a panel of proper shares.
#[test]
fn shares_sum_to_one_whatever_the_parameters() {
    for params in [
        base().strength(0.0),
        base().strength(10.0).taste(10.0).noise(10.0),
        base().concentration(1e-9),
        base().concentration(100_000.0),
        base().persistence(0.0).event_probability(1.0),
        base().years(1),
        base().customers(1),
    ] {
        let bank = bank(&params);
        for panel in [bank.panel(), bank.short_panel()] {
            assert!(panel.shares.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-5), "{params:?}");
            assert!(panel.totals.iter().all(|total| *total > 0), "{params:?}");
        }
    }
}

#[test]
fn a_customer_does_not_depend_on_how_many_there_are_or_on_threads() {
    let many = bank(&base().customers(300)).panel();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let few = pool.install(|| bank(&base().customers(7)).panel());
    assert_eq!(many.select(&[0, 1, 2, 3, 4, 5, 6]), few);
}

/// Another generator or another order of draws would make another bank. Cents, because logarithms differ by an ulp
/// between platforms.
#[test]
fn banks_keep_their_values() {
    let bank = bank(&BankParams::new(Preset::Strong).customers(3).seed(7));
    assert_eq!(bank.panel().totals.row(2).to_vec(), [3030115, 2962296, 2862281, 3593720, 2892115, 2971729]);
    assert_eq!(bank.short_panel().totals.row(1).to_vec(), [523902, 544466, 382753, 405343, 546733, 443484]);
}

#[test]
fn the_last_year_is_the_sum_of_its_windows() {
    let bank = bank(&BankParams::new(Preset::Strong).customers(50));
    let (panel, short) = (bank.panel(), bank.short_panel());
    assert_eq!(panel.periods[5].start, short.periods[0].start);
    assert_eq!(panel.periods[5].end, short.periods[5].end);
    assert_eq!(panel.periods[5].end.to_string(), "2021-01-01");
    for row in 0..50 {
        assert_eq!(panel.totals[[row, 5]], short.totals.row(row).sum());
        let class = |panel: &Panel, period: usize, class: usize| {
            (f64::from(panel.shares[[row, period, class]]) * panel.totals[[row, period]] as f64).round()
        };
        for k in 0..97 {
            // Exact below 2^24 minor units, where an f32 share still tells cents apart to within a half.
            let sum: f64 = (0..6).map(|period| class(&short, period, k)).sum();
            assert!((class(&panel, 5, k) - sum).abs() <= 1.0, "{row} {k}");
        }
    }
}

#[test]
fn uncategorized_spending_goes_to_one_class() {
    let params = BankParams::new(Preset::Base).customers(2_000);
    let mean = |panel: &Panel, class: &str| {
        let at = panel.classes.iter().position(|other| other == class).unwrap();
        f64::from(panel.shares.slice(s![.., .., at]).mean().unwrap())
    };
    let plain = bank(&params).panel();
    for (catch_all, class) in [(None, "savings_transfer"), (Some("uncat_card".to_owned()), "uncat_card")] {
        let moved = bank(&params.clone().uncategorized(true).catch_all(catch_all)).panel();
        // A tenth of everything else moves there.
        let expected = mean(&plain, class) + 0.1 * (1.0 - mean(&plain, class));
        assert!((mean(&moved, class) - expected).abs() < 0.003, "{} {expected}", mean(&moved, class));
    }
    let refused = |params: BankParams, table: &Coefficients| Bank::generate(&params, table).unwrap_err();
    let named = base().uncategorized(true).catch_all(Some("fun".to_owned()));
    assert!(
        matches!(refused(named, &bank_coefficients().unwrap()), Error::UnknownCatchAll { class } if class == "fun")
    );
    let full = Coefficients::from_csv("class,pi,E,N,O,C,A\nfood,1,1,0,0,0,0\n").unwrap();
    assert!(matches!(refused(base().uncategorized(true), &full), Error::NoCatchAll));
}

#[test]
fn missing_years_repeat_a_neighbor() {
    let bank = bank(&BankParams::new(Preset::Base).customers(2_000).missing_years(0.1));
    let (panel, short) = (bank.panel(), bank.short_panel());
    let missing = panel.observed.iter().filter(|observed| !**observed).count() as f64 / 12_000.0;
    // Five standard errors of a share of .1 among 12,000.
    assert!((missing - 0.1).abs() < 0.014, "{missing}");
    let year = |row: usize, year: usize| (panel.shares.slice(s![row, year, ..]), panel.totals[[row, year]]);
    for row in 0..panel.len() {
        let observed = panel.observed.row(row);
        let first = observed.iter().position(|observed| *observed).unwrap();
        for at in (0..6).filter(|at| !observed[*at]) {
            assert_eq!(year(row, at), year(row, if at < first { first } else { at - 1 }));
        }
    }
    let with_last = (0..2_000).filter(|row| panel.observed[[*row, 5]]);
    assert_eq!(short.customers, with_last.map(|row| panel.customers[row].clone()).collect::<Vec<_>>());
}

#[test]
fn tables_and_taxonomy_fit_the_schema() {
    let bank = bank(&base().missing_years(0.5));
    let batch = bank.latent().unwrap();
    assert_eq!(
        Table::Latent.check(&batch.schema()).unwrap().labels(Axis::Trait).unwrap(),
        ["E", "N", "O", "C", "A"]
    );
    let rows = arrays::Rows::new(&batch.schema(), std::slice::from_ref(&batch)).unwrap();
    assert_eq!(rows.len(), 60);
    let latent = Latent::read(&rows).unwrap();
    assert_eq!(latent.customer[59], "C000010");
    assert_eq!(latent.r#trait.row(8), bank.traits().slice(s![1, 2, ..]));
    for panel in [bank.panel(), bank.short_panel()] {
        let batch = panel.to_batch().unwrap();
        let rows = arrays::Rows::new(&batch.schema(), std::slice::from_ref(&batch)).unwrap();
        assert_eq!(Panel::from_rows(&rows).unwrap(), panel);
    }
    let taxonomy = bank.taxonomy().unwrap();
    assert_eq!(taxonomy.spending_classes(), bank.panel().classes);
    assert_eq!(taxonomy.classes()[97], (INCOME_CLASS.to_owned(), Flow::Income));
    let clash = Coefficients::from_csv("class,pi,E,N,O,C,A\nsalary,1,1,0,0,0,0\n").unwrap();
    assert!(matches!(Bank::generate(&base(), &clash).unwrap().taxonomy(), Err(Error::Schema(_))));
}
