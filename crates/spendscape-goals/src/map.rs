//! Which goal a class of transactions serves.

use spendscape_stats::BadInput;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Error;

/// Goals and the classes that serve them.
///
/// As a file (TOML); goals stand in the order of the file, and the one for unmapped classes comes last unless it is named:
/// ```
/// # let text = r#"
/// name = "a small bank"
/// unmapped = "other"      # goal of the classes that no goal names; without it such a class is refused
///
/// [goals]
/// home = ["rent", "mortgage"]
/// food = ["groceries", "restaurants"]
/// # "#;
/// # let map = spendscape_goals::GoalMap::from_toml(text)?;
/// # let classes = ["groceries", "rent", "toys"].map(str::to_owned);
/// # let resolved = map.resolve(&classes)?;
/// # assert_eq!(resolved.goals, ["home", "food", "other"]);
/// # assert_eq!(resolved.of_class, [1, 0, 2]);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoalMap {
    name: String,
    goals: Vec<(String, Vec<String>)>,
    unmapped: Option<String>,
}

/// A goal map for the classes of one ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedMap {
    /// Names of the goals (G).
    pub goals: Vec<String>,
    /// Goal of each class (C).
    pub of_class: Vec<usize>,
    /// Classes that the map names and the ledger does not have.
    pub unused: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    unmapped: Option<String>,
    goals: toml::Table,
}

impl GoalMap {
    /// The map in which every class is a goal of its own.
    #[must_use]
    pub fn identity(classes: &[String]) -> Self {
        let goals = classes.iter().map(|class| (class.clone(), vec![class.clone()])).collect();
        Self { name: "every class".to_owned(), goals, unmapped: None }
    }

    /// Reads a map from TOML.
    ///
    /// # Errors
    /// [`Error::Toml`] where the text does not parse, [`Error::TwoGoals`].
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let file: File = toml::from_str(text)?;
        let goals = file
            .goals
            .into_iter()
            .map(|(goal, classes)| Ok((goal, Vec::<String>::deserialize(classes)?)))
            .collect::<Result<Vec<_>, toml::de::Error>>()?;
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (goal, classes) in &goals {
            for class in classes {
                if let Some(first) = seen.insert(class, goal) {
                    let [class, first, second] = [class, first, goal].map(str::to_owned);
                    return Err(Error::TwoGoals { class, first, second });
                }
            }
        }
        Ok(Self { name: file.name, goals, unmapped: file.unmapped })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The goal of the classes that no goal names.
    #[must_use]
    pub fn unmapped(&self) -> Option<&str> {
        self.unmapped.as_deref()
    }

    /// Finds the goal of each class; goals that none of the classes serves are left out.
    ///
    /// # Errors
    /// [`Error::NoGoal`] for a class without goal, [`BadInput::TooFew`] if fewer than two goals are left.
    pub fn resolve(&self, classes: &[String]) -> Result<ResolvedMap, Error> {
        let mut goals: Vec<&str> = self.goals.iter().map(|(goal, _)| goal.as_str()).collect();
        if let Some(other) = self.unmapped.as_deref()
            && !goals.contains(&other)
        {
            goals.push(other);
        }
        let named: BTreeMap<&str, &str> = self
            .goals
            .iter()
            .flat_map(|(goal, classes)| classes.iter().map(move |c| (c.as_str(), goal.as_str())))
            .collect();
        let goal_of = |class: &String| {
            let goal = named.get(class.as_str()).copied().or(self.unmapped.as_deref());
            goal.ok_or_else(|| Error::NoGoal { class: class.clone() })
        };
        let of_class: Vec<&str> = classes.iter().map(goal_of).collect::<Result<_, _>>()?;
        goals.retain(|goal| of_class.contains(goal));
        if goals.len() < 2 {
            return Err(Error::Input(BadInput::TooFew {
                what: "a goal map",
                needed: 2,
                of: "goals",
                found: goals.len(),
            }));
        }
        let unused = named.keys().filter(|class| !classes.iter().any(|c| c == *class));
        Ok(ResolvedMap {
            of_class: of_class
                .iter()
                .filter_map(|goal| goals.iter().position(|other| other == goal))
                .collect(),
            goals: goals.iter().map(|goal| (*goal).to_owned()).collect(),
            unused: unused.map(|class| (*class).to_owned()).collect(),
        })
    }
}
