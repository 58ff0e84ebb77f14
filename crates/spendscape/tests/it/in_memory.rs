//! Stages as functions: the same tables without a folder as with one.

use std::path::Path;

use ndarray::{Axis, s};
use spendscape::stages::{
    explain::{ClassList, CustomerInputs, Explain, ExplainInputs, ExplainParams},
    segment::{Segment, SegmentInputs, SegmentOptions, SegmentParams},
    states::{States, StatesInputs},
    train::{TargetSteps, Train, TrainInputs, TrainOptions},
};
use spendscape_run::{File, IntoTable, NoParams, Notes, RunFolder, Stage, TableHead};
use spendscape_stats::mean_r2;
use spendscape_store::DigestOf;
use spendscape_surrogate::explain::MAX_ERROR_DEGREES;

use crate::program::succeed;

/// Whether a value is what the table of a run folder holds.
fn assert_same(run: &RunFolder, file: File, value: impl IntoTable) {
    let (_, written) = run.need(file).unwrap();
    let batch = value.into_table().unwrap().batch;
    assert_eq!(DigestOf::batch(&batch), written, "{}", file.name());
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn stages_give_in_memory_what_they_write_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    succeed(&["synth", text(folder.path()), "--customers", "120"]);
    succeed(&["ingest", text(folder.path())]);
    succeed(&["train", text(folder.path()), "--epochs", "2", "--units", "4", "--seed", "5"]);
    succeed(&["states", text(folder.path())]);
    succeed(&["segment", text(folder.path()), "--clusters", "3"]);
    succeed(&["explain", text(folder.path()), "--no-protected-names"]);
    let run = RunFolder::open_to_read(folder.path()).unwrap();
    let mut notes = Notes::default();

    let params = TrainOptions { epochs: Some(2), units: 4, seed: 5, ..TrainOptions::default() };
    let inputs = TrainInputs {
        panel: run.table(File::Panel).unwrap(),
        coefficients: run.table(File::Coefficients).unwrap(),
    };
    let trained = Train::run(&params, inputs, &mut notes).unwrap();
    assert_same(&run, File::Training, trained.training);
    assert_same(&run, File::Model, trained.model.clone());
    assert_same(&run, File::Targets, trained.targets.clone());

    let inputs = StatesInputs {
        panel: run.table(File::Panel).unwrap(),
        short: Some(run.table(File::ShortPanel).unwrap()),
        model: trained.model.clone(),
        targets: trained.targets.clone(),
    };
    let found = States::run(&NoParams {}, inputs, &mut notes).unwrap();
    assert!(notes.get("inverse_rank").is_some());
    assert_same(&run, File::States, found.states.clone());
    assert_same(&run, File::Angles, found.angles.clone());
    assert_same(&run, File::Projection, found.projection.unwrap());
    assert_same(&run, File::MeanShares, found.mean_shares.clone());
    assert_same(&run, File::Predictions, found.predictions.clone());

    let panel: spendscape_run::Sourced<spendscape_schema::Panel> = run.table(File::Panel).unwrap();
    let inputs = SegmentInputs {
        targets: trained.targets,
        states: found.states,
        short: found.short,
        model: trained.model,
        mean_shares: found.mean_shares,
        predictions: found.predictions.table,
        panel: TableHead { axes: panel.value.axes(), provenance: panel.provenance, path: panel.path },
        earlier: None,
    };
    // The inputs of stages, as far as other stages make them.
    let customers = CustomerInputs {
        panel: panel.value,
        targets: inputs.targets.clone(),
        states: inputs.states.clone(),
        angles: found.angles.clone(),
        mean_shares: inputs.mean_shares.table.clone(),
        predictions: inputs.predictions.clone(),
    };
    let explained = ExplainInputs { customers, model: Some(inputs.model.clone()), trained: None };
    let options = SegmentOptions { clusters: 3, ..SegmentOptions::default() };
    let segmented = Segment::run(&SegmentParams::new(options, 1), inputs, &mut notes).unwrap();
    assert_same(&run, File::Segments, segmented.segments);
    assert_same(&run, File::SegmentCenters, segmented.centers);
    assert_same(&run, File::Profiles, segmented.profiles.profiles);
    assert_same(&run, File::Examples, segmented.examples);

    let flagged = ClassList::default();
    let params = ExplainParams { flagged, max_error_degrees: MAX_ERROR_DEGREES, synthetic: true };
    let explained = Explain::run(&params, explained, &mut notes).unwrap();
    assert_same(&run, File::Explanations, explained.explanations);
    assert_same(&run, File::Fidelity, explained.fidelity);
}

/// A network that is asked for the grades after every period knows more of them early, and little less in the end.
#[test]
fn targets_at_every_step_are_learned_early() {
    let folder = tempfile::tempdir().unwrap();
    succeed(&["synth", text(folder.path()), "--customers", "1500", "--preset", "strong"]);
    succeed(&["ingest", text(folder.path())]);
    let run = RunFolder::open_to_read(folder.path()).unwrap();
    let fits = |targets| {
        let inputs = TrainInputs {
            panel: run.table(File::Panel).unwrap(),
            coefficients: run.table(File::Coefficients).unwrap(),
        };
        let shares = inputs.panel.value.shares.clone();
        let params = TrainOptions { targets, ..TrainOptions::default() };
        let trained = Train::run(&params, inputs, &mut Notes::default()).unwrap();
        let rows = trained.targets.test_rows();
        let grades = trained.targets.grades.select(Axis(0), &rows);
        [2, 6].map(|periods| {
            let seen = shares.select(Axis(0), &rows).slice_move(s![.., ..periods, ..]);
            mean_r2(&grades, &trained.model.network.predict(&seen).unwrap().mapv(f64::from)).unwrap()
        })
    };
    let (last, every) = (fits(TargetSteps::Last), fits(TargetSteps::Every));
    assert!(every[0] > last[0] + 0.1 && every[0] > 0.4, "after two years: {last:?} and {every:?}");
    assert!(every[1] > last[1] - 0.15 && every[1] > 0.6, "after six years: {last:?} and {every:?}");
}
