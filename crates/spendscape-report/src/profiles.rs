//! The segments' profiles and what became of an earlier run's segments, read from their tables.

use std::path::Path;

use ndarray::Array2;
use spendscape_schema::{
    Axis,
    tables::{
        Drift, DriftRow, ProfileCustomers, ProfileRow, ProfileSpending, ProfileSpendingRow,
        ProfileTrajectories, Profiles,
    },
};

use crate::{
    Error,
    run::{Part, optional},
};

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
    pub(crate) spending: Vec<ProfileSpendingRow>,
    /// Grades that the network would predict after each period, T x P.
    pub(crate) outputs: Array2<f64>,
    pub(crate) typical: Vec<String>,
}

/// Reads the profiles, by rising id.
pub(crate) fn read(folder: &Path, traits: usize) -> Result<Part<Vec<Profile>>, Error> {
    let (table, about) = match optional::<Profiles>(folder, "profiles")? {
        Ok(found) => found,
        Err(missing) => return Ok(Err(missing)),
    };
    let width = about.axes.width(Axis::Trait);
    if width != traits {
        let path = folder.join("profiles.parquet");
        return Err(Error::WrongWidth { path, column: "grade", expected: traits, found: width });
    }
    let profile = |row: ProfileRow| Profile {
        id: row.segment,
        customers: usize::try_from(row.customers).unwrap_or(0),
        share: row.share,
        grades: row.grade,
        short_kept: row.short_kept,
        always_kept: row.always_kept,
        bootstrap_overlap: row.bootstrap_overlap,
        spending: Vec::new(),
        outputs: Array2::zeros((0, traits)),
        typical: Vec::new(),
    };
    let mut profiles: Vec<Profile> = table.into_rows().map(profile).collect();
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
    let Ok((table, _)) = optional::<ProfileSpending>(folder, "profile_spending")? else { return Ok(()) };
    for row in table.into_rows() {
        if let Some(profile) = with_id(profiles, row.segment) {
            profile.spending.push(row);
        }
    }
    Ok(())
}

fn read_trajectories(folder: &Path, profiles: &mut [Profile], traits: usize) -> Result<(), Error> {
    let name = "profile_trajectories";
    let Ok((table, _)) = optional::<ProfileTrajectories>(folder, name)? else { return Ok(()) };
    let ProfileTrajectories { segment: ids, output: outputs, .. } = table;
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
    let Ok((table, _)) = optional::<ProfileCustomers>(folder, "profile_customers")? else { return Ok(()) };
    for row in table.into_rows() {
        if let Some(profile) = with_id(profiles, row.segment) {
            profile.typical.push(row.customer);
        }
    }
    Ok(())
}

/// Reads the drift table; a run without an earlier one has a table without rows.
pub(crate) fn read_drift(folder: &Path) -> Result<Part<Vec<DriftRow>>, Error> {
    Ok(optional::<Drift>(folder, "drift")?.map(|(table, _)| table.into_rows().collect()))
}
