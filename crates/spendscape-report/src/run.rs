//! A run folder: its tables, read once and checked against each other.

mod parts;

use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
};

use ndarray::Array2;
use serde::Deserialize;
use spendscape_schema::{
    Axis, Scope, Table, Tabular,
    scope::SCOPE,
    tables::{
        self, Angles, Attractors, EndStates, Extended, MapPoints, Predictions, Projection, Reach, Segments,
        States, SurrogateAngles, Targets, TraitAxes, words,
    },
};
use spendscape_store::{Provenance, Standing, Stored, TableReader, read_table, standing};

pub(crate) use self::parts::{
    Attractor, Changed, Ends, Examples, Form, MapPoint, Missing, Part, Source, TraitAxis, Trajectories,
    Vectors,
};
use crate::{
    Error,
    draw::space::Place,
    measured::{Figures, read_figures},
};

/// Separates the traits of a dominance path.
const PATH_SEPARATOR: &str = " / ";
/// The name of the states of the short window, which are a table of states like those of the long window.
const SHORT_STATES: &str = "states_short";
/// The directions in which states of more than three units are drawn.
const PROJECTION: &str = "projection";
/// The stage by which customers get the segments of another run.
const ASSIGN: &str = "assign";
/// The attractors in the shapes that P3 prints.
const PRINTED_ATTRACTORS: &str = "attractors_printed";
/// Name of the table of fidelity, which is a table of metrics.
pub(crate) const FIDELITY: &str = "fidelity";

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
    /// Figures that `evaluate` measured.
    pub(crate) measured: Part<Figures>,
    /// How states of more than three units are drawn: directions, 3 x M, and their shares of the variance.
    pub(crate) projection: Part<(Array2<f64>, Vec<f64>)>,
    /// Whether its customers were assigned to the segments of another run, whose directions these are.
    pub(crate) assigned: bool,
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
pub(crate) fn required<T: Tabular>(folder: &Path) -> Result<(T, Stored), Error> {
    let path = path_of(folder, T::NAME);
    match stands(folder, T::NAME)? {
        Standing::Missing => return Err(Error::MissingTable { path }),
        Standing::Stale(stale) => return Err(Error::StaleTable { stale }),
        Standing::Current(_) => {}
    }
    let stored = read_table(&path, T::TABLE)?;
    if stored.rows.is_empty() { Err(Error::EmptyTable { path }) } else { Ok((stored.table()?, stored)) }
}

/// A table of the run, if it is there, is of one run with what lies beside it, and has rows.
pub(crate) fn optional<T: Tabular>(folder: &Path, name: &str) -> Result<Part<(T, Stored)>, Error> {
    match stands(folder, name)? {
        Standing::Missing => return Ok(Err(Missing(format!("{name}.parquet is not in the run folder")))),
        Standing::Stale(stale) => return Ok(Err(Missing(stale.brief()))),
        Standing::Current(_) => {}
    }
    let stored = read_table(&path_of(folder, name), T::TABLE)?;
    if stored.rows.is_empty() {
        return Ok(Err(Missing(format!("{name}.parquet has no rows"))));
    }
    Ok(Ok((stored.table()?, stored)))
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
        let (targets, about) = required::<Targets>(folder)?;
        let (states, about_states) = required::<States>(folder)?;
        let column = column_error(folder, "targets");
        let traits = about.axes.labels(Axis::Trait).map_err(&column)?.to_vec();
        let customers = targets.customer;
        let numbers: HashMap<String, usize> =
            customers.iter().enumerate().map(|(at, customer)| (customer.clone(), at)).collect();
        let units = about_states.axes.labels(Axis::Unit).map_err(column_error(folder, "states"))?.to_vec();
        let (sources, left_out) = sources(folder)?;
        let reader = Reader { folder, traits: &traits, customers: &numbers, units: units.len() };
        let grades = reader.checked("targets", "grade", traits.len(), targets.grade)?;
        let dominant = grades.rows().into_iter().map(|row| largest(row.iter().copied())).collect();
        Ok(Self {
            scope: scope_of(&about.provenance),
            dominant,
            long: reader.trajectories("states", &states.customer, states.hidden)?,
            short: reader.read(SHORT_STATES, |reader, name, table: States| {
                reader.trajectories(name, &table.customer, table.hidden)
            })?,
            extended: reader.read("extended", |reader, name, table: Extended| {
                reader.trajectories(name, &table.customer, table.hidden)
            })?,
            examples: reader.read("examples", Reader::examples)?,
            angles: reader.read("angles", |reader, name, table: Angles| {
                reader.per_customer(name, &table.customer, "angle", table.angle.ncols(), table.angle)
            })?,
            surrogate_angles: reader.read("surrogate_angles", |reader, name, table: SurrogateAngles| {
                reader.per_customer(name, &table.customer, "angle", table.angle.ncols(), table.angle)
            })?,
            paths: reader.read("segments", Reader::paths)?,
            locations: reader.read("predictions", |reader, name, table: Predictions| {
                let Predictions { customer, location_paper, .. } = table;
                reader.per_customer(name, &customer, "location_paper", reader.units, location_paper)
            })?,
            attractors: reader.read("attractors", Reader::attractors)?,
            printed_attractors: reader.read(PRINTED_ATTRACTORS, Reader::attractors)?,
            axes: reader.read("trait_axes", Reader::trait_axes)?,
            ends: reader.read("end_states", Reader::ends)?,
            map_points: reader.read("map_points", Reader::map_points)?,
            projection: reader.read(PROJECTION, Reader::projection)?,
            assigned: sources.iter().any(|source| source.file == PROJECTION && source.stage == ASSIGN),
            reach: reader.read("reach", |reader, name, table: Reach| {
                reader.checked(name, "output", reader.traits.len(), table.output)
            })?,
            measured: read_figures(folder, tables::Metrics::NAME)?,
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
    fn read<T: Tabular, U>(
        &self,
        name: &str,
        take: impl Fn(&Self, &str, T) -> Result<U, Error>,
    ) -> Result<Part<U>, Error> {
        match optional(self.folder, name)? {
            Ok((table, _)) => Ok(Ok(take(self, name, table)?)),
            Err(missing) => Ok(Err(missing)),
        }
    }

    /// Vectors that are finite and as wide as the run has them.
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
    fn customers(&self, name: &str, customers: &[String]) -> Result<Vec<usize>, Error> {
        let number = |(row, customer): (usize, &String)| {
            self.customers.get(customer).copied().ok_or_else(|| Error::UnknownCustomer {
                path: path_of(self.folder, name),
                row,
                customer: customer.clone(),
            })
        };
        customers.iter().enumerate().map(number).collect()
    }

    /// The trait of every row, by number.
    fn trait_indices(&self, name: &str, traits: &[String]) -> Result<Vec<usize>, Error> {
        traits.iter().enumerate().map(|(row, label)| self.trait_index(name, row, label)).collect()
    }

    fn trait_index(&self, name: &str, row: usize, label: &str) -> Result<usize, Error> {
        self.traits.iter().position(|known| known == label).ok_or_else(|| Error::UnknownTrait {
            path: path_of(self.folder, name),
            row,
            label: label.to_owned(),
        })
    }

    fn trajectories(
        &self,
        name: &str,
        customers: &[String],
        hidden: Array2<f32>,
    ) -> Result<Trajectories, Error> {
        let states = self.checked(name, "hidden", self.units, hidden.mapv(f64::from))?;
        let mut spans: Vec<(usize, Range<usize>)> = Vec::new();
        for (row, customer) in self.customers(name, customers)?.into_iter().enumerate() {
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
        customers: &[String],
        column: &'static str,
        width: usize,
        values: Array2<f64>,
    ) -> Result<Vectors, Error> {
        let customers = self.customers(name, customers)?;
        Ok(Vectors { customers, values: self.checked(name, column, width, values)? })
    }

    fn examples(&self, name: &str, table: tables::Examples) -> Result<Examples, Error> {
        let mut examples = Examples::default();
        for (row, customer) in self.customers(name, &table.customer)?.into_iter().enumerate() {
            match table.role[row].as_str() {
                "steady" => examples.steady.push(customer),
                "changed" => examples.changed.push(Changed {
                    customer,
                    before: self.trait_index(name, row, &table.before[row])?,
                    toward: self.trait_index(name, row, &table.toward[row])?,
                }),
                // Roles that no figure shows.
                _ => {}
            }
        }
        Ok(examples)
    }

    fn paths(&self, name: &str, table: Segments) -> Result<Vec<Vec<usize>>, Error> {
        let mut paths = vec![Vec::new(); self.customers.len()];
        let customers = self.customers(name, &table.customer)?;
        for (row, (customer, label)) in customers.into_iter().zip(&table.path).enumerate() {
            paths[customer] = label
                .split(PATH_SEPARATOR)
                .map(|label| self.trait_index(name, row, label))
                .collect::<Result<_, _>>()?;
        }
        Ok(paths)
    }

    /// What the table says of each trait's customers: of the shape that it marks as drawn, or that there is none.
    fn attractors(&self, name: &str, table: Attractors) -> Result<Vec<Attractor>, Error> {
        let traits = self.trait_indices(name, &table.r#trait)?;
        let states = self.checked(name, "state", self.units, table.state)?;
        let mut attractors = Vec::new();
        for trait_index in 0..self.traits.len() {
            let mut rows: Vec<usize> = (0..traits.len()).filter(|row| traits[*row] == trait_index).collect();
            // The points come first: of a cloud they are what is told.
            rows.sort_by_key(|row| (table.shape[*row] != words::POINT, table.index[*row]));
            let Some(first) = rows.first().copied() else { continue };
            let drawn = rows.iter().copied().find(|row| table.drawn[*row]);
            let form = match drawn {
                None => Form::Neither,
                Some(row) if table.shape[row] == words::POINT => Form::Points,
                Some(_) => Form::Line,
            };
            let told = drawn.unwrap_or(first);
            let centers = rows.iter().filter(|row| table.shape[**row] == words::POINT).count();
            rows.retain(|row| table.drawn[*row] && table.shape[*row] == table.shape[told]);
            attractors.push(Attractor {
                trait_index,
                form,
                states: rows.iter().map(|row| states.row(*row).to_vec()).collect(),
                members: rows.iter().map(|row| table.members[*row]).collect(),
                centers,
                variance_explained: table.variance_explained[told],
                compactness: table.compactness[told],
                verdict: table.verdict[told].clone(),
            });
        }
        Ok(attractors)
    }

    fn ends(&self, name: &str, table: EndStates) -> Result<Ends, Error> {
        Ok(Ends {
            customers: self.customers(name, &table.customer)?,
            states: self.checked(name, "hidden", self.units, table.hidden)?,
            radius: table.spectral_high,
        })
    }

    /// The points of the customers' maps; a state is `(h, c)`, of which the hidden part is drawn.
    fn map_points(&self, name: &str, table: MapPoints) -> Result<Vec<MapPoint>, Error> {
        let customers = self.customers(name, &table.input)?;
        let states = self.checked(name, "state", 2 * self.units, table.state)?;
        let point = |(row, customer): (usize, usize)| MapPoint {
            customer,
            state: states.row(row).iter().take(self.units).copied().collect(),
            stable: table.verdict[row] == "stable",
            basin: table.basin[row],
            radius: table.radius[row],
        };
        Ok(customers.into_iter().enumerate().map(point).collect())
    }

    /// One direction per dimension of a picture.
    fn projection(&self, name: &str, table: Projection) -> Result<(Array2<f64>, Vec<f64>), Error> {
        let (expected, found) = (Place::default().len(), table.variance.len());
        if found != expected {
            return Err(Error::WrongRows { path: path_of(self.folder, name), expected, found });
        }
        Ok((self.checked(name, "axis", self.units, table.axis)?, table.variance))
    }

    fn trait_axes(&self, name: &str, table: TraitAxes) -> Result<Vec<TraitAxis>, Error> {
        let traits = self.trait_indices(name, &table.r#trait)?;
        let axes = self.checked(name, "axis", self.units, table.axis)?;
        let origins = self.checked(name, "origin", self.units, table.origin)?;
        let readouts = self.checked(name, "readout", self.units, table.readout)?;
        let axis = |(row, trait_index): (usize, usize)| TraitAxis {
            trait_index,
            magnitude: table.magnitude[row],
            axis: axes.row(row).to_vec(),
            origin: origins.row(row).to_vec(),
            readout: readouts.row(row).to_vec(),
        };
        Ok(traits.into_iter().enumerate().map(axis).collect())
    }
}
