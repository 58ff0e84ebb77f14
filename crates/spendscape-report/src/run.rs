//! A run folder: its tables, read once and checked against each other.

mod parts;

use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
};

use ndarray::Array2;
use serde::Deserialize;
use spendscape_schema::{Axis, Scope, Table, scope::SCOPE};
use spendscape_store::{Provenance, Standing, Stored, TableReader, read_table, standing};

pub(crate) use self::parts::{
    Attractor, Ends, Examples, MapPoint, Missing, Part, Source, TraitAxis, Trajectories, Vectors,
};
use crate::{Error, model_card::FIDELITY};

/// Separates the traits of a dominance path.
const PATH_SEPARATOR: &str = " / ";
/// The name of the states of the short window, which are a table of states like those of the long window.
const SHORT_STATES: &str = "states_short";
/// The attractors in the shapes that P3 prints.
const PRINTED_ATTRACTORS: &str = "attractors_printed";

/// Everything that the figures draw.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) traits: Vec<String>,
    /// What the run is about, where its panel came from a ledger.
    pub(crate) scope: Option<Scope>,
    pub(crate) customers: Vec<String>,
    /// The trait with the highest grade of each customer.
    pub(crate) dominant: Vec<usize>,
    pub(crate) units: Vec<String>,
    pub(crate) long: Trajectories,
    pub(crate) short: Part<Trajectories>,
    pub(crate) extended: Part<Trajectories>,
    pub(crate) examples: Part<Examples>,
    pub(crate) angles: Part<Vectors>,
    pub(crate) surrogate_angles: Part<Vectors>,
    /// Traits by falling grade of each customer; empty for one without segment.
    pub(crate) paths: Part<Vec<Vec<usize>>>,
    pub(crate) locations: Part<Vectors>,
    pub(crate) attractors: Part<Vec<Attractor>>,
    pub(crate) printed_attractors: Part<Vec<Attractor>>,
    pub(crate) axes: Part<Vec<TraitAxis>>,
    pub(crate) ends: Part<Ends>,
    pub(crate) map_points: Part<Vec<MapPoint>>,
    pub(crate) reach: Part<Array2<f64>>,
    /// Every table of the run, in the order of the pipeline.
    pub(crate) sources: Vec<Source>,
    /// Why tables that are there are left out: they are of another run.
    pub(crate) left_out: Vec<String>,
}

/// Reads one table and checks it against the rest of the run.
struct Reader<'a> {
    folder: &'a Path,
    traits: &'a [String],
    customers: &'a HashMap<String, usize>,
    units: usize,
}

/// The tables of a run folder by file name, in the order of the pipeline.
fn files() -> Vec<(String, Table)> {
    let mut files = Vec::new();
    for table in Table::ALL {
        files.push((table.name().to_owned(), *table));
        match table {
            Table::Panel => files.push(("panel_short".to_owned(), *table)),
            Table::Metrics => files.push((FIDELITY.to_owned(), *table)),
            Table::States => files.push((SHORT_STATES.to_owned(), *table)),
            Table::Attractors => files.push((PRINTED_ATTRACTORS.to_owned(), *table)),
            _ => {}
        }
    }
    files
}

fn path_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.parquet"))
}

/// Whether a table is there and of one run with what lies beside it.
fn stands(folder: &Path, name: &str) -> Result<Standing, Error> {
    Ok(standing(&format!("{name}.parquet"), &|file| folder.join(file))?)
}

/// A table without which there is no figure at all.
pub(crate) fn required(folder: &Path, table: Table) -> Result<Stored, Error> {
    let path = path_of(folder, table.name());
    match stands(folder, table.name())? {
        Standing::Missing => return Err(Error::MissingTable { path }),
        Standing::Stale(stale) => return Err(Error::StaleTable { stale }),
        Standing::Current(_) => {}
    }
    let stored = read_table(&path, table)?;
    if stored.rows.is_empty() { Err(Error::EmptyTable { path }) } else { Ok(stored) }
}

/// A table of the run, if it is there, is of one run with what lies beside it, and has rows.
pub(crate) fn optional(folder: &Path, name: &str, table: Table) -> Result<Part<Stored>, Error> {
    match stands(folder, name)? {
        Standing::Missing => return Ok(Err(Missing(format!("{name}.parquet is not in the run folder")))),
        Standing::Stale(stale) => return Ok(Err(Missing(stale.brief()))),
        Standing::Current(_) => {}
    }
    let stored = read_table(&path_of(folder, name), table)?;
    if stored.rows.is_empty() {
        return Ok(Err(Missing(format!("{name}.parquet has no rows"))));
    }
    Ok(Ok(stored))
}

/// Attaches the file to what is wrong with a column.
pub(crate) fn column_error(folder: &Path, name: &str) -> impl Fn(spendscape_schema::Error) -> Error {
    let path = path_of(folder, name);
    move |source| Error::Column { path: path.clone(), source: Box::new(source) }
}

impl Run {
    /// Reads the tables of a run folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        if !folder.is_dir() {
            return Err(Error::NoRun { path: folder.to_owned() });
        }
        let targets = required(folder, Table::Targets)?;
        let states = required(folder, Table::States)?;
        let column = column_error(folder, "targets");
        let traits = targets.axes.labels(Axis::Trait).map_err(&column)?.to_vec();
        let customers = targets.rows.text("customer").map_err(&column)?;
        let numbers: HashMap<String, usize> =
            customers.iter().enumerate().map(|(at, customer)| (customer.clone(), at)).collect();
        let units = states.axes.labels(Axis::Unit).map_err(column_error(folder, "states"))?.to_vec();
        let (sources, left_out) = sources(folder)?;
        let reader = Reader { folder, traits: &traits, customers: &numbers, units: units.len() };
        let grades = reader.vectors64("targets", &targets, "grade", traits.len())?;
        let dominant = grades.rows().into_iter().map(|row| largest(row.iter().copied())).collect();
        Ok(Self {
            scope: scope_of(&targets.provenance),
            dominant,
            long: reader.trajectories("states", &states)?,
            short: reader.read_trajectories(SHORT_STATES, Table::States)?,
            extended: reader.read_trajectories("extended", Table::Extended)?,
            examples: reader.read("examples", Table::Examples, Reader::examples)?,
            angles: reader.read("angles", Table::Angles, |reader, name, stored| {
                reader.per_customer(name, stored, "angle", stored.axes.width(Axis::Angle))
            })?,
            surrogate_angles: reader.read(
                "surrogate_angles",
                Table::SurrogateAngles,
                |reader, name, stored| {
                    reader.per_customer(name, stored, "angle", stored.axes.width(Axis::Angle))
                },
            )?,
            paths: reader.read("segments", Table::Segments, Reader::paths)?,
            locations: reader.read("predictions", Table::Predictions, |reader, name, stored| {
                reader.per_customer(name, stored, "location_paper", reader.units)
            })?,
            attractors: reader.read("attractors", Table::Attractors, Reader::attractors)?,
            printed_attractors: reader.read("attractors_printed", Table::Attractors, Reader::attractors)?,
            axes: reader.read("trait_axes", Table::TraitAxes, Reader::trait_axes)?,
            ends: reader.read("end_states", Table::EndStates, Reader::ends)?,
            map_points: reader.read("map_points", Table::MapPoints, Reader::map_points)?,
            reach: reader.read("reach", Table::Reach, |reader, name, stored| {
                reader.vectors64(name, stored, "output", reader.traits.len())
            })?,
            sources,
            left_out,
            traits,
            customers,
            units,
        })
    }

    /// Number of hidden units, M.
    pub(crate) fn width(&self) -> usize {
        self.units.len()
    }

    /// One line that says which tables of the run a figure shows.
    pub(crate) fn trace(&self, files: &[&str]) -> String {
        let mut parts: Vec<String> = Vec::new();
        for source in self.sources.iter().filter(|source| files.contains(&source.file.as_str())) {
            let digest = source.digest.get(..12).unwrap_or(&source.digest);
            parts.push(format!("{} {digest}", source.file));
        }
        let mut seeds: Vec<String> = Vec::new();
        for source in &self.sources {
            if let Some(seed) = source.seed {
                let seed = format!("{} {seed}", source.stage);
                if !seeds.contains(&seed) {
                    seeds.push(seed);
                }
            }
        }
        if !seeds.is_empty() {
            parts.push(format!("seed: {}", seeds.join(", ")));
        }
        let mut programs: Vec<&str> = self.sources.iter().map(|source| source.program.as_str()).collect();
        programs.sort_unstable();
        programs.dedup();
        parts.push(programs.join(", "));
        parts.join("  \u{B7}  ")
    }
}

/// The scope that targets took over from their panel.
pub(crate) fn scope_of(targets: &Provenance) -> Option<Scope> {
    Scope::deserialize(targets.parameters.get(SCOPE)?).ok()
}

/// Where every table of the run comes from, from the tables' metadata alone, and why some are left out.
fn sources(folder: &Path) -> Result<(Vec<Source>, Vec<String>), Error> {
    let (mut sources, mut left_out) = (Vec::new(), Vec::new());
    for (name, table) in files() {
        match stands(folder, &name)? {
            Standing::Missing => {}
            Standing::Stale(stale) => left_out.push(format!("{name}.parquet is left out: {}", stale.brief())),
            Standing::Current(_) => {
                let reader = TableReader::open(&path_of(folder, &name), table)?;
                let provenance = reader.provenance();
                sources.push(Source {
                    file: name,
                    stage: provenance.stage.clone(),
                    program: provenance.program.clone(),
                    seed: provenance.seed,
                    digest: reader.digest().to_string(),
                    rows: reader.len(),
                });
            }
        }
    }
    Ok((sources, left_out))
}

/// The position of the largest value, the first of several.
pub(crate) fn largest(values: impl IntoIterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (at, value) in values.into_iter().enumerate() {
        if value > best.1 {
            best = (at, value);
        }
    }
    best.0
}

impl Reader<'_> {
    fn read<T>(
        &self,
        name: &str,
        table: Table,
        take: impl Fn(&Self, &str, &Stored) -> Result<T, Error>,
    ) -> Result<Part<T>, Error> {
        match optional(self.folder, name, table)? {
            Ok(stored) => Ok(Ok(take(self, name, &stored)?)),
            Err(missing) => Ok(Err(missing)),
        }
    }

    fn read_trajectories(&self, name: &str, table: Table) -> Result<Part<Trajectories>, Error> {
        self.read(name, table, Self::trajectories)
    }

    fn column(&self, name: &str) -> impl Fn(spendscape_schema::Error) -> Error {
        column_error(self.folder, name)
    }

    /// A column of 64-bit vectors that are finite and as wide as the run has them.
    fn vectors64(
        &self,
        name: &str,
        stored: &Stored,
        column: &'static str,
        width: usize,
    ) -> Result<Array2<f64>, Error> {
        self.checked(name, column, width, stored.rows.vectors64(column).map_err(self.column(name))?)
    }

    fn checked(
        &self,
        name: &str,
        column: &'static str,
        width: usize,
        values: Array2<f64>,
    ) -> Result<Array2<f64>, Error> {
        if values.ncols() != width {
            let path = path_of(self.folder, name);
            return Err(Error::WrongWidth { path, column, expected: width, found: values.ncols() });
        }
        match values.rows().into_iter().position(|row| row.iter().any(|value| !value.is_finite())) {
            Some(row) => Err(Error::NotFinite { path: path_of(self.folder, name), column, row }),
            None => Ok(values),
        }
    }

    /// The customer of every row, by number.
    fn customers(&self, name: &str, stored: &Stored) -> Result<Vec<usize>, Error> {
        self.customers_in(name, stored, "customer")
    }

    fn customers_in(&self, name: &str, stored: &Stored, column: &'static str) -> Result<Vec<usize>, Error> {
        let labels = stored.rows.text(column).map_err(self.column(name))?;
        let number = |(row, customer): (usize, String)| {
            self.customers.get(&customer).copied().ok_or_else(|| Error::UnknownCustomer {
                path: path_of(self.folder, name),
                row,
                customer,
            })
        };
        labels.into_iter().enumerate().map(number).collect()
    }

    /// The trait of every row, by number.
    fn trait_indices(&self, name: &str, stored: &Stored) -> Result<Vec<usize>, Error> {
        let labels = stored.rows.text("trait").map_err(self.column(name))?;
        labels.iter().enumerate().map(|(row, label)| self.trait_index(name, row, label)).collect()
    }

    fn trait_index(&self, name: &str, row: usize, label: &str) -> Result<usize, Error> {
        self.traits.iter().position(|known| known == label).ok_or_else(|| Error::UnknownTrait {
            path: path_of(self.folder, name),
            row,
            label: label.to_owned(),
        })
    }

    fn trajectories(&self, name: &str, stored: &Stored) -> Result<Trajectories, Error> {
        let hidden = stored.rows.vectors32("hidden").map_err(self.column(name))?.mapv(f64::from);
        let states = self.checked(name, "hidden", self.units, hidden)?;
        let mut spans: Vec<(usize, Range<usize>)> = Vec::new();
        for (row, customer) in self.customers(name, stored)?.into_iter().enumerate() {
            match spans.last_mut() {
                Some((last, rows)) if *last == customer => rows.end = row + 1,
                _ => spans.push((customer, row..row + 1)),
            }
        }
        Ok(Trajectories { states, spans })
    }

    fn per_customer(
        &self,
        name: &str,
        stored: &Stored,
        column: &'static str,
        width: usize,
    ) -> Result<Vectors, Error> {
        let customers = self.customers(name, stored)?;
        Ok(Vectors { customers, values: self.vectors64(name, stored, column, width)? })
    }

    fn examples(&self, name: &str, stored: &Stored) -> Result<Examples, Error> {
        let roles = stored.rows.text("role").map_err(self.column(name))?;
        let mut examples = Examples::default();
        for (role, customer) in roles.iter().zip(self.customers(name, stored)?) {
            match role.as_str() {
                "steady" => examples.steady.push(customer),
                "changed" => examples.changed.push(customer),
                // Roles that no figure shows.
                _ => {}
            }
        }
        Ok(examples)
    }

    fn paths(&self, name: &str, stored: &Stored) -> Result<Vec<Vec<usize>>, Error> {
        let labels = stored.rows.text("path").map_err(self.column(name))?;
        let mut paths = vec![Vec::new(); self.customers.len()];
        for (row, (customer, label)) in self.customers(name, stored)?.into_iter().zip(labels).enumerate() {
            paths[customer] = label
                .split(PATH_SEPARATOR)
                .map(|label| self.trait_index(name, row, label))
                .collect::<Result<_, _>>()?;
        }
        Ok(paths)
    }

    /// The shapes that the table marks as drawn: a line is its points in order, a point stands alone.
    fn attractors(&self, name: &str, stored: &Stored) -> Result<Vec<Attractor>, Error> {
        let column = self.column(name);
        let traits = self.trait_indices(name, stored)?;
        let shapes = stored.rows.text("shape").map_err(&column)?;
        let positions = stored.rows.index("index").map_err(&column)?;
        let states = self.vectors64(name, stored, "state", self.units)?;
        let variance = stored.rows.float("variance_explained").map_err(&column)?;
        let drawn = stored.rows.flag("drawn").map_err(&column)?;
        let verdicts = stored.rows.text("verdict").map_err(&column)?;
        let mut order: Vec<usize> = (0..traits.len()).filter(|row| drawn[*row]).collect();
        order.sort_by_key(|row| (traits[*row], shapes[*row] == "point", positions[*row]));
        let mut attractors: Vec<Attractor> = Vec::new();
        for row in order {
            let line = shapes[row] != "point";
            let state = states.row(row).to_vec();
            match attractors.last_mut() {
                Some(last) if last.trait_index == traits[row] && last.line == line => last.states.push(state),
                _ => attractors.push(Attractor {
                    trait_index: traits[row],
                    line,
                    states: vec![state],
                    variance_explained: variance[row],
                    verdict: verdicts[row].clone(),
                }),
            }
        }
        Ok(attractors)
    }

    fn ends(&self, name: &str, stored: &Stored) -> Result<Ends, Error> {
        Ok(Ends {
            customers: self.customers(name, stored)?,
            states: self.vectors64(name, stored, "hidden", self.units)?,
            radius: stored.rows.float("spectral_high").map_err(self.column(name))?,
        })
    }

    /// The points of the customers' maps; a state is `(h, c)`, of which the hidden part is drawn.
    fn map_points(&self, name: &str, stored: &Stored) -> Result<Vec<MapPoint>, Error> {
        let column = self.column(name);
        let customers = self.customers_in(name, stored, "input")?;
        let states = self.vectors64(name, stored, "state", 2 * self.units)?;
        let radius = stored.rows.float("radius").map_err(&column)?;
        let verdicts = stored.rows.text("verdict").map_err(&column)?;
        let basins = stored.rows.optional_float("basin").map_err(&column)?;
        Ok((0..customers.len())
            .map(|row| MapPoint {
                customer: customers[row],
                state: states.row(row).iter().take(self.units).copied().collect(),
                stable: verdicts[row] == "stable",
                basin: basins[row],
                radius: radius[row],
            })
            .collect())
    }

    fn trait_axes(&self, name: &str, stored: &Stored) -> Result<Vec<TraitAxis>, Error> {
        let traits = self.trait_indices(name, stored)?;
        let magnitudes = stored.rows.float("magnitude").map_err(self.column(name))?;
        let axes = self.vectors64(name, stored, "axis", self.units)?;
        let origins = self.vectors64(name, stored, "origin", self.units)?;
        Ok((0..traits.len())
            .map(|row| TraitAxis {
                trait_index: traits[row],
                magnitude: magnitudes[row],
                axis: axes.row(row).to_vec(),
                origin: origins.row(row).to_vec(),
            })
            .collect())
    }
}
