//! Whether the files of a run folder count: each is what its stage recorded, and was made from what lies beside it.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    Digest, Error, Manifest, Provenance, StageRecord,
    manifest::{FILE_NAME, command, command_name},
    sealed::Footer,
    this_build,
};

impl Manifest {
    /// Whether `stage` was last finished by this very program with exactly this provenance, and every byte of its files is
    /// what it wrote.
    #[must_use]
    pub fn is_current(&self, folder: &Path, stage: &str, provenance: &Provenance) -> bool {
        self.stages.get(stage).is_some_and(|record| {
            record.void.is_none()
                && record.provenance == *provenance
                && record.build.is_some()
                && record.build == this_build()
                && record.outputs.iter().all(|(file, digest)| record.holds(folder, file, digest))
        })
    }
}

impl StageRecord {
    /// Whether a file of this digest and this seal is the one recorded.
    fn is_of(&self, file: &str, digest: &Digest, seal: Option<&Digest>) -> bool {
        self.outputs.get(file) == Some(digest) && self.seals.get(file) == seal
    }

    /// Whether a file is there and every byte of it is what was written under this digest.
    fn holds(&self, folder: &Path, file: &str, digest: &Digest) -> bool {
        let path = folder.join(file);
        if is_table(&path) {
            Footer::open(&path).is_ok_and(|footer| {
                self.is_of(file, &footer.digest, Some(&footer.seal)) && footer.check().is_ok()
            })
        } else {
            Digest::of_file(&path).is_ok_and(|found| found == *digest)
        }
    }
}

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

/// The digest of a file: of a table the one that its footer gives.
///
/// [`standing()`] has an example.
///
/// # Errors
/// If the file cannot be read or its footer is damaged.
pub fn digest_of(path: &Path) -> Result<Digest, Error> {
    Ok(Origin::of(path)?.digest)
}

/// A table's seal: the digest of its footer, which says what the table was made from and holds the digests of all columns.
///
/// ```
/// use spendscape_schema::{Axes, Table, Tabular, tables::{MetricRow, Metrics}};
/// use spendscape_store::{Provenance, seal_of, write_table};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("metrics.parquet");
/// let batch = Metrics::from_rows([MetricRow { name: "r2".to_owned(), value: 0.95 }])?.to_batch(&Axes::new())?;
/// let write = |seed| write_table(&path, Table::Metrics, &batch, Provenance::new("example").seed(seed));
/// // The same content, made from something else.
/// let (one, seal_of_one) = (write(1)?, seal_of(&path)?);
/// let (two, seal_of_two) = (write(2)?, seal_of(&path)?);
/// assert_eq!(one.digest, two.digest);
/// assert_ne!(seal_of_one, seal_of_two);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file cannot be read or its footer is damaged.
pub fn seal_of(path: &Path) -> Result<Digest, Error> {
    Ok(Footer::open(path)?.seal)
}

/// A file's digest, and a table's seal and what it says that it was made from.
struct Origin {
    digest: Digest,
    table: Option<(Digest, Provenance)>,
}

impl Origin {
    fn of(path: &Path) -> Result<Self, Error> {
        if !is_table(path) {
            return Ok(Self { digest: Digest::of_file(path)?, table: None });
        }
        let Footer { digest, seal, provenance, .. } = Footer::open(path)?;
        Ok(Self { digest, table: Some((seal, provenance)) })
    }
}

/// Whether a file can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is not there.
    Missing,
    /// It is what the stage that made it recorded, and was made from what lies beside it; or no stage of the folder could have
    /// made it, so that somebody put it there. Its digest.
    Current(Digest),
    /// It is of another run than what lies beside it.
    Stale(Stale),
}

/// A file that is of another run than what lies beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The file, or the one that it was made from that is to blame.
    pub path: PathBuf,
    /// The fault, as the end of a sentence about it.
    pub why: String,
    /// The stage that makes it.
    pub stage: String,
}

impl Stale {
    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The same without folders, which are not the same everywhere.
    #[must_use]
    pub fn brief(&self) -> String {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{file} {}: run `spendscape {}` again", self.why, command_name(&self.stage))
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = command(&self.stage, self.folder());
        write!(f, "{} {}: run `{command}` again", self.path.display(), self.why)
    }
}

/// Says where a file stands; `find` says where the run's files lie, by name.
///
/// A file counts if the record of the stage that wrote it does, if it is what the record says, and if what it was made from
/// is still there, and counts.
///
/// ```
/// use spendscape_store::{Standing, digest_of, standing};
///
/// let folder = tempfile::tempdir()?;
/// let find = |file: &str| folder.path().join(file);
/// assert_eq!(standing("labels.csv", &find)?, Standing::Missing);
/// // Somebody puts a file there that no stage makes.
/// std::fs::write(find("labels.csv"), "customer,label\n")?;
/// assert_eq!(standing("labels.csv", &find)?, Standing::Current(digest_of(&find("labels.csv"))?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotRecorded`] if it is not what was recorded, and if it, what it was made from or a manifest cannot be read.
pub fn standing(file: &str, find: &dyn Fn(&str) -> PathBuf) -> Result<Standing, Error> {
    Inspection { find, manifests: HashMap::new(), seen: HashSet::new() }.standing(file, &find(file))
}

/// Transactions may be put away once they are a panel: that they are gone says nothing against it.
const MAY_BE_GONE: [&str; 2] = ["ledger.parquet", "goal_ledger.parquet"];

struct Inspection<'a> {
    find: &'a dyn Fn(&str) -> PathBuf,
    manifests: HashMap<PathBuf, Manifest>,
    /// Files that were found to count.
    seen: HashSet<PathBuf>,
}

impl Inspection<'_> {
    fn manifest(&mut self, path: &Path) -> Result<Manifest, Error> {
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Some(manifest) = self.manifests.get(folder) {
            return Ok(manifest.clone());
        }
        let manifest = Manifest::read(folder)?;
        self.manifests.insert(folder.to_owned(), manifest.clone());
        Ok(manifest)
    }

    fn standing(&mut self, file: &str, path: &Path) -> Result<Standing, Error> {
        if !path.exists() {
            return Ok(Standing::Missing);
        }
        let manifest = self.manifest(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let stale = |why: &str, stage: &str| {
            let (why, stage) = (why.to_owned(), stage.to_owned());
            Ok(Standing::Stale(Stale { path: path.to_owned(), why, stage }))
        };
        let writer = manifest.writer(file);
        let Origin { digest, table } = Origin::of(path)?;
        let (stage, inputs) = match (writer, &table) {
            (Some((stage, record)), _) => {
                if let Some(void) = &record.void {
                    return stale(&format!("is of stage `{stage}`, {}", void.reason), stage);
                }
                if !record.is_of(file, &digest, table.as_ref().map(|(seal, _)| seal)) {
                    let (path, stage, command) = (path.to_owned(), stage.clone(), command(stage, folder));
                    return Err(Error::NotRecorded { path, stage, command });
                }
                (stage.clone(), record.provenance.inputs.clone())
            }
            // Nobody wrote down what a file that is no table was made from.
            (None, None) => return Ok(Standing::Current(digest)),
            (None, Some((_, provenance))) => {
                if manifest.stages.contains_key(&provenance.stage) {
                    return stale("is not recorded in the manifest beside it", &provenance.stage);
                }
                (provenance.stage.clone(), provenance.inputs.clone())
            }
        };
        if !self.seen.insert(path.to_owned()) {
            return Ok(Standing::Current(digest));
        }
        // Inputs from elsewhere have other names: of an earlier run, of raw files.
        let tables = inputs.iter().filter(|(name, _)| name.ends_with(".parquet") && !name.contains(' '));
        // Told only where the content of all inputs is the same: another content says more.
        let mut other_options = None;
        for (name, expected) in tables {
            let mut source = (self.find)(name);
            if let Some(path) =
                writer.and_then(|(_, record)| record.paths.get(name)).filter(|_| !source.exists())
            {
                source = PathBuf::from(path);
            }
            if !source.exists() {
                let recorded = source.parent().is_some_and(|folder| folder.join(FILE_NAME).exists());
                if writer.is_some() && recorded && !MAY_BE_GONE.contains(&name.as_str()) {
                    return stale(&format!("was made from a {name} that is gone"), &stage);
                }
                continue;
            }
            if let Standing::Stale(stale) = self.standing(name, &source)? {
                return Ok(Standing::Stale(stale));
            }
            let found = Origin::of(&source)?;
            if found.digest != *expected {
                return stale(&format!("was made from another {name} than the one there is now"), &stage);
            }
            let said = inputs.get(&Provenance::said_name(name));
            if let (Some(said), Some((_, provenance))) = (said, &found.table)
                && *said != provenance.said()
            {
                other_options.get_or_insert(name);
            }
        }
        if let Some(name) = other_options {
            let why = format!("was made from a {name} of other options than the one there is now");
            return stale(&why, &stage);
        }
        Ok(Standing::Current(digest))
    }
}
