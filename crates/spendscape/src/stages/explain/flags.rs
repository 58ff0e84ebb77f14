//! Classes whose use in a decision about a person needs a reason: listed by the user, or found to go with a listed one.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use spendscape_run::RunFolder;
use spendscape_schema::tables::{FlaggedClassRow, FlaggedClasses};
use spendscape_surrogate::explain::companions;

use super::{ExplainOptions, named::told_by_name};
use crate::text::read_text;

/// Correlation of mean shares with a protected class from which on another class is flagged: a tenth of its variance.
pub(crate) const CORRELATED: f64 = 0.3;

/// The stage whose record holds the list in force, and the name under which it does.
pub(super) const STAGE: &str = "explain";
pub(super) const PARAMETER: &str = "flagged";

/// The user's list: class and what it tells of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Listed {
    /// Classes that tell something protected: health, religion, political opinion.
    protected: BTreeMap<String, String>,
    /// Classes that stand for something protected.
    proxy: BTreeMap<String, String>,
}

/// What flags classes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassList {
    listed: Listed,
    /// Whether classes that tell something protected by their names are flagged too.
    by_name: bool,
}

/// Why a class is flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Protected,
    Proxy,
    Named,
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
            Self::Named => "named",
            Self::Correlated => "correlated",
        }
    }
}

impl ClassList {
    /// Reads the list that the options name, or takes over the one that is in force in the run folder.
    pub(crate) fn read(options: &ExplainOptions, run: &RunFolder) -> Result<Self> {
        let by_name = !options.no_protected_names;
        if let Some(path) = &options.protected {
            let listed = toml::from_str(&read_text(path)?).with_context(|| format!("{}", path.display()))?;
            return Ok(Self { listed, by_name });
        }
        // The record outlives what it is about: a list stays in force when the panel or the network is another one.
        let record = run.record(STAGE)?;
        let list = record.and_then(|record| record.provenance.parameters.get(PARAMETER).cloned());
        let before: Self = list.map(serde_json::from_value).transpose()?.unwrap_or_default();
        Ok(Self { by_name, ..before })
    }

    /// The flagged classes of a panel, in its order of classes; `shares` are the training customers' mean shares.
    pub(crate) fn find(&self, classes: &[String], shares: &Array2<f64>) -> Result<Vec<Flagged>> {
        let place = |name: &String| classes.iter().position(|class| class == name);
        let Listed { protected: listed, proxy } = &self.listed;
        if let Some(unknown) = listed.keys().chain(proxy.keys()).find(|name| place(name).is_none()) {
            bail!("the list of protected classes names {unknown:?}, which is no class of the panel");
        }
        // What the user says of a class stands before what its name seems to say.
        let of = |name: &String| {
            let in_list = |list: &BTreeMap<String, String>, role| Some((role, list.get(name)?.clone()));
            let by_name = || told_by_name(name).filter(|_| self.by_name);
            in_list(listed, Role::Protected)
                .or_else(|| in_list(proxy, Role::Proxy))
                .or_else(|| Some((Role::Named, format!("{}, by its name", by_name()?))))
        };
        let direct: Vec<Option<(Role, String)>> = classes.iter().map(of).collect();
        // Companions are sought of what the user knows to be protected, not of what a name only seems to tell.
        let is_protected = |class: &usize| matches!(direct[*class], Some((Role::Protected, _)));
        let protected: Vec<usize> = (0..classes.len()).filter(is_protected).collect();
        let companions = companions(shares, &protected, CORRELATED)?;
        let mut flagged = Vec::new();
        for (class, found) in direct.iter().enumerate() {
            if let Some((role, reason)) = found.clone() {
                flagged.push(Flagged { class, role, reason, correlation: None });
                continue;
            }
            if let Some((other, r)) = companions[class] {
                let reason = classes[other].clone();
                flagged.push(Flagged { class, role: Role::Correlated, reason, correlation: Some(r) });
            }
        }
        Ok(flagged)
    }
}

/// The flagged classes as a table.
pub(crate) fn table(flagged: &[Flagged], classes: &[String]) -> Result<FlaggedClasses> {
    let rows = flagged.iter().map(|flag| FlaggedClassRow {
        class: classes[flag.class].clone(),
        role: flag.role.name().to_owned(),
        reason: flag.reason.clone(),
        correlation: flag.correlation,
    });
    Ok(FlaggedClasses::from_rows(rows)?)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn lists_are_checked_and_companions_found() {
        let listed: Listed =
            toml::from_str("[protected]\npharmacy = \"health\"\n[proxy]\nlottery = \"x\"\n").unwrap();
        let list = ClassList { listed, by_name: false };
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
        assert!(toml::from_str::<Listed>("[secret]\n").is_err());
    }

    #[test]
    fn names_flag_classes_until_the_user_says_otherwise() {
        let classes = ["pharmacy", "groceries", "lottery", "rent"].map(str::to_owned);
        let shares = array![[0.1, 0.2, 0.3, 0.4], [0.3, 0.1, 0.2, 0.4], [0.2, 0.2, 0.2, 0.4]];
        let roles = |list: &ClassList| -> Vec<(usize, Role, String)> {
            let found = list.find(&classes, &shares).unwrap();
            found.into_iter().map(|flag| (flag.class, flag.role, flag.reason)).collect()
        };
        let by_name = roles(&ClassList { by_name: true, ..ClassList::default() });
        // Groceries and lottery fall as pharmacy rises, but of a name no companions are sought.
        assert_eq!(by_name, [(0, Role::Named, "health, by its name".to_owned())]);
        assert!(roles(&ClassList::default()).is_empty());
        let listed: Listed = toml::from_str("[proxy]\npharmacy = \"age\"\n").unwrap();
        assert_eq!(roles(&ClassList { listed, by_name: true }), [(0, Role::Proxy, "age".to_owned())]);
    }
}
