//! The segments' profiles and what became of an earlier run's segments, read from their tables.

use std::path::Path;

use ndarray::Array2;
use spendscape_schema::{Axis, Table};

use crate::{
    Error,
    run::{Part, column_error, optional},
};

/// Spending of a segment on one class.
#[derive(Debug, Clone)]
pub(crate) struct Spending {
    pub(crate) class: String,
    pub(crate) share: f64,
    pub(crate) population: f64,
    /// Segment less population, in standard deviations over customers.
    pub(crate) difference: f64,
}

/// What a segment is like.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) id: u16,
    pub(crate) customers: usize,
    pub(crate) share: f64,
    /// Mean grade per trait.
    pub(crate) grades: Vec<f64>,
    pub(crate) short_kept: Option<f64>,
    pub(crate) always_kept: f64,
    pub(crate) bootstrap_overlap: Option<f64>,
    pub(crate) spending: Vec<Spending>,
    /// Grades that the network would predict after each period, T x P.
    pub(crate) outputs: Array2<f64>,
    pub(crate) typical: Vec<String>,
}

/// One row of the drift table.
#[derive(Debug, Clone)]
pub(crate) struct Drift {
    pub(crate) id: u16,
    pub(crate) fate: String,
    pub(crate) old_customers: usize,
    pub(crate) new_customers: usize,
    pub(crate) stayed: usize,
    pub(crate) closest: Option<u16>,
    pub(crate) overlap: f64,
    pub(crate) went_to: Vec<(u32, f32)>,
    pub(crate) came_from: Vec<(u32, f32)>,
    pub(crate) matched: Option<u16>,
    pub(crate) stability_index: Option<f64>,
}

/// Reads the profiles, by rising id.
pub(crate) fn read(folder: &Path, traits: usize) -> Result<Part<Vec<Profile>>, Error> {
    let stored = match optional(folder, "profiles", Table::Profiles)? {
        Ok(stored) => stored,
        Err(missing) => return Ok(Err(missing)),
    };
    let column = column_error(folder, "profiles");
    let rows = &stored.rows;
    let width = stored.axes.labels(Axis::Trait).map_err(&column)?.len();
    if width != traits {
        let path = folder.join("profiles.parquet");
        return Err(Error::WrongWidth { path, column: "grade", expected: traits, found: width });
    }
    let grades = rows.vectors64("grade").map_err(&column)?;
    let ids = rows.index("segment").map_err(&column)?;
    let customers = rows.integer("customers").map_err(&column)?;
    let shares = rows.float("share").map_err(&column)?;
    let short = rows.optional_float("short_kept").map_err(&column)?;
    let always = rows.float("always_kept").map_err(&column)?;
    let bootstrap = rows.optional_float("bootstrap_overlap").map_err(&column)?;
    let mut profiles: Vec<Profile> = (0..ids.len())
        .map(|row| Profile {
            id: ids[row],
            customers: usize::try_from(customers[row]).unwrap_or(0),
            share: shares[row],
            grades: grades.row(row).to_vec(),
            short_kept: short[row],
            always_kept: always[row],
            bootstrap_overlap: bootstrap[row],
            spending: Vec::new(),
            outputs: Array2::zeros((0, traits)),
            typical: Vec::new(),
        })
        .collect();
    read_spending(folder, &mut profiles)?;
    read_trajectories(folder, &mut profiles, traits)?;
    read_typical(folder, &mut profiles)?;
    profiles.sort_by_key(|profile| profile.id);
    Ok(Ok(profiles))
}

fn with_id(profiles: &mut [Profile], id: u16) -> Option<&mut Profile> {
    profiles.iter_mut().find(|profile| profile.id == id)
}

fn read_spending(folder: &Path, profiles: &mut [Profile]) -> Result<(), Error> {
    let Ok(stored) = optional(folder, "profile_spending", Table::ProfileSpending)? else { return Ok(()) };
    let column = column_error(folder, "profile_spending");
    let rows = &stored.rows;
    let ids = rows.index("segment").map_err(&column)?;
    let classes = rows.text("class").map_err(&column)?;
    let shares = rows.float("share").map_err(&column)?;
    let population = rows.float("population").map_err(&column)?;
    let difference = rows.float("difference").map_err(&column)?;
    for (row, class) in classes.into_iter().enumerate() {
        if let Some(profile) = with_id(profiles, ids[row]) {
            profile.spending.push(Spending {
                class,
                share: shares[row],
                population: population[row],
                difference: difference[row],
            });
        }
    }
    Ok(())
}

fn read_trajectories(folder: &Path, profiles: &mut [Profile], traits: usize) -> Result<(), Error> {
    let name = "profile_trajectories";
    let Ok(stored) = optional(folder, name, Table::ProfileTrajectories)? else { return Ok(()) };
    let column = column_error(folder, name);
    let ids = stored.rows.index("segment").map_err(&column)?;
    let outputs = stored.rows.vectors64("output").map_err(&column)?;
    if outputs.ncols() != traits {
        let (path, found) = (folder.join(format!("{name}.parquet")), outputs.ncols());
        return Err(Error::WrongWidth { path, column: "output", expected: traits, found });
    }
    for profile in profiles {
        let own: Vec<usize> = (0..ids.len()).filter(|row| ids[*row] == profile.id).collect();
        profile.outputs = outputs.select(ndarray::Axis(0), &own);
    }
    Ok(())
}

fn read_typical(folder: &Path, profiles: &mut [Profile]) -> Result<(), Error> {
    let Ok(stored) = optional(folder, "profile_customers", Table::ProfileCustomers)? else { return Ok(()) };
    let column = column_error(folder, "profile_customers");
    let ids = stored.rows.index("segment").map_err(&column)?;
    for (id, customer) in ids.into_iter().zip(stored.rows.text("customer").map_err(&column)?) {
        if let Some(profile) = with_id(profiles, id) {
            profile.typical.push(customer);
        }
    }
    Ok(())
}

/// Reads the drift table; a run without an earlier one has a table without rows.
pub(crate) fn read_drift(folder: &Path) -> Result<Part<Vec<Drift>>, Error> {
    let stored = match optional(folder, "drift", Table::Drift)? {
        Ok(stored) => stored,
        Err(missing) => return Ok(Err(missing)),
    };
    let column = column_error(folder, "drift");
    let rows = &stored.rows;
    let count = |name: &str| -> Result<Vec<usize>, Error> {
        let counts = rows.integer(name).map_err(&column)?;
        Ok(counts.into_iter().map(|count| usize::try_from(count).unwrap_or(0)).collect())
    };
    let parts = |ids: &str, shares: &str| -> Result<Vec<Vec<(u32, f32)>>, Error> {
        let ids = rows.sizes(ids).map_err(&column)?;
        let shares = rows.values32(shares).map_err(&column)?;
        Ok(ids.into_iter().zip(shares).map(|(ids, shares)| ids.into_iter().zip(shares).collect()).collect())
    };
    let ids = rows.index("segment").map_err(&column)?;
    let fates = rows.text("fate").map_err(&column)?;
    let (old, new, stayed) = (count("old_customers")?, count("new_customers")?, count("stayed")?);
    let closest = rows.optional_index("closest").map_err(&column)?;
    let overlap = rows.float("overlap").map_err(&column)?;
    let went_to = parts("went_to", "went_to_part")?;
    let came_from = parts("came_from", "came_from_part")?;
    let matched = rows.optional_index("matched").map_err(&column)?;
    let index = rows.optional_float("stability_index").map_err(&column)?;
    Ok(Ok((0..ids.len())
        .map(|row| Drift {
            id: ids[row],
            fate: fates[row].clone(),
            old_customers: old[row],
            new_customers: new[row],
            stayed: stayed[row],
            closest: closest[row],
            overlap: overlap[row],
            went_to: went_to[row].clone(),
            came_from: came_from[row].clone(),
            matched: matched[row],
            stability_index: index[row],
        })
        .collect()))
}
