//! The tables of one stage on their way into a run folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};
use spendscape_store::{
    Digest, Manifest, Provenance, StageRecord, Stored, read_table, seal_of, this_build, write_file,
    write_table,
};

use crate::{File, Notes, RunFolder, TableContent, stage::say};

/// A stage at work: collects its inputs and outputs for the manifest.
#[derive(Debug)]
pub struct StageWriter<'a> {
    run: &'a RunFolder,
    name: &'static str,
    /// Parameters and inputs: what decides whether the stage is up to date.
    key: Provenance,
    /// The key and what was learned on the way: what the outputs carry.
    provenance: Provenance,
    paths: BTreeMap<String, String>,
    outputs: BTreeMap<String, Digest>,
    /// Files that it has told the manifest of.
    claimed: BTreeSet<String>,
    /// The manifest before that.
    before: Option<Manifest>,
    start: Instant,
}

impl<'a> StageWriter<'a> {
    /// Starts a stage from its parameters and the files that it reads in its run folder, or returns `None` if its outputs are
    /// up to date.
    ///
    /// # Errors
    /// As [`RunFolder::need`].
    pub fn start(
        run: &'a RunFolder,
        name: &'static str,
        provenance: Provenance,
        inputs: &[File],
        force: bool,
    ) -> Result<Option<Self>> {
        let mut provenance = provenance;
        let mut paths = BTreeMap::new();
        for input in inputs {
            let needs = || format!("stage `{name}` needs {}", input.name());
            let (path, digest) = run.need(*input).with_context(needs)?;
            provenance = run.input(provenance, input.name(), *input).with_context(needs)?;
            // A later command may run elsewhere.
            let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            paths.insert(input.name().to_owned(), absolute.display().to_string());
            run.remember(path, digest);
        }
        if !force && Manifest::read(run.path())?.is_current(run.path(), name, &provenance) {
            tracing::info!(stage = name, "is up to date");
            return Ok(None);
        }
        tracing::info!(stage = name, "starts");
        Ok(Some(Self {
            run,
            name,
            key: provenance.clone(),
            provenance,
            paths,
            outputs: BTreeMap::new(),
            claimed: BTreeSet::new(),
            before: None,
            start: Instant::now(),
        }))
    }

    /// The run folder.
    #[must_use]
    pub fn run(&self) -> &RunFolder {
        self.run
    }

    /// What the stage's outputs are made from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Adds what was learned on the way to the provenance of what is written from now on.
    pub fn add_notes(&mut self, notes: &Notes) {
        self.provenance = with_notes(&self.provenance, notes);
    }

    /// Reads a table that the stage has written; none if it has not.
    ///
    /// # Errors
    /// If it was damaged since.
    pub fn read_back(&self, file: File) -> Result<Option<Stored>> {
        if !self.outputs.contains_key(file.name()) {
            return Ok(None);
        }
        Ok(Some(read_table(&self.run.path().join(file.name()), file.table())?))
    }

    /// Where a table of the stage goes, for who writes it by other means and then says so with [`Self::wrote`]. From now on
    /// the stage's record does not count, nor that of another stage that has the table: not even if the process is killed.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn place(&mut self, file: File) -> Result<PathBuf> {
        self.claim(file.name())
    }

    fn claim(&mut self, name: &str) -> Result<PathBuf> {
        let path = self.run.path().join(name);
        if self.claimed.insert(name.to_owned()) {
            self.run.secure()?;
            let before = Manifest::read(self.run.path())?;
            let mut manifest = before.clone();
            if manifest.claim(self.name, &self.key, name) {
                manifest.write(self.run.path())?;
            }
            self.before.get_or_insert(before);
        }
        Ok(path)
    }

    /// Writes one table of the stage.
    ///
    /// # Errors
    /// If the batch is another table's or the disk is full.
    pub fn write_content(&mut self, file: File, content: &TableContent) -> Result<()> {
        let path = self.claim(file.name())?;
        let provenance = with_notes(&self.provenance, &content.notes);
        let written = write_table(&path, file.table(), &content.batch, provenance)?;
        self.wrote(file, written.digest);
        Ok(())
    }

    /// Writes a file of the stage that is no table.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn write_plain(&mut self, name: &str, content: &[u8]) -> Result<()> {
        write_file(&self.claim(name)?, content)?;
        self.outputs.insert(name.to_owned(), Digest::of(content));
        Ok(())
    }

    /// Records a table that the stage wrote by other means.
    pub fn wrote(&mut self, file: File, digest: Digest) {
        self.outputs.insert(file.name().to_owned(), digest);
    }

    /// Records where a file outside the run folder lies.
    pub fn path(&mut self, name: &str, path: &Path) {
        self.paths.insert(name.to_owned(), path.display().to_string());
    }

    /// Removes what earlier runs of the stage wrote and this one did not, and enters the stage into the manifest.
    ///
    /// # Errors
    /// If a file cannot be removed or the manifest cannot be written.
    pub fn finish(mut self) -> Result<()> {
        let seconds = self.start.elapsed().as_secs_f64();
        tracing::info!(stage = self.name, seconds = format!("{seconds:.2}"), "done");
        let tables = File::ALL.iter().filter(|file| self.outputs.contains_key(file.name()));
        let seals =
            tables.map(|file| Ok((file.name().to_owned(), seal_of(&self.run.path().join(file.name()))?)));
        let seals = seals.collect::<Result<_>>()?;
        let record = StageRecord {
            provenance: self.key.clone(),
            build: this_build(),
            outputs: self.outputs.clone(),
            seals,
            finished: jiff::Timestamp::now().to_string(),
            seconds,
            threads: rayon::current_num_threads(),
            paths: self.paths.clone(),
            void: None,
        };
        let mut manifest = Manifest::read(self.run.path())?;
        for name in manifest.finish(self.name, record) {
            let path = self.run.path().join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        manifest.write(self.run.path())?;
        self.before = None;
        Ok(())
    }
}

impl Drop for StageWriter<'_> {
    /// A stage that fails before its first file is complete has changed nothing: what its folder held counts as before.
    fn drop(&mut self) {
        if let Some(before) = self.before.take().filter(|_| self.outputs.is_empty())
            && let Err(error) = before.write(self.run.path())
        {
            tracing::warn!("cannot restore the manifest: {error}");
        }
    }
}

fn with_notes(provenance: &Provenance, notes: &Notes) -> Provenance {
    notes.iter().fold(provenance.clone(), |provenance, (name, value)| say(provenance, name, value.clone()))
}

#[cfg(test)]
mod tests {
    use spendscape_schema::{
        Axes, Tabular,
        tables::{MetricRow, Metrics},
    };

    use super::*;

    fn start(run: &RunFolder, seed: u64) -> StageWriter<'_> {
        let provenance = Provenance::new("test").seed(seed);
        StageWriter::start(run, "test", provenance, &[], false).unwrap().unwrap()
    }

    fn metrics() -> TableContent {
        let metrics = Metrics::from_rows([MetricRow { name: "fit".to_owned(), value: 0.5 }]).unwrap();
        metrics.to_batch(&Axes::new()).unwrap().into()
    }

    #[test]
    fn a_stage_that_ends_before_its_first_file_leaves_the_manifest_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::open(folder.path(), None).unwrap();
        let mut writer = start(&run, 1);
        writer.write_content(File::Metrics, &metrics()).unwrap();
        writer.finish().unwrap();
        let before = Manifest::read(folder.path()).unwrap();

        let mut writer = start(&run, 2);
        writer.place(File::Metrics).unwrap();
        assert!(Manifest::read(folder.path()).unwrap().stages["test"].void.is_some());
        drop(writer);
        assert_eq!(Manifest::read(folder.path()).unwrap(), before);
        assert!(run.has(File::Metrics).unwrap());

        let mut writer = start(&run, 2);
        writer.write_content(File::Metrics, &metrics()).unwrap();
        drop(writer);
        assert!(Manifest::read(folder.path()).unwrap().stages["test"].void.is_some());
        assert!(!run.has(File::Metrics).unwrap());
    }
}
