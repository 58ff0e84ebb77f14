//! Classes whose use in a decision about a person needs a reason: listed by the user, or found to go with a listed one.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use spendscape_schema::{Axes, arrays};
use spendscape_surrogate::correlation;

use crate::run_folder::{File, RunFolder, Stage};

/// Correlation of mean shares with a protected class from which on another class is flagged: a tenth of its variance.
pub(crate) const CORRELATED: f64 = 0.3;

/// The user's list: class and what it tells of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClassList {
    /// Classes that tell something protected: health, religion, political opinion.
    protected: BTreeMap<String, String>,
    /// Classes that stand for something protected.
    proxy: BTreeMap<String, String>,
}

/// Why a class is flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Protected,
    Proxy,
    Correlated,
}

/// One flagged class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flagged {
    /// Its place among the panel's classes.
    pub(crate) class: usize,
    pub(crate) role: Role,
    /// What it tells of a person, or the class that it goes with.
    pub(crate) reason: String,
    /// How closely it goes with that class, where found.
    pub(crate) correlation: Option<f64>,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Proxy => "proxy",
            Self::Correlated => "correlated",
        }
    }
}

impl ClassList {
    /// Reads a list, or takes over the one that is in force in the run folder.
    pub(crate) fn read(file: Option<&Path>, run: &RunFolder) -> Result<Self> {
        if let Some(path) = file {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            return toml::from_str(&text).with_context(|| format!("{}", path.display()));
        }
        let mut list = Self::default();
        if run.has(File::FlaggedClasses) {
            let rows = run.read(File::FlaggedClasses)?.rows;
            let (classes, roles, reasons) = (rows.text("class")?, rows.text("role")?, rows.text("reason")?);
            for ((class, role), reason) in classes.into_iter().zip(roles).zip(reasons) {
                if role == Role::Protected.name() {
                    list.protected.insert(class, reason);
                } else if role == Role::Proxy.name() {
                    list.proxy.insert(class, reason);
                }
            }
        }
        Ok(list)
    }

    /// The flagged classes of a panel, in its order of classes; `shares` are the training customers' mean shares.
    pub(crate) fn find(&self, classes: &[String], shares: &Array2<f64>) -> Result<Vec<Flagged>> {
        let place = |name: &String| classes.iter().position(|class| class == name);
        if let Some(unknown) =
            self.protected.keys().chain(self.proxy.keys()).find(|name| place(name).is_none())
        {
            bail!("the list of protected classes names {unknown:?}, which is no class of the panel");
        }
        let protected: Vec<usize> = self.protected.keys().filter_map(place).collect();
        let mut flagged = Vec::new();
        for (class, name) in classes.iter().enumerate() {
            let listed = |list: &BTreeMap<String, String>, role| {
                list.get(name).map(|reason| Flagged {
                    class,
                    role,
                    reason: reason.clone(),
                    correlation: None,
                })
            };
            let found = listed(&self.protected, Role::Protected).or_else(|| listed(&self.proxy, Role::Proxy));
            if let Some(found) = found {
                flagged.push(found);
                continue;
            }
            let mut closest: Option<(usize, f64)> = None;
            for &other in &protected {
                let r = correlation(&shares.column(class).to_owned(), &shares.column(other).to_owned())?;
                if r.abs() >= CORRELATED && closest.is_none_or(|(_, best)| r.abs() > best.abs()) {
                    closest = Some((other, r));
                }
            }
            if let Some((other, r)) = closest {
                let reason = classes[other].clone();
                flagged.push(Flagged { class, role: Role::Correlated, reason, correlation: Some(r) });
            }
        }
        Ok(flagged)
    }
}

/// Writes the flagged classes.
pub(crate) fn write(stage: &mut Stage<'_>, flagged: &[Flagged], classes: &[String]) -> Result<()> {
    let columns = vec![
        arrays::text(flagged.iter().map(|flag| &classes[flag.class])),
        arrays::category(flagged.iter().map(|flag| flag.role.name())),
        arrays::text(flagged.iter().map(|flag| &flag.reason)),
        arrays::optional_float(flagged.iter().map(|flag| flag.correlation)),
    ];
    stage.write(File::FlaggedClasses, &Axes::new(), columns)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn lists_are_checked_and_companions_found() {
        let list: ClassList =
            toml::from_str("[protected]\npharmacy = \"health\"\n[proxy]\nlottery = \"x\"\n").unwrap();
        let classes = ["pharmacy", "doctor", "lottery", "rent"].map(str::to_owned);
        let shares =
            array![[0.1, 0.2, 0.3, 0.4], [0.2, 0.4, 0.3, 0.1], [0.3, 0.5, 0.1, 0.1], [0.1, 0.1, 0.2, 0.6]];
        let found = list.find(&classes, &shares).unwrap();
        let roles: Vec<(usize, Role)> = found.iter().map(|flag| (flag.class, flag.role)).collect();
        let expected = [(0, Role::Protected), (1, Role::Correlated), (2, Role::Proxy), (3, Role::Correlated)];
        assert_eq!(roles, expected);
        assert_eq!(found[1].reason, "pharmacy");
        // By hand: .05 / sqrt(.0275 x .1) and -.06 / sqrt(.0275 x .18).
        let expected = [0.05 / 0.002_75_f64.sqrt(), -0.06 / 0.004_95_f64.sqrt()];
        for (flag, expected) in [&found[1], &found[3]].into_iter().zip(expected) {
            assert!((flag.correlation.unwrap() - expected).abs() < 1e-12);
        }
        let error = list.find(&classes[1..], &shares).unwrap_err();
        assert!(error.to_string().contains("pharmacy"), "{error}");
        assert!(toml::from_str::<ClassList>("[secret]\n").is_err());
    }
}
