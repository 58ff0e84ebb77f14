//! A ledger with codes that banks have needs nothing else: taxonomies and coefficients that come with the program, and windows
//! that are proposed where the default ones do not fit.

use std::{fs, path::Path};

use spendscape_schema::{Table, tables::Ledger};
use spendscape_store::read_table;

use crate::program::{refuse, succeed};

const MAP: &str = "currency = 'EUR'\ntypes = { amount = 'decimal(12, 2)' }\n[columns]\ncustomer = 'customer'\ntime = 'time'\n\
                   amount = 'amount'\nclass = 'code'\n";

struct Bench(tempfile::TempDir);

impl Bench {
    /// A ledger of 30 customers over six months, with these codes.
    fn new(codes: &[&str]) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        fs::write(bench.path("map.toml"), MAP).unwrap();
        let mut rows = "customer,time,amount,code\n".to_owned();
        for customer in 0..30 {
            for (month, code) in (1..=6).flat_map(|month| codes.iter().map(move |code| (month, code))) {
                let cents = 100 + 37 * customer * month % 900;
                rows += &format!("C{customer:02},2019-{month:02}-15,-{cents}.00,{code}\n");
            }
        }
        fs::write(bench.path("ledger.csv"), rows).unwrap();
        bench
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// The words of an ingest, with more options.
    fn words(&self, more: &[&str]) -> Vec<String> {
        let mut words = vec!["ingest".to_owned(), self.path("run"), "--files".to_owned()];
        words.extend([self.path("ledger.csv"), "--map".to_owned(), self.path("map.toml")]);
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words
    }

    fn ingest(&self, more: &[&str]) -> String {
        succeed(&self.words(more).iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn refuse(&self, more: &[&str]) -> String {
        refuse(&self.words(more).iter().map(String::as_str).collect::<Vec<_>>())
    }
}

const WINDOWS: [&str; 4] = ["--window", "monthly x 6", "--short-window", "none"];

#[test]
fn codes_of_banks_need_no_file() {
    for (taxonomy, codes, classes) in [
        ("mcc", vec!["5411", "5814", "3000", "0742"], vec!["supermarket", "fast_food", "flights", "pets"]),
        ("plaid", vec!["FOOD_AND_DRINK_COFFEE", "TRANSPORTATION"], vec!["coffee_shops", "car_maintenance"]),
        ("coicop", vec!["01.1.1", "CP0733"], vec!["bakery_sweets", "flights"]),
    ] {
        let bench = Bench::new(&codes);
        let options = ["--taxonomy", taxonomy, "--coefficients", "authored"];
        let out = bench.ingest(&[&options[..], &WINDOWS].concat());
        assert!(out.contains("authored for the synthetic bank"), "{out}");
        let table =
            |name: &str, table| read_table(Path::new(&bench.path(&format!("run/{name}"))), table).unwrap();
        let mut found = table("ledger.parquet", Table::Ledger).table::<Ledger>().unwrap().class;
        found.dedup();
        found.truncate(classes.len());
        assert_eq!(found, classes);
        let provenance = table("coefficients.parquet", Table::Coefficients).provenance;
        assert_eq!(provenance.parameters["coefficient_origin"], "authored");
        let signs = &provenance.parameters["coefficient_signs"];
        assert_eq!(signs["published"]["charity A"], "Matz 2016 and Gladstone 2019");
        assert_eq!(signs["others"], "authored");
        // An ingest that is up to date stays so.
        bench.ingest(&[&options[..], &WINDOWS].concat());
    }
}

#[test]
fn a_code_that_no_taxonomy_knows_is_named_with_the_way_out() {
    let bench = Bench::new(&["5411", "9999"]);
    let options = ["--taxonomy", "mcc", "--coefficients", "authored"];
    let says = bench.refuse(&[&options[..], &WINDOWS].concat());
    for part in
        ["ledger.csv, row 2 (line 3)", "\"9999\"", "unmapped", "spendscape template mcc > taxonomy.toml"]
    {
        assert!(says.contains(part), "{part:?} is not in {says}");
    }
    // The way out works.
    let text =
        succeed(&["template", "mcc"]).replacen("name =", "unmapped = { class = \"other\" }\nname =", 1);
    let taxonomy = bench.path("taxonomy.toml");
    fs::write(&taxonomy, text).unwrap();
    bench.ingest(&[&["--taxonomy", &taxonomy, "--coefficients", "authored"][..], &WINDOWS].concat());
    let coefficients = bench.path("coefficients.csv");
    fs::write(&coefficients, succeed(&["template", "coefficients", "--taxonomy", &taxonomy])).unwrap();
    bench.ingest(&[&["--taxonomy", &taxonomy, "--coefficients", &coefficients][..], &WINDOWS].concat());
    // A class of one's own has no authored coefficients.
    fs::write(&taxonomy, "name = 'own'\n[classes.mine]\ncodes = ['5411', '9999']\n").unwrap();
    let says =
        bench.refuse(&[&["--taxonomy", &taxonomy, "--coefficients", "authored"][..], &WINDOWS].concat());
    assert!(says.contains("mine") && says.contains("spendscape template coefficients"), "{says}");
}

#[test]
fn the_windows_proposed_are_taken() {
    let bench = Bench::new(&["5411", "5814"]);
    let options = ["--taxonomy", "mcc", "--coefficients", "authored"];
    let says = bench.refuse(&options);
    let (_, advice) = says.split_once("Write `").unwrap();
    let advice = advice.split('`').next().unwrap();
    assert_eq!(advice, "--window 'monthly x 6' --short-window none");
    // As a shell divides it.
    let words: Vec<&str> = advice
        .split('\'')
        .enumerate()
        .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
        .collect();
    bench.ingest(&[&options[..], &words].concat());
    // Customers of whom none is left with spending in every period.
    let sparse: String = (0..9)
        .map(|customer| format!("C{customer},2019-0{}-02,-1.00,5411\n", customer % 3 + 1))
        .chain(["D,2019-06-30,-1.00,5411\nD,2019-01-01,-1.00,5814\n".to_owned()])
        .collect();
    fs::write(bench.path("ledger.csv"), format!("customer,time,amount,code\n{sparse}")).unwrap();
    let says = bench.refuse(&[&options[..], &words].concat());
    assert!(says.contains("`--empty-windows keep-zero:2`"), "{says}");
    bench.ingest(&[&options[..], &words, &["--empty-windows", "keep-zero:2"]].concat());
}

#[test]
fn a_joined_file_stands_beside_the_map() {
    let bench = Bench::new(&["1", "2"]);
    fs::create_dir(bench.path("maps")).unwrap();
    let map =
        MAP.replace("'code'", "'mcc'") + "[join]\nfile = '../products.csv'\non = 'code'\nkey = 'product'\n";
    fs::write(bench.path("maps/map.toml"), map).unwrap();
    fs::write(bench.path("products.csv"), "product,mcc\n1,5411\n2,5814\n").unwrap();
    let map = bench.path("maps/map.toml");
    let words: Vec<String> =
        bench.words(&[&["--taxonomy", "mcc", "--coefficients", "authored"][..], &WINDOWS].concat());
    let words: Vec<&str> =
        words.iter().map(|word| if word.ends_with("/map.toml") { map.as_str() } else { word }).collect();
    succeed(&words);
    let ledger = || read_table(Path::new(&bench.path("run/ledger.parquet")), Table::Ledger).unwrap();
    let (before, classes) = (ledger().digest, ledger().table::<Ledger>().unwrap().class);
    assert_eq!(classes[..2], ["supermarket", "fast_food"]);
    // Another content of the joined file makes the ledger anew.
    fs::write(bench.path("products.csv"), "product,mcc\n1,5814\n2,5411\n").unwrap();
    succeed(&words);
    assert_ne!(ledger().digest, before);
}
