//! A run folder like a real one: fans of gently curved trajectories, one region per trait.

use std::{f64::consts::PI, fs, path::Path};

use ndarray::Array2;
use rand::Rng;
use spendscape_schema::{Axes, Axis, Scope, Tabular, scope::SCOPE, seed, tables};
use spendscape_store::{Provenance, write_table};

/// Customers whose fixed points are in the run.
pub(crate) const STUDIED: usize = 5;
/// The trait whose customers' ends have no shape.
pub(crate) const CLOUD: usize = 4;

/// What the run holds.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) customers: usize,
    pub(crate) traits: Vec<String>,
    pub(crate) units: usize,
    pub(crate) periods: usize,
    pub(crate) extended: usize,
    /// What the run is about, where that is known.
    pub(crate) scope: Option<Scope>,
}

impl Default for Fixture {
    fn default() -> Self {
        let traits = ["extraversion", "neuroticism", "openness", "conscientiousness", "agreeableness"];
        Self {
            customers: 600,
            traits: traits.map(str::to_owned).to_vec(),
            units: 3,
            periods: 6,
            extended: 300,
            scope: None,
        }
    }
}

/// The numbers behind the tables, for comparison with what is drawn.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) grades: Array2<f64>,
    /// The position of each customer's highest grade.
    pub(crate) dominant: Vec<usize>,
    /// The traits before and in the last period of the customer who changed.
    pub(crate) turned: [usize; 2],
    /// Length of the first trait's axis.
    pub(crate) axis_length: f64,
}

fn texts<S: ToString>(values: impl IntoIterator<Item = S>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn list<T>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    values.into_iter().collect()
}

/// A uniform number in (0, 1).
fn uniform(rng: &mut impl Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

fn normal(rng: &mut impl Rng) -> f64 {
    (-2.0 * uniform(rng).ln()).sqrt() * (2.0 * PI * uniform(rng)).cos()
}

impl Fixture {
    fn axes(&self) -> Axes {
        Axes::new()
            .with(Axis::Trait, self.traits.clone())
            .with_numbered(Axis::Unit, self.units)
            .with_numbered(Axis::Angle, self.units.saturating_sub(1))
    }

    fn write<T: Tabular>(&self, folder: &Path, name: &str, table: &T) {
        self.write_with(folder, name, &self.axes(), table);
    }

    fn write_with<T: Tabular>(&self, folder: &Path, name: &str, axes: &Axes, table: &T) {
        let batch = table.to_batch(axes).unwrap();
        let provenance = Provenance::new(if name == "targets" { "train" } else { name });
        let provenance = match (&self.scope, name) {
            (Some(scope), "targets") => {
                provenance.seed(7).parameter(SCOPE, serde_json::to_value(scope).unwrap())
            }
            (None, "targets") => provenance.seed(7),
            _ => provenance,
        };
        write_table(&folder.join(format!("{name}.parquet")), T::TABLE, &batch, provenance).unwrap();
    }

    /// Directions of the traits in state space, P x M.
    fn directions(&self) -> Array2<f64> {
        let mut directions = Array2::from_shape_fn((self.traits.len(), self.units), |(row, unit)| {
            ((2.4 * row as f64 + 1.0) * (unit as f64 + 0.7)).sin() + 0.3 * ((row + unit) as f64).cos()
        });
        for mut row in directions.rows_mut() {
            let length = row.dot(&row).sqrt().max(1e-9);
            row /= length;
        }
        directions
    }

    /// Writes every table that figures need.
    pub(crate) fn make(&self, folder: &Path) -> Truth {
        fs::create_dir_all(folder).unwrap();
        let (n, p, m) = (self.customers, self.traits.len(), self.units);
        let mut rng = seed::stream(7, "fixture", 0);
        let directions = self.directions();
        let customers: Vec<String> = (0..n).map(|at| format!("C{at:05}")).collect();
        let grades = Array2::from_shape_fn((n, p), |_| (normal(&mut rng) / 3.0).clamp(-1.0, 1.0));
        let dominant: Vec<usize> = grades
            .rows()
            .into_iter()
            .map(|row| (0..p).max_by(|a, b| row[*a].total_cmp(&row[*b]).then(b.cmp(a))).unwrap())
            .collect();
        let ends = (grades.dot(&directions) * 1.3).mapv(f64::tanh);
        let ids = || customers.clone();
        self.write(
            folder,
            "targets",
            &tables::Targets {
                customer: ids(),
                score: grades.to_owned(),
                grade: grades.to_owned(),
                train: list((0..n).map(|at| at % 5 != 0)),
            },
        );
        // The last customer changes: five periods towards the mirrored state, then a turn.
        let state = |at: usize, step: usize, steps: usize, short: bool, rng: &mut seed::Stream| -> Vec<f64> {
            let t = (step + 1) as f64 / steps as f64;
            let grown = 1.0 - (-2.2 * t).exp();
            let bend = if short { 0.05 } else { 0.12 } * (PI * t).sin();
            (0..m)
                .map(|unit| {
                    let end = ends[[at, unit]];
                    let old = if at + 1 == n && !short && step + 1 < steps { -0.8 * end } else { end };
                    old * grown + bend * ends[[at, (unit + 1) % m]] + 0.012 * normal(rng)
                })
                .collect()
        };
        for (name, short) in [("states", false), ("states_short", true)] {
            let rows = n * self.periods;
            let mut hidden = Array2::<f32>::zeros((rows, m));
            for row in 0..rows {
                let values = state(row / self.periods, row % self.periods, self.periods, short, &mut rng);
                hidden
                    .row_mut(row)
                    .assign(&values.iter().map(|v| *v as f32).collect::<ndarray::Array1<f32>>());
            }
            self.write(
                folder,
                name,
                &tables::States {
                    customer: texts((0..rows).map(|row| &customers[row / self.periods])),
                    period: list((0..rows).map(|row| (row % self.periods) as u16)),
                    hidden: hidden.to_owned(),
                    cell: hidden.to_owned(),
                },
            );
        }
        self.write_directions(folder, &customers, &ends, &grades, &mut rng);
        self.write_profiles(folder, &customers);
        self.write_attractors(folder, &customers, &ends, &dominant, &mut rng);
        self.write_map(folder, &directions);
        // The last customer turns from the trait opposite to the own one.
        let toward = dominant[n - 1];
        let turned = [(toward + 1) % p, toward];
        self.write(
            folder,
            "examples",
            &tables::Examples {
                role: texts(["steady", "steady", "changed"]),
                customer: texts([&customers[0], &customers[n / 2], &customers[n - 1]]),
                score: list([1.0, 0.9, 1.0]),
                before: texts(["", "", &self.traits[turned[0]]]),
                toward: texts(["", "", &self.traits[turned[1]]]),
            },
        );
        self.write(
            folder,
            "metrics",
            &tables::Metrics {
                name: texts(["test R2", "silhouette minus null", "share never moved"]),
                value: list([0.94512, -0.0123, 0.486]),
            },
        );
        let axis_length = 1.3 * directions.row(0).dot(&directions.row(0)).sqrt();
        Truth { grades, dominant, turned, axis_length }
    }

    fn write_directions(
        &self,
        folder: &Path,
        customers: &[String],
        ends: &Array2<f64>,
        grades: &Array2<f64>,
        rng: &mut seed::Stream,
    ) {
        let (n, m) = (customers.len(), self.units);
        let ids = || customers.to_vec();
        let angles = Array2::from_shape_fn((n, m.saturating_sub(1)), |(row, k)| {
            let w = ends.row(row);
            let base: f64 = w.iter().take(k + 1).map(|x| x * x).sum::<f64>().sqrt();
            if k == 0 { w[1].atan2(w[0]) } else { w[k + 1].atan2(base) }
        });
        let direction = Array2::from_shape_fn((n, m), |(row, unit)| {
            ends[[row, unit]] / ends.row(row).dot(&ends.row(row)).sqrt().max(1e-9)
        });
        let predicted = angles.mapv(|angle| 0.9 * angle + 0.08 * normal(rng));
        self.write(folder, "angles", &tables::Angles { customer: ids(), direction, angle: angles });
        self.write(
            folder,
            "surrogate_angles",
            &tables::SurrogateAngles { customer: ids(), angle: predicted },
        );
        let paths: Vec<String> = grades
            .rows()
            .into_iter()
            .map(|row| {
                let mut order: Vec<usize> = (0..row.len()).collect();
                order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
                order.iter().map(|at| self.traits[*at].as_str()).collect::<Vec<_>>().join(" / ")
            })
            .collect();
        let cluster: Vec<u16> = (0..n).map(|row| (row % 5) as u16).collect();
        self.write(
            folder,
            "segments",
            &tables::Segments {
                customer: ids(),
                path: texts(&paths),
                model_path: texts(&paths),
                segment: list(cluster.iter().copied()),
                short_segment: list(cluster.iter().map(|c| Some(*c))),
            },
        );
    }

    /// Two segments, one of which is average, and what became of the three of an earlier run.
    fn write_profiles(&self, folder: &Path, customers: &[String]) {
        let (p, m, periods) = (self.traits.len(), self.units, self.periods);
        let grades = Array2::from_shape_fn((2, p), |(row, at)| [0.4 - 0.2 * at as f64, 0.0][row]);
        let table = tables::Profiles {
            segment: list([0, 3]),
            customers: list([400, 200]),
            share: list([2.0 / 3.0, 1.0 / 3.0]),
            grade: grades.to_owned(),
            short_kept: list([Some(0.625), None]),
            always_kept: list([0.5, 0.25]),
            bootstrap_overlap: list([Some(0.9), Some(0.4)]),
        };
        self.write(folder, "profiles", &table);
        let table = tables::ProfileSpending {
            segment: list([0, 0, 3]),
            class: texts(["books & <travel>", "insurance", "groceries"]),
            share: list([0.06, 0.01, 0.10]),
            population: list([0.03, 0.02, 0.11]),
            difference: list([0.8, -0.5, -0.1]),
        };
        self.write(folder, "profile_spending", &table);
        let steps = 2 * periods;
        let step = |row: usize| (row % periods + 1) as f64 / periods as f64;
        let hidden = Array2::from_shape_fn((steps, m), |(row, unit)| step(row) * (0.5 - 0.1 * unit as f64));
        let output = Array2::from_shape_fn((steps, p), |(row, at)| step(row) * grades[[row / periods, at]]);
        let table = tables::ProfileTrajectories {
            segment: list((0..steps).map(|row| [0, 3][row / periods])),
            period: list((0..steps).map(|row| (row % periods) as u16)),
            hidden: hidden.to_owned(),
            output: output.to_owned(),
        };
        self.write(folder, "profile_trajectories", &table);
        let table = tables::ProfileCustomers {
            segment: list([0, 3]),
            customer: texts([&customers[0], &customers[customers.len() - 1]]),
            distance: list([0.01, 0.02]),
        };
        self.write(folder, "profile_customers", &table);
        let table = tables::Drift {
            segment: list([0, 3, 1]),
            fate: texts(["kept", "appeared", "disappeared"]),
            old_customers: list([390, 0, 210]),
            new_customers: list([400, 200, 0]),
            stayed: list([370, 0, 0]),
            closest: list([Some(0), Some(1), Some(3)]),
            overlap: list([0.88, 0.49, 0.49]),
            went_to: [vec![0], vec![], vec![3, 0]].to_vec(),
            went_to_part: [vec![0.95], vec![], vec![0.625, 0.375]].to_vec(),
            came_from: [vec![0, 1], vec![1], vec![]].to_vec(),
            came_from_part: [vec![0.95, 0.375], vec![0.625], vec![]].to_vec(),
            matched: list([Some(0), Some(1), Some(3)]),
            stability_index: list([Some(0.001), Some(0.5), None]),
        };
        self.write(folder, "drift", &table);
    }

    fn write_attractors(
        &self,
        folder: &Path,
        customers: &[String],
        ends: &Array2<f64>,
        dominant: &[usize],
        rng: &mut seed::Stream,
    ) {
        const STEPS: usize = 100;
        let (n, p, m) = (customers.len(), self.traits.len(), self.units);
        let sample = self.extended.min(n);
        let rows = sample * STEPS;
        let hidden = Array2::from_shape_fn((rows, m), |(row, unit)| {
            let (at, t) = (row / STEPS, (row % STEPS + 1) as f64);
            let bend = 0.25 * (-t / 9.0).exp() * (t / 7.0).sin() * ends[[at, (unit + 1) % m]];
            ((1.15 * ends[[at, unit]] * (1.0 - (-t / 14.0).exp())) + bend) as f32
        });
        self.write(
            folder,
            "extended",
            &tables::Extended {
                customer: texts((0..rows).map(|row| &customers[row / STEPS])),
                step: list((0..rows).map(|row| (row % STEPS + 1) as u16)),
                hidden: hidden.to_owned(),
            },
        );
        let location = ends.mapv(|end| 1.1 * end + 0.05 * normal(rng));
        let location = || location.clone();
        let output = Array2::zeros((n, p));
        let table = tables::Predictions {
            customer: texts(customers),
            output,
            location_raw: location(),
            location_paper: location(),
            location_printed: location(),
        };
        self.write(folder, "predictions", &table);

        // Per trait a curve and two centers; even traits draw the curve, odd ones the centers, and as printed it is the other
        // way round; the ends of one are a cloud.
        let (mut names, mut shapes, mut index, mut states, mut drawn, mut printed) =
            (vec![], vec![], vec![], vec![], vec![], vec![]);
        for trait_index in 0..p {
            let members: Vec<usize> = (0..n).filter(|at| dominant[*at] == trait_index).collect();
            let middle: Vec<f64> = (0..m)
                .map(|unit| {
                    members.iter().map(|at| ends[[*at, unit]]).sum::<f64>() / members.len().max(1) as f64
                })
                .collect();
            for k in 0..22_usize {
                let line = k < 20;
                let t = if line { k as f64 / 10.0 - 1.0 } else { 1.4 * (k as f64 - 20.5) };
                names.push(self.traits[trait_index].clone());
                shapes.push(if line { "line" } else { "point" });
                index.push(if line { k } else { k - 20 } as u16);
                drawn.push(trait_index != CLOUD && line == (trait_index % 2 == 0));
                printed.push(line == (trait_index % 2 == 1));
                let bend = 0.25 * t * t - 0.1;
                states.extend((0..m).map(|unit| {
                    1.2 * middle[unit] + 0.4 * t * middle[(unit + 1) % m] + bend * middle[(unit + 2) % m]
                }));
            }
        }
        let rows = names.len();
        let states = Array2::from_shape_vec((rows, m), states).unwrap();
        let table = |drawn: Vec<bool>| tables::Attractors {
            r#trait: names.clone(),
            shape: texts(&shapes),
            index: index.clone(),
            state: states.clone(),
            output: Array2::zeros((rows, p)),
            variance_explained: vec![0.72; rows],
            refused: vec![String::new(); rows],
            compactness: vec![0.2; rows],
            drawn,
            members: vec![10; rows],
            label: vec![String::new(); rows],
            label_output: vec![None; rows],
            label_half_width: vec![None; rows],
            label_clear: vec![false; rows],
            label_distance: vec![None; rows],
            verdict: texts(vec!["input-driven locus: the customers' maps have different points"; rows]),
        };
        self.write(folder, "attractors", &table(drawn));
        self.write(folder, "attractors_printed", &table(printed));
        self.write_points(folder, customers, ends);
    }

    /// Every customer's end state; of the first [`STUDIED`] two stable points and a saddle each.
    fn write_points(&self, folder: &Path, customers: &[String], ends: &Array2<f64>) {
        let (n, m) = (customers.len(), self.units);
        let hidden = || ends.clone();
        let table = tables::EndStates {
            customer: texts(customers),
            hidden_100: hidden(),
            hidden: hidden(),
            spectral_low: list((0..n).map(|at| 0.90 + 0.1 * at as f64 / n as f64)),
            spectral_high: list((0..n).map(|at| 0.91 + 0.1 * at as f64 / n as f64)),
            time_constant: list(vec![30.0; n]),
            slowest: Array2::from_elem((n, m), 30.0),
            converged: list(vec![true; n]),
            certified: list(vec![true; n]),
            points: list(vec![3; n]),
            complete: list(vec![true; n]),
        };
        self.write(folder, "end_states", &table);
        let rows = 3 * STUDIED.min(n);
        let scale = |row: usize| [1.0, 0.3, -0.4][row % 3];
        let states = Array2::from_shape_fn((rows, 2 * m), |(row, k)| scale(row) * ends[[row / 3, k % m]]);
        let saddle = |row: usize| row % 3 == 1;
        let share = |row: usize| (!saddle(row)).then_some([0.75, 0.0, 0.25][row % 3]);
        let table = tables::MapPoints {
            input: texts((0..rows).map(|row| &customers[row / 3])),
            index: list((0..rows).map(|row| row as u16 % 3)),
            state: states.to_owned(),
            residual: list(vec![1e-16; rows]),
            radius: list(vec![1e-13; rows]),
            alone: list(vec![0.01; rows]),
            spectral_low: list(vec![0.9; rows]),
            spectral_high: list(vec![0.9; rows]),
            verdict: texts((0..rows).map(|row| if saddle(row) { "saddle" } else { "stable" })),
            unstable: list((0..rows).map(|row| u16::from(saddle(row)))),
            time_constant: list(vec![30.0; rows]),
            time_constants: vec![vec![30.0, 2.0]; rows].to_vec(),
            growth: list(vec![1.5; rows]),
            growth_step: list(vec![2; rows]),
            return_time: list(vec![Some(20); rows]),
            basin: list((0..rows).map(share)),
            basin_low: list((0..rows).map(share)),
            basin_high: list((0..rows).map(share)),
        };
        let names = (1..=2 * m).map(|k| format!("state {k}"));
        let axes = Axes::new().with(Axis::Unit, names);
        self.write_with(folder, "map_points", &axes, &table);
    }

    fn write_map(&self, folder: &Path, directions: &Array2<f64>) {
        let (p, m) = (self.traits.len(), self.units);
        let side: usize = if m <= 3 { 21 } else { 4 };
        let rows = side.pow(m as u32);
        let states = Array2::from_shape_fn((rows, m), |(row, unit)| {
            let step = row / side.pow(unit as u32) % side;
            2.0 * step as f64 / (side - 1) as f64 - 1.0
        });
        let outputs = states.dot(&directions.t()) * 0.6 + 0.05;
        let table = tables::Reach { state: states.to_owned(), output: outputs.to_owned() };
        self.write(folder, "reach", &table);
        let origin = Array2::from_elem((p, m), 0.08);
        let table = tables::TraitAxes {
            r#trait: texts(&self.traits),
            magnitude: list((0..p).map(|at| 0.8 + 0.1 * at as f64)),
            axis: (directions * 1.3).to_owned(),
            origin: origin.to_owned(),
            readout: directions.to_owned(),
        };
        self.write(folder, "trait_axes", &table);
        if m > 3 {
            let projection = tables::Projection {
                component: list(1..4),
                axis: Array2::from_shape_fn((3, m), |(k, unit)| f64::from(u8::from(k + 1 == unit))),
                variance: list([0.6, 0.2, 0.1]),
            };
            self.write(folder, "projection", &projection);
        }
    }
}
