//! Transactions customer by customer, against the slow obvious way.

use std::ops::Range;

use jiff::civil::{DateTime, date};
use proptest::prelude::*;
use spendscape_ledger::{BlockRequest, ChannelColumn, CustomerBlocks, Error, Transaction};

use super::common::{Row, row, write, write_with};

fn at(day: i32) -> DateTime {
    date(2020, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap().at(9, 30, 0, 0)
}

fn request(classes: &[&str]) -> BlockRequest {
    BlockRequest {
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
        channel: Some(ChannelColumn::Channel),
        place: None,
        most_channels: 100,
        others: Vec::new(),
    }
}

/// The transactions of each customer, by name, with the passes that it took.
fn all(found: &CustomerBlocks, blocks: &[Range<usize>], memory: u64) -> (Vec<(String, Transaction)>, usize) {
    let (mut rows, mut next) = (Vec::new(), 0);
    let passes = found.read(blocks, memory, |number, own| {
        assert_eq!(number, next);
        next += 1;
        assert!(own.is_sorted_by_key(|transaction| transaction.customer));
        for transaction in own {
            let customer = blocks[number].start + transaction.customer as usize;
            assert!(blocks[number].contains(&customer));
            rows.push((found.customers()[customer].clone(), *transaction));
        }
        Ok::<_, Error>(())
    });
    assert_eq!(next, blocks.len());
    (rows, passes.unwrap())
}

const CLASSES: [&str; 3] = ["food", "rent", "unknown"];

fn ledger() -> impl Strategy<Value = Vec<Row>> {
    let one = (0_usize..7, 0_i32..400, -9_000_i64..9_000, 0_usize..3);
    prop::collection::vec(one, 1..90).prop_map(|rows| {
        let row =
            |(customer, day, amount, class)| row(&format!("c{customer}"), at(day), amount, CLASSES[class]);
        rows.into_iter().map(row).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Everything once, in the order of the ledger inside a customer, whatever blocks, memory, files and batches are.
    #[test]
    fn every_known_transaction_comes_once(
        rows in ledger(), size in 1_usize..40, memory in 1_u64..2_000, cut in any::<prop::sample::Index>(), batch in 1_usize..20,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = rows.split_at(cut.index(rows.len()));
        let parts = [("first.parquet", first), ("second.parquet", second)];
        let files = parts.map(|(name, rows)| write(&folder.path().join(name), rows, batch));
        let found = CustomerBlocks::survey(&files, request(&CLASSES[..2])).unwrap();
        let mut expected: Vec<&Row> = rows.iter().collect();
        expected.sort_by_key(|row| &row.customer);
        let mut names: Vec<&str> = expected.iter().map(|row| row.customer.as_str()).collect();
        names.dedup();
        prop_assert_eq!(found.customers(), &names);
        prop_assert_eq!(found.rows(), rows.len());
        let strangers = rows.iter().filter(|row| row.class == "unknown").count();
        prop_assert_eq!(found.unknown_classes().get("unknown").copied().unwrap_or(0), strangers);
        let last = rows.iter().map(|row| row.time.date()).max().unwrap();
        prop_assert_eq!(found.last_day(), (last - date(1970, 1, 1)).get_days());

        let blocks = found.blocks(size);
        prop_assert_eq!(blocks.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..names.len()).collect::<Vec<_>>());
        let held = |block: &Range<usize>| found.transactions()[block.clone()].iter().sum::<usize>();
        // A block ends with the customer who fills it.
        prop_assert!(blocks.iter().rev().skip(1).all(|block| held(block) >= size));
        prop_assert!(blocks.iter().all(|block| held(&(block.start..block.end - 1)) < size));

        expected.retain(|row| row.class != "unknown");
        let (got, passes) = all(&found, &blocks, memory);
        prop_assert!(passes >= 1 && passes <= blocks.len());
        prop_assert_eq!(got.len(), expected.len());
        for ((customer, transaction), row) in got.iter().zip(expected) {
            prop_assert_eq!((customer, transaction.amount), (&row.customer, row.amount));
            prop_assert_eq!(CLASSES[transaction.class as usize], &row.class);
            let millis = row.time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond();
            // The ledger has no column of channels.
            prop_assert_eq!((transaction.time, transaction.channel), (millis, 0));
        }
        let (whole, passes) = all(&found, &blocks, u64::MAX);
        prop_assert_eq!((whole, passes), (got, 1));
    }
}

#[test]
fn only_the_commonest_channels_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..7).map(|day| row("anna", at(day), -100, "food")).collect();
    let channels = [Some("web"), Some("card"), Some("cash"), None, Some("web"), Some("card"), Some("app")];
    let path = folder.path().join("ledger.parquet");
    write_with(&path, &rows, [("channel", &channels[..]), ("place", &[Some("here"); 7])], &[None; 7]);
    let asked = |channel, most_channels| BlockRequest { channel, most_channels, ..request(&["food"]) };
    let read = |request: BlockRequest| {
        let found = CustomerBlocks::survey(&[&path], request).unwrap();
        let (rows, _) = all(&found, &found.blocks(1), u64::MAX);
        (found.channels().to_vec(), rows.into_iter().map(|(_, row)| row.channel).collect::<Vec<_>>())
    };
    // Of app and cash, which are equally common, the first by name.
    let (names, found) = read(asked(Some(ChannelColumn::Channel), 3));
    assert_eq!(
        (&names[..], &found[..]),
        (&["app", "card", "web"].map(str::to_owned)[..], &[2, 1, 3, 3, 2, 1, 0][..])
    );
    let (names, found) = read(asked(Some(ChannelColumn::Place), 3));
    assert_eq!((names, found), (vec!["here".to_owned()], vec![0; 7]));
    assert_eq!(read(asked(None, 3)), (Vec::new(), vec![0; 7]));
    // Beside the channel, the place is told too, and changes nothing of it.
    let both = BlockRequest { place: Some(ChannelColumn::Place), ..asked(Some(ChannelColumn::Channel), 3) };
    let found = CustomerBlocks::survey(&[&path], both).unwrap();
    let (rows, _) = all(&found, &found.blocks(1), u64::MAX);
    let told: Vec<_> = rows.into_iter().map(|(_, row)| (row.channel, row.place)).collect();
    assert_eq!(
        (found.places(), told),
        (&["here".to_owned()][..], [2, 1, 3, 3, 2, 1, 0].map(|c| (c, 0)).to_vec())
    );
}

#[test]
fn others_are_there_without_a_transaction_and_errors_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [row("anna", at(0), -100, "food"), row("cleo", at(1), -100, "food")];
    let path = write(&folder.path().join("ledger.parquet"), &rows, 10);
    let others = ["bert", "anna"].map(str::to_owned).to_vec();
    let found = CustomerBlocks::survey(&[&path], BlockRequest { others, ..request(&["food"]) }).unwrap();
    assert_eq!(found.customers(), ["anna", "bert", "cleo"]);
    assert_eq!(found.transactions(), [1, 0, 1]);
    assert_eq!(found.blocks(1), [0..1, 1..3]);
    assert_eq!(found.blocks(5).as_slice(), std::slice::from_ref(&(0..3)));
    let refused = found.read(&found.blocks(5), 1, |_, _| Err(Error::NoClasses));
    assert!(matches!(refused, Err(Error::NoClasses)));
    // Another ledger in the place of the one that was surveyed.
    write(&path, &[row("dora", at(0), -100, "food")], 10);
    let refused = found.read(&found.blocks(5), 1, |_, _| Ok::<_, Error>(()));
    assert!(matches!(refused, Err(Error::Changed { .. })), "{refused:?}");
    let empty = write(&folder.path().join("empty.parquet"), &[], 10);
    let refused = CustomerBlocks::survey(&[empty], request(&["food"])).unwrap_err();
    assert!(matches!(refused, Error::EmptyLedger { .. }));
}

#[test]
fn more_classes_or_channels_than_are_numbered_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder.path().join("ledger.parquet"), &[row("a", at(0), -1, "c0")], 10);
    let limit = usize::from(u16::MAX);
    let classes = |count: usize| (0..count).map(|number| format!("c{number}")).collect::<Vec<_>>();
    let survey = |classes, most_channels| {
        CustomerBlocks::survey(&[&path], BlockRequest { classes, most_channels, ..request(&[]) })
    };
    assert!(survey(classes(limit), limit).is_ok());
    for (found, what) in
        [(survey(classes(limit + 1), 1), "classes"), (survey(classes(1), limit + 1), "channels")]
    {
        let error = found.unwrap_err();
        assert!(matches!(&error, Error::TooMany { found, .. } if *found == limit + 1), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}
