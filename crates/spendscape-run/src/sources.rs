//! Where the inputs of a stage are: tables of its run folder, tables of other ones, and files that users bring.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use spendscape_schema::Axes;
use spendscape_store::{Digest, Provenance, TableReader};

use crate::{File, FromTable, RunFolder};

/// Where the inputs of a stage are.
#[derive(Debug)]
pub struct Sources<'a> {
    run: &'a RunFolder,
    folders: BTreeMap<String, &'a RunFolder>,
    files: BTreeMap<String, PathBuf>,
}

impl<'a> Sources<'a> {
    /// A run folder alone.
    #[must_use]
    pub fn new(run: &'a RunFolder) -> Self {
        Self { run, folders: BTreeMap::new(), files: BTreeMap::new() }
    }

    /// Another run folder too, under a name that stands before those of its tables in provenance.
    #[must_use]
    pub fn folder(mut self, name: impl Into<String>, run: &'a RunFolder) -> Self {
        self.folders.insert(name.into(), run);
        self
    }

    /// A file that a user brings, if there is one.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, path: Option<&Path>) -> Self {
        if let Some(path) = path {
            self.files.insert(name.into(), path.to_owned());
        }
        self
    }

    /// The run folder.
    #[must_use]
    pub fn run(&self) -> &'a RunFolder {
        self.run
    }

    /// Another run folder.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<Sources<'a>> {
        self.folders.get(name).map(|run| Sources::new(run))
    }

    /// Where a file lies that the user brings.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.files.get(name).map(PathBuf::as_path)
    }

    /// Where the other folders and files lie, by name.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &Path)> {
        let folders = self.folders.iter().map(|(name, run)| (name.as_str(), run.path()));
        folders.chain(self.files.iter().map(|(name, path)| (name.as_str(), path.as_path())))
    }

    /// The names of the other run folders, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.folders.keys().map(String::as_str)
    }
}

/// Inputs that were found before a stage starts: by their digests the manifest tells whether its outputs are up to date.
#[derive(Debug, Default)]
pub struct Found {
    tables: Vec<File>,
    folders: BTreeMap<String, Found>,
    files: BTreeMap<String, Digest>,
}

impl Found {
    /// The tables of the run folder.
    #[must_use]
    pub fn tables(&self) -> &[File] {
        &self.tables
    }

    /// Adds a table of the run folder.
    pub fn add(&mut self, file: File) {
        self.tables.push(file);
    }

    /// Adds a file that the user brings, by the digest of its content.
    pub fn add_file(&mut self, name: &str, digest: Digest) {
        self.files.insert(name.to_owned(), digest);
    }

    /// Adds everything that was found.
    pub fn add_all(&mut self, found: Self) {
        self.tables.extend(found.tables);
        self.folders.extend(found.folders);
        self.files.extend(found.files);
    }

    /// What was found of another run folder.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Self> {
        self.folders.get(name)
    }

    /// Adds what was found of another run folder.
    pub fn add_folder(&mut self, name: impl Into<String>, found: Self) {
        self.folders.insert(name.into(), found);
    }

    /// Adds everything that is not in the stage's own run folder to what its outputs are made from.
    ///
    /// # Errors
    /// If a table is missing, damaged or stale.
    pub fn made_from(&self, sources: &Sources<'_>, provenance: Provenance) -> Result<Provenance> {
        let mut provenance = provenance;
        for (name, found) in &self.folders {
            let run = sources.folders.get(name).with_context(|| format!("there is no run folder {name}"))?;
            for file in &found.tables {
                provenance = run.input(provenance, &format!("{name} {}", file.name()), *file)?;
            }
        }
        for (name, digest) in &self.files {
            provenance = provenance.input(name, digest);
        }
        Ok(provenance)
    }
}

/// What a stage is made from, as one value.
///
/// [`inputs!`](crate::inputs) declares a struct of them, so that what is read is what is declared.
pub trait Inputs: Sized {
    /// The tables of the run folder that it may read.
    fn files() -> Vec<File>;

    /// Finds what there is, without reading it.
    ///
    /// # Errors
    /// If something is damaged, or a file cannot be read.
    fn find(sources: &Sources<'_>) -> Result<Found>;

    /// Reads what was found.
    ///
    /// # Errors
    /// If a table is missing, damaged, stale or was replaced meanwhile.
    fn read(sources: &Sources<'_>, found: &Found) -> Result<Self>;
}

/// A table among the inputs: one that is needed, or an [`Option`] of one that may not be there.
pub trait TableInput: Sized {
    /// Finds it.
    ///
    /// # Errors
    /// If it is damaged.
    fn find(sources: &Sources<'_>, file: File, found: &mut Found) -> Result<()>;

    /// Reads it.
    ///
    /// # Errors
    /// As [`RunFolder::read`].
    fn read(sources: &Sources<'_>, file: File, found: &Found) -> Result<Self>;
}

impl<T: FromTable> TableInput for T {
    fn find(_: &Sources<'_>, file: File, found: &mut Found) -> Result<()> {
        found.add(file);
        Ok(())
    }

    fn read(sources: &Sources<'_>, file: File, _: &Found) -> Result<Self> {
        T::from_table(&sources.run.read(file)?)
    }
}

impl<T: TableInput> TableInput for Option<T> {
    fn find(sources: &Sources<'_>, file: File, found: &mut Found) -> Result<()> {
        if sources.run.has(file)? { T::find(sources, file, found) } else { Ok(()) }
    }

    fn read(sources: &Sources<'_>, file: File, found: &Found) -> Result<Self> {
        found.tables.contains(&file).then(|| T::read(sources, file, found)).transpose()
    }
}

/// Where a table is and what it says of itself, without its rows.
#[derive(Debug, Clone)]
pub struct TableHead {
    /// Its file.
    pub path: PathBuf,
    /// What it was made from.
    pub provenance: Provenance,
    /// The labels of its axes.
    pub axes: Axes,
}

impl TableInput for TableHead {
    fn find(_: &Sources<'_>, file: File, found: &mut Found) -> Result<()> {
        found.add(file);
        Ok(())
    }

    fn read(sources: &Sources<'_>, file: File, _: &Found) -> Result<Self> {
        let (path, _) = sources.run.need(file)?;
        let reader = TableReader::open(&path, file.table())?;
        Ok(Self { provenance: reader.provenance().clone(), axes: reader.axes().clone(), path })
    }
}

/// The tables of another run folder: of one that must be named, or an [`Option`] of one that need not.
pub trait FolderInput: Sized {
    /// Finds them.
    ///
    /// # Errors
    /// If the folder is not named, or a table is damaged.
    fn find(sources: &Sources<'_>, name: &'static str, found: &mut Found) -> Result<()>;

    /// Reads them.
    ///
    /// # Errors
    /// As [`Inputs::read`].
    fn read(sources: &Sources<'_>, name: &'static str, found: &Found) -> Result<Self>;
}

impl<T: Inputs> FolderInput for T {
    fn find(sources: &Sources<'_>, name: &'static str, found: &mut Found) -> Result<()> {
        let other = sources.of(name).with_context(|| format!("there is no run folder {name}"))?;
        found.add_folder(name, T::find(&other)?);
        Ok(())
    }

    fn read(sources: &Sources<'_>, name: &'static str, found: &Found) -> Result<Self> {
        let (other, found) =
            sources.of(name).zip(found.of(name)).with_context(|| format!("there is no run folder {name}"))?;
        T::read(&other, found)
    }
}

impl<T: Inputs> FolderInput for Option<T> {
    fn find(sources: &Sources<'_>, name: &'static str, found: &mut Found) -> Result<()> {
        if sources.of(name).is_some() { <T as FolderInput>::find(sources, name, found) } else { Ok(()) }
    }

    fn read(sources: &Sources<'_>, name: &'static str, found: &Found) -> Result<Self> {
        sources.of(name).map(|_| <T as FolderInput>::read(sources, name, found)).transpose()
    }
}

/// What is read from a file that a user brings.
pub trait FromFile: Sized {
    /// The value that a file holds.
    ///
    /// # Errors
    /// Names the file, and the line of what cannot be read.
    fn from_file(path: &Path) -> Result<Self>;
}

/// A file that a user brings: one that must be named, or an [`Option`] of one that need not.
pub trait FileInput: Sized {
    /// Takes its digest.
    ///
    /// # Errors
    /// If it is not named or cannot be read.
    fn find(sources: &Sources<'_>, name: &'static str, found: &mut Found) -> Result<()>;

    /// Reads it.
    ///
    /// # Errors
    /// As [`FromFile::from_file`].
    fn read(sources: &Sources<'_>, name: &'static str, found: &Found) -> Result<Self>;
}

impl<T: FromFile> FileInput for T {
    fn find(sources: &Sources<'_>, name: &'static str, found: &mut Found) -> Result<()> {
        let path = sources.files.get(name).with_context(|| format!("there is no file of {name}"))?;
        found.files.insert(name.to_owned(), Digest::of_file(path)?);
        Ok(())
    }

    /// What was read is what was found: its digest stands in what is made from it.
    fn read(sources: &Sources<'_>, name: &'static str, found: &Found) -> Result<Self> {
        let path = sources.files.get(name).with_context(|| format!("there is no file of {name}"))?;
        let value = T::from_file(path)?;
        ensure!(
            found.files.get(name) == Some(&Digest::of_file(path)?),
            "{} was replaced while it was worked with: run the command again",
            path.display()
        );
        Ok(value)
    }
}

impl<T: FromFile> FileInput for Option<T> {
    fn find(sources: &Sources<'_>, name: &'static str, found: &mut Found) -> Result<()> {
        if sources.files.contains_key(name) { <T as FileInput>::find(sources, name, found) } else { Ok(()) }
    }

    fn read(sources: &Sources<'_>, name: &'static str, found: &Found) -> Result<Self> {
        sources.files.contains_key(name).then(|| <T as FileInput>::read(sources, name, found)).transpose()
    }
}

/// All files that the user brings, as they are: name, place and digest.
#[derive(Debug, Clone, Default)]
pub struct RawFiles(pub Vec<(String, PathBuf, Digest)>);

impl Inputs for RawFiles {
    fn files() -> Vec<File> {
        Vec::new()
    }

    fn find(sources: &Sources<'_>) -> Result<Found> {
        let digest = |(name, path): (&String, &PathBuf)| Ok((name.clone(), Digest::of_file(path)?));
        Ok(Found { files: sources.files.iter().map(digest).collect::<Result<_>>()?, ..Found::default() })
    }

    fn read(sources: &Sources<'_>, found: &Found) -> Result<Self> {
        let file = |(name, digest): (&String, &Digest)| {
            Some((name.clone(), sources.files.get(name)?.clone(), digest.clone()))
        };
        Ok(Self(found.files.iter().filter_map(file).collect()))
    }
}

/// Declares what a stage is made from, as a struct that reads itself.
///
/// ```
/// use spendscape_run::{File, inputs};
/// use spendscape_schema::{Panel, tables};
///
/// inputs! {
///     /// Segments of a trained run, for the customers of another one.
///     pub struct TrainedInputs {
///         /// Where the segments lie.
///         pub centers: tables::SegmentCenters = table File::SegmentCenters,
///     }
/// }
///
/// inputs! {
///     /// What customers are assigned by.
///     pub struct AssignInputs {
///         /// Shares over the long window.
///         pub panel: Panel = table File::Panel,
///         /// Over the short one, if there is one.
///         pub short: Option<Panel> = table File::ShortPanel,
///         /// The trained run.
///         pub trained: TrainedInputs = folder "trained",
///     }
/// }
/// ```
///
/// A `table` is of the run folder (its type is a [`FromTable`](crate::FromTable)), a `folder` holds the inputs of another one
/// ([`Inputs`](crate::Inputs)), a `file` is one that the user brings ([`FromFile`](crate::FromFile)), and `all` stands for
/// further inputs of the same folder in one value.
#[macro_export]
macro_rules! inputs {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$doc:meta])* $access:vis $field:ident: $type:ty = $kind:ident $place:expr),* $(,)?
    }) => {
        $crate::declare! {
            $crate::Inputs {
                fn find(sources: &$crate::Sources<'_>) -> $crate::Result<$crate::Found> {
                    let mut found = $crate::Found::default();
                    $($crate::inputs!(@find $kind $type, sources, $place, &mut found)?;)*
                    Ok(found)
                }

                fn read(sources: &$crate::Sources<'_>, found: &$crate::Found) -> $crate::Result<Self> {
                    Ok(Self { $($field: $crate::inputs!(@read $kind $type, sources, $place, found)?),* })
                }
            }
            $(#[$meta])* $vis struct $name {
                $($(#[$doc])* $access $field: $type = $kind $place),*
            }
        }
    };
    (@find all $type:ty, $sources:expr, $place:expr, $found:expr) => {
        <$type as $crate::Inputs>::find($sources).map(|found| $found.add_all(found))
    };
    (@find table $type:ty, $($rest:expr),*) => { <$type as $crate::TableInput>::find($($rest),*) };
    (@find folder $type:ty, $($rest:expr),*) => { <$type as $crate::FolderInput>::find($($rest),*) };
    (@find file $type:ty, $($rest:expr),*) => { <$type as $crate::FileInput>::find($($rest),*) };
    (@read all $type:ty, $sources:expr, $place:expr, $found:expr) => {
        <$type as $crate::Inputs>::read($sources, $found)
    };
    (@read table $type:ty, $($rest:expr),*) => { <$type as $crate::TableInput>::read($($rest),*) };
    (@read folder $type:ty, $($rest:expr),*) => { <$type as $crate::FolderInput>::read($($rest),*) };
    (@read file $type:ty, $($rest:expr),*) => { <$type as $crate::FileInput>::read($($rest),*) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text whose file another program replaces as soon as it was read.
    #[derive(Debug)]
    struct Replaced(String);

    impl FromFile for Replaced {
        fn from_file(path: &Path) -> Result<Self> {
            let text = std::fs::read_to_string(path)?;
            std::fs::write(path, text.to_uppercase())?;
            Ok(Self(text))
        }
    }

    crate::inputs! {
        struct Texts {
            text: Replaced = file "text",
            other: Option<Replaced> = file "other",
        }
    }

    #[test]
    fn a_file_that_is_replaced_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::open(folder.path(), None).unwrap();
        let [text, other] = ["text.csv", "other.csv"].map(|name| folder.path().join(name));
        std::fs::write(&text, "A").unwrap();
        let sources = Sources::new(&run).file("text", Some(&text));
        let read = |sources: &Sources<'_>| {
            <Texts as Inputs>::read(sources, &<Texts as Inputs>::find(sources).unwrap())
        };
        let found = read(&sources).unwrap();
        assert!(found.text.0 == "A" && found.other.is_none());
        std::fs::write(&other, "b").unwrap();
        let error = read(&sources.file("other", Some(&other))).unwrap_err().to_string();
        assert!(error.contains("other.csv was replaced while it was worked with"), "{error}");
    }
}
