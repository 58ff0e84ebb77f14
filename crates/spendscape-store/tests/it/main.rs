//! Tables on disk: round trips, digests, damage and provenance.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use arrow::array::RecordBatch;
use proptest::prelude::*;
use spendscape_schema::{
    Axes, Axis, Table, Tabular,
    tables::{MetricRow, Metrics, Segments, States, Training},
};
use spendscape_store::{
    Digest, DigestOf, Error, FolderLock, Manifest, Provenance, StageRecord, Standing, TableReader,
    TableWriter, Use, digest_of, read_table, seal_of, standing, this_build, write_table,
};

fn states(n: usize) -> RecordBatch {
    let axes = Axes::new().with_numbered(Axis::Unit, 2);
    let values = ndarray::Array2::from_shape_fn((n, 2), |(row, unit)| row as f32 - 0.5 * unit as f32);
    let states = States {
        customer: (0..n).map(|row| format!("customer {row}")).collect(),
        period: (0..n).map(|row| row as u16).collect(),
        cell: &values * 2.0,
        hidden: values,
    };
    states.to_batch(&axes).unwrap()
}

/// A table of one figure.
fn metrics(value: f64) -> RecordBatch {
    let row = MetricRow { name: "r2".to_owned(), value };
    Metrics::from_rows([row]).unwrap().to_batch(&Axes::new()).unwrap()
}

fn provenance() -> Provenance {
    Provenance::new("states").seed(7).parameter("units", 2)
}

fn write(path: &Path, batch: &RecordBatch) {
    write_table(path, Table::States, batch, provenance()).unwrap();
}

#[test]
fn a_table_comes_back_with_its_provenance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.parquet");
    write(&path, &states(5));
    let stored = read_table(&path, Table::States).unwrap();
    assert_eq!(stored.rows.batch().columns(), states(5).columns());
    assert_eq!(stored.provenance, provenance());
    assert_eq!(stored.axes.width(Axis::Unit), 2);
}

#[test]
fn every_truncation_is_refused_with_the_file_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.parquet");
    write(&path, &states(5));
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 1, 4, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = read_table(&path, Table::States).unwrap_err();
        assert!(error.is_bad_input() && error.to_string().contains("states.parquet"), "{cut}: {error}");
    }
}

#[test]
fn another_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.parquet");
    write(&path, &states(5));
    let error = read_table(&path, Table::Panel).unwrap_err().to_string();
    assert!(error.contains("expected a panel table, found a table named states"), "{error}");
    let missing = read_table(&folder.path().join("absent"), Table::Panel).unwrap_err();
    assert!(missing.is_bad_input() && missing.to_string().contains("absent"), "{missing}");
}

/// Forty thousand customers of 32 characters make a dictionary of 1.4 MB, which Parquet's usual limit would give up.
#[test]
fn a_category_with_many_long_values_keeps_its_dictionary() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segments.parquet");
    let names = || (0..40_000).map(|row| format!("{row:032}"));
    let segments = Segments {
        customer: names().collect(),
        path: names().collect(),
        model_path: names().collect(),
        segment: vec![0; 40_000],
        short_segment: vec![None; 40_000],
    };
    let batch = segments.to_batch(&Axes::new()).unwrap();
    write_table(&path, Table::Segments, &batch, provenance()).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let reader = parquet::file::reader::SerializedFileReader::new(file).unwrap();
    let metadata = parquet::file::reader::FileReader::metadata(&reader);
    let plain = |column: usize| {
        let stats = metadata.row_group(0).column(column).page_encoding_stats_mask().unwrap();
        !stats.is_only(parquet::basic::Encoding::RLE_DICTIONARY)
    };
    assert!(plain(0) && !plain(1) && !plain(2));
}

/// A file whose values were changed but whose digest entry was not, as an editor of Parquet files would leave it.
#[test]
fn content_that_does_not_match_its_digest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.parquet");
    let digest = write_table(&path, Table::Metrics, &metrics(0.25), Provenance::new("x")).unwrap().digest;
    let other = write_table(&path, Table::Metrics, &metrics(0.75), Provenance::new("x")).unwrap().digest;
    assert_ne!(digest, other);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(64).position(|window| window == other.as_str().as_bytes()).unwrap();
    bytes[at..at + 64].copy_from_slice(digest.as_str().as_bytes());
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(read_table(&path, Table::Metrics), Err(Error::DigestMismatch { .. })));
}

/// A reader divides rows into other batches than the writer did: nulls at one end of a long table must not count
/// differently. Found with a table of curves, of which one kind has no interval.
#[test]
fn nulls_are_digested_the_same_however_rows_are_divided() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.parquet");
    let table = |nulls: std::ops::Range<usize>| {
        let training = Training {
            epoch: (0..3_000).collect(),
            rate: (0..3_000).map(f64::from).collect(),
            loss: (0..3_000).map(f64::from).collect(),
            validation: (0..3_000).map(|row| (!nulls.contains(&row)).then_some(row as f64)).collect(),
        };
        training.to_batch(&Axes::new()).unwrap()
    };
    for nulls in [0..0, 0..1_500, 1_400..3_000, 7..8, 0..3_000] {
        let batch = table(nulls);
        write_table(&path, Table::Training, &batch, provenance()).unwrap();
        assert_eq!(read_table(&path, Table::Training).unwrap().digest, DigestOf::batch(&batch));
    }
    // A null is not a zero, and it matters which row is null.
    let digests = [0..1, 1..2, 0..0].map(|nulls| DigestOf::batch(&table(nulls)));
    assert!(digests[0] != digests[1] && digests[0] != digests[2]);
}

#[test]
fn a_batch_of_another_table_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.parquet");
    let schema = states(1).schema();
    let mut writer = TableWriter::create(&path, Table::States, schema, provenance()).unwrap();
    assert!(matches!(writer.write(&metrics(1.0)), Err(Error::BatchSchema { .. })));
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_stage_is_current_only_with_the_same_provenance_and_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = Manifest::read(folder.path()).unwrap();
    assert!(!manifest.is_current(folder.path(), "states", &provenance()));
    write(&folder.path().join("states.parquet"), &states(2));
    let digest = read_table(&folder.path().join("states.parquet"), Table::States).unwrap().digest;
    let record = StageRecord {
        provenance: provenance(),
        build: this_build(),
        outputs: [("states.parquet".to_owned(), digest)].into(),
        seals: [("states.parquet".to_owned(), seal_of(&folder.path().join("states.parquet")).unwrap())]
            .into(),
        finished: "2026-01-01T00:00:00Z".to_owned(),
        seconds: 1.0,
        threads: 2,
        paths: [].into(),
        void: None,
    };
    manifest.stages.insert("states".to_owned(), record);
    manifest.write(folder.path()).unwrap();
    let manifest = Manifest::read(folder.path()).unwrap();
    assert!(manifest.is_current(folder.path(), "states", &provenance()));
    assert!(!manifest.is_current(folder.path(), "states", &provenance().seed(8)));
    // A table of the same content that another run made.
    write_table(&folder.path().join("states.parquet"), Table::States, &states(2), provenance().seed(8))
        .unwrap();
    assert!(!manifest.is_current(folder.path(), "states", &provenance()));
    let place = |name: &str| folder.path().join(name);
    assert!(matches!(standing("states.parquet", &place), Err(Error::NotRecorded { .. })));
    write(&folder.path().join("states.parquet"), &states(2));
    assert!(manifest.is_current(folder.path(), "states", &provenance()));
    // Another program of the same version may write other tables, and so may one that is not known.
    for build in [Some("1 bytes of 1767225600.000000000".to_owned()), None] {
        let mut manifest = manifest.clone();
        manifest.stages.get_mut("states").unwrap().build = build;
        assert!(!manifest.is_current(folder.path(), "states", &provenance()));
    }
    std::fs::remove_file(folder.path().join("states.parquet")).unwrap();
    assert!(!manifest.is_current(folder.path(), "states", &provenance()));
}

proptest! {
    /// Batches may be cut anywhere, also as slices whose buffers start elsewhere.
    #[test]
    fn the_digest_does_not_depend_on_batches(rows in 1_usize..40, cut in 0_usize..40) {
        let whole = states(rows);
        let cut = cut.min(rows);
        let mut at_once = DigestOf::table(whole.schema_ref());
        at_once.update(&whole);
        let mut in_parts = DigestOf::table(whole.schema_ref());
        in_parts.update(&whole.slice(0, cut));
        in_parts.update(&whole.slice(cut, rows - cut));
        prop_assert_eq!(at_once.finish(), in_parts.finish());
    }

    #[test]
    fn the_digest_sees_every_value(rows in 2_usize..20, pick in any::<prop::sample::Index>()) {
        let digest = |batch: &RecordBatch| {
            let mut digest = DigestOf::table(batch.schema_ref());
            digest.update(batch);
            digest.finish()
        };
        let whole = states(rows);
        let without = pick.index(rows);
        let kept: Vec<u32> = (0..rows as u32).filter(|row| *row as usize != without).collect();
        let fewer = arrow::compute::take_record_batch(&whole, &arrow::array::UInt32Array::from(kept)).unwrap();
        prop_assert_ne!(digest(&whole), digest(&fewer));
    }
}

/// Every single byte of a file with several row groups: what is read is what was written, or nothing is.
#[test]
fn no_flipped_byte_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.parquet");
    let batch = states(40);
    let mut writer = TableWriter::create(&path, Table::States, batch.schema(), provenance()).unwrap();
    for start in [0, 20] {
        writer.write(&batch.slice(start, 20)).unwrap();
        writer.end_group().unwrap();
    }
    let digest = writer.finish().unwrap().digest;
    let whole = std::fs::read(&path).unwrap();
    let (mut refused, mut unseen) = (0, 0);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, bytes).unwrap();
        // A reader of one row group reads the other's bytes neither from the disk nor into the digest.
        for group in [0, 1] {
            let rows = TableReader::open_group(&path, Table::States, group)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>);
            if let Ok(rows) = rows {
                assert_eq!(rows.len(), 1, "byte {at}");
                assert_eq!(rows[0].columns(), batch.slice(20 * group, 20).columns(), "byte {at}");
            }
        }
        match read_table(&path, Table::States) {
            Ok(stored) => {
                assert_eq!((stored.digest, stored.provenance), (digest.clone(), provenance()), "byte {at}");
                unseen += 1;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(error.is_bad_input() && text.contains("states.parquet"), "byte {at}: {text}");
                refused += 1;
            }
        }
    }
    // Nobody reads `PAR1` in front, nor the index of pages.
    assert!(unseen < whole.len() / 4, "{unseen} of {} flips are not seen", unseen + refused);
}

/// Records decide what counts: one byte of them changed must not go unseen, nor a field that a later version may know.
#[test]
fn a_changed_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = Manifest::default();
    manifest.claim("states", &provenance(), "states.parquet");
    manifest.write(folder.path()).unwrap();
    assert_eq!(Manifest::read(folder.path()).unwrap(), manifest);
    let path = folder.path().join("manifest.json");
    let whole = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let error = Manifest::read(folder.path()).unwrap_err();
        let text = error.to_string();
        assert!(
            error.is_bad_input() && text.contains("manifest.json") && text.contains("spendscape ingest"),
            "{text}"
        );
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        refused(&bytes);
    }
    refused(&whole[..whole.len() - 1]);
    refused(b"");
    refused(b"{\"stages\": {}}");
    refused(&[&whole[..], b" "].concat());
}

/// Another program, or an earlier version, writes tables without a seal.
#[test]
fn a_table_without_seal_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.parquet");
    write(&path, &states(3));
    let mut bytes = std::fs::read(&path).unwrap();
    let key = b"spendscape.seal";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    bytes[at] = b'S';
    std::fs::write(&path, bytes).unwrap();
    for error in [
        read_table(&path, Table::States).unwrap_err(),
        digest_of(&path).unwrap_err(),
        seal_of(&path).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Unsealed { .. }), "{error}");
    }
}

/// What is computed with beside a table's content: other parameters of an input make another output.
#[test]
fn a_table_is_made_from_what_its_inputs_say_too() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let put = |name: &str, provenance: Provenance| {
        write_table(&place(name), Table::States, &states(2), provenance).unwrap().digest
    };
    let panel = |customers: u64| Provenance::new("panel").parameter("customers_left_out", customers);
    let digest = put("one.parquet", panel(1));
    put("two.parquet", Provenance::new("train").table("one.parquet", &digest, &panel(1).said()));
    let standing = || standing("two.parquet", &place).unwrap();
    assert!(matches!(standing(), Standing::Current(_)));
    // Who made it and from what is no parameter.
    assert_eq!(put("one.parquet", panel(1).input("ledger.parquet", &Digest::of(b"other"))), digest);
    assert!(matches!(standing(), Standing::Current(_)));
    put("one.parquet", panel(2));
    let Standing::Stale(stale) = standing() else { panic!("{:?}", standing()) };
    assert!(stale.to_string().contains("one.parquet of other options"), "{stale}");
    put("one.parquet", panel(1).seed(3));
    assert!(matches!(standing(), Standing::Stale(_)));
}

/// Three stages: `a` reads nothing, `b` what `a` wrote, and `c` writes a file of `a`'s.
#[test]
fn a_file_counts_as_long_as_its_record_and_its_inputs_do() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let metrics = |name: &str, stage: &str, value: f64| {
        write_table(&place(name), Table::Metrics, &metrics(value), Provenance::new(stage)).unwrap().digest
    };
    let record = |stage: &str, outputs: &[(&str, &Digest)], inputs: &[(&str, &Digest)]| StageRecord {
        provenance: inputs.iter().fold(Provenance::new(stage), |key, (name, digest)| key.input(name, digest)),
        build: this_build(),
        outputs: outputs.iter().map(|(name, digest)| ((*name).to_owned(), (*digest).clone())).collect(),
        seals: outputs.iter().map(|(name, _)| ((*name).to_owned(), seal_of(&place(name)).unwrap())).collect(),
        finished: "2026-01-01T00:00:00Z".to_owned(),
        seconds: 1.0,
        threads: 2,
        paths: [].into(),
        void: None,
    };
    let standing = |name: &str| standing(name, &|name| folder.path().join(name));
    let why = |name: &str| match standing(name).unwrap() {
        Standing::Stale(stale) => stale.to_string(),
        other => panic!("{other:?}"),
    };
    let [one, two] = [metrics("one.parquet", "a", 1.0), metrics("two.parquet", "a", 2.0)];
    let three = metrics("three.parquet", "b", 3.0);
    // Put there by hand.
    assert_eq!(standing("one.parquet").unwrap(), Standing::Current(one.clone()));
    assert_eq!(standing("none.parquet").unwrap(), Standing::Missing);
    let mut manifest = Manifest::default();
    assert!(
        manifest.finish("a", record("a", &[("one.parquet", &one), ("two.parquet", &two)], &[])).is_empty()
    );
    manifest.finish("b", record("b", &[("three.parquet", &three)], &[("one.parquet", &one)]));
    manifest.write(folder.path()).unwrap();
    assert_eq!(standing("three.parquet").unwrap(), Standing::Current(three.clone()));
    // A leftover: its stage has a record that does not have it.
    metrics("four.parquet", "b", 4.0);
    assert!(why("four.parquet").contains("spendscape b"));

    // What is damaged is told with what to do about it.
    let whole = std::fs::read(place("three.parquet")).unwrap();
    let flipped = [&whole[..30], &[whole[30] ^ 1], &whole[31..]].concat();
    for damaged in [&[][..], &whole[..whole.len() / 2], &whole[..whole.len() - 9], &flipped] {
        std::fs::write(place("three.parquet"), damaged).unwrap();
        let text = read_table(&place("three.parquet"), Table::Metrics).unwrap_err().to_string();
        assert!(
            text.contains(&format!("`spendscape b {}` makes it again", folder.path().display())),
            "{text}"
        );
    }
    std::fs::write(place("three.parquet"), whole).unwrap();

    // The input is replaced, and the record says so or does not.
    let other = metrics("one.parquet", "a", 5.0);
    assert!(matches!(standing("one.parquet"), Err(Error::NotRecorded { .. })));
    assert!(matches!(standing("three.parquet"), Err(Error::NotRecorded { .. })));
    manifest.finish("a", record("a", &[("one.parquet", &other), ("two.parquet", &two)], &[]));
    manifest.write(folder.path()).unwrap();
    assert!(why("three.parquet").contains("three.parquet was made from another one.parquet"));

    // `a` begins again: nothing of it counts, nor what was made from it.
    let mut begun = manifest.clone();
    assert!(begun.claim("a", &Provenance::new("a"), "five.parquet"));
    assert!(!begun.claim("a", &Provenance::new("a"), "five.parquet"));
    begun.write(folder.path()).unwrap();
    for name in ["one.parquet", "two.parquet", "three.parquet"] {
        assert!(why(name).contains("did not finish") && why(name).contains("spendscape a"), "{}", why(name));
    }
    assert!(!begun.is_current(folder.path(), "a", &Provenance::new("a")));
    // When it has finished, what it did not write again is to go.
    let gone = begun.finish("a", record("a", &[("one.parquet", &other)], &[]));
    assert_eq!(gone, ["two.parquet", "five.parquet"]);

    // A stranger that replaces a file voids the record; a stage that works on the stage's outputs takes the file over.
    let mut strange = manifest.clone();
    strange.claim("c", &Provenance::new("c"), "two.parquet");
    strange.write(folder.path()).unwrap();
    // Running the stranger again would change nothing.
    let said = why("one.parquet");
    assert!(said.contains("whose two.parquet was replaced by stage `c`"), "{said}");
    assert!(said.contains("run `spendscape a ") && !said.contains("spendscape c"), "{said}");
    let key = Provenance::new("c").input("one.parquet", &other);
    manifest.claim("c", &key, "two.parquet");
    assert!(manifest.stages["a"].void.is_none());
    manifest.finish("c", record("c", &[("two.parquet", &two)], &[("one.parquet", &other)]));
    manifest.write(folder.path()).unwrap();
    assert!(manifest.is_current(folder.path(), "a", &Provenance::new("a")));
    assert_eq!(standing("two.parquet").unwrap(), Standing::Current(two));
}

#[test]
fn a_lock_is_shared_by_the_process_and_swept_under() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".old.parquet.abcdef.part"), "half").unwrap();
    let reading = FolderLock::acquire(folder.path(), Use::Read).unwrap();
    assert!(folder.path().join(".old.parquet.abcdef.part").exists());
    let writing = FolderLock::acquire(folder.path(), Use::Write).unwrap();
    assert!(!folder.path().join(".old.parquet.abcdef.part").exists());
    let file = std::fs::File::open(folder.path().join("run.lock")).unwrap();
    assert!(file.try_lock_shared().is_err());
    drop(writing);
    assert!(file.try_lock_shared().is_err());
    drop(reading);
    file.try_lock_shared().unwrap();
}
