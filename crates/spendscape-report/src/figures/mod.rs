//! The papers' figures 1 to 6, figure 2 once more with the network's own angles, figure 4 once more in the shapes printed, the
//! certified dynamics, and the figures of an outcome and of goals.

mod angles;
mod attractors;
mod axes;
mod dynamics;
mod extended;
mod goals;
mod outcomes;
mod reach;
mod trajectories;

use std::path::{Path, PathBuf};

pub use goals::goal_figure;
pub use outcomes::outcome_figure;

use ndarray::{ArrayView2, s};
use spendscape_store::write_file;

use crate::{
    Error,
    coordinates::Coordinates,
    draw::{
        furniture::{self, Entry, Key},
        palette::{Color, Look, look},
        raster,
        scene::{Point, Scene, Shape, Stroke},
        space::{Place, Space},
        svg, text,
    },
    run::{Run, Trajectories},
    sample,
};

/// How much is drawn.
///
/// | knob | default | purpose |
/// |---|---|---|
/// | `customers` | 400 | trajectories at most per figure: more are a thicket, and larger files |
/// | `dots` | 5,000 | dots at most per panel |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FigureOptions {
    customers: usize,
    dots: usize,
}

impl Default for FigureOptions {
    fn default() -> Self {
        Self { customers: 400, dots: 5_000 }
    }
}

impl FigureOptions {
    /// Draws at most this many customers' trajectories per figure.
    #[must_use]
    pub fn customers(mut self, customers: usize) -> Self {
        self.customers = customers;
        self
    }

    /// Draws at most this many dots per panel.
    #[must_use]
    pub fn dots(mut self, dots: usize) -> Self {
        self.dots = dots;
        self
    }
}

/// What became of one figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureInfo {
    /// Its name, and that of its files without the ending: `figure1`, ..., `figure2-network`, ...
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Whether it was drawn.
    pub outcome: Outcome,
}

/// Whether a figure was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was.
    Drawn {
        /// The SVG file.
        svg: PathBuf,
        /// The PNG file.
        png: PathBuf,
        /// What the figure shows, as it says itself.
        caption: String,
        /// Panels that are left out, each with the reason.
        omitted: Vec<String>,
    },
    /// It was not: a table that it needs is not in the run folder, or holds nothing to draw.
    Skipped {
        /// Why, with the name of the file.
        reason: String,
    },
}

/// A figure that can be written.
#[derive(Debug)]
pub(crate) struct Drawing {
    pub(crate) scene: Scene,
    pub(crate) omitted: Vec<String>,
}

/// A figure, or why there is none.
pub(crate) type Drawn = Result<Drawing, String>;

/// Everything a figure is drawn from.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) run: &'a Run,
    pub(crate) coordinates: &'a Coordinates,
    pub(crate) options: &'a FigureOptions,
}

/// A figure's name, title and drawing.
pub(crate) struct Plan {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    draw: fn(&Context<'_>, &str) -> Drawn,
}

/// The figures in the papers' order, then what the papers do not show.
pub(crate) const PLANS: [Plan; 9] = [
    Plan {
        id: "figure1",
        title: "Figure 1: Trajectories of customers in the state space",
        draw: trajectories::draw,
    },
    Plan {
        id: "figure2",
        title: "Figure 2: Direction angles of the linear surrogate, by order of dominance",
        draw: angles::draw_surrogate,
    },
    Plan {
        id: "figure2-network",
        title: "Figure 2, network: Direction angles of the trajectories, by order of dominance",
        draw: angles::draw_network,
    },
    Plan {
        id: "figure3",
        title: "Figure 3: Extended trajectories and predicted final locations",
        draw: extended::draw,
    },
    Plan {
        id: "figure4",
        title: "Figure 4: Attractors of the extended trajectories",
        draw: attractors::draw_best,
    },
    Plan {
        id: "figure4-printed",
        title: "Figure 4, as printed: Three lines and four points through the end states",
        draw: attractors::draw_printed,
    },
    Plan {
        id: "figure5",
        title: "Figure 5: Reachable output space in two dimensions each",
        draw: reach::draw,
    },
    Plan { id: "figure6", title: "Figure 6: Trait axes in the state space", draw: axes::draw },
    Plan {
        id: "dynamics",
        title: "Figure 7, not in the papers: Certified fixed points, their spectrum and the convergence to them",
        draw: dynamics::draw,
    },
];

impl Plan {
    /// Draws the figure.
    pub(crate) fn draw(&self, context: &Context<'_>) -> Drawn {
        (self.draw)(context, self.title)
    }
}

/// Draws the papers' figures from the tables of the run folder `run` into the folder `out`, each as SVG and PNG.
///
/// Figures 1 to 6 as in P3 (figures 1 and 2 also in P2), `figure2-network`: figure 2 with the angles of the network's own
/// trajectories, `figure4-printed`: figure 4 with the lines and points that P3 prints whatever describes these customers best,
/// and `dynamics`: certified fixed points, spectrum and convergence. A figure whose tables are not in the run folder is
/// skipped, and an older file of its name is removed from `out`, so that the folder never shows two runs. The same tables
/// give the same bytes.
///
/// The crate's [first page](crate) has an example.
///
/// # Errors
/// [`Error::NoRun`] if there is no run folder; [`Error::MissingTable`] and [`Error::EmptyTable`] for `targets.parquet` and
/// `states.parquet`; [`Error::Store`] for a table that cannot be read or a file that cannot be written; otherwise the
/// error names the table that does not fit the others. Nothing is half-written.
pub fn figures(run: &Path, out: &Path, options: &FigureOptions) -> Result<Vec<FigureInfo>, Error> {
    let folder = run;
    let run = Run::open(folder)?;
    let coordinates = Coordinates::of(&run);
    let context = Context { run: &run, coordinates: &coordinates, options };
    PLANS.iter().map(|plan| write(plan.id, plan.title, plan.draw(&context), out)).collect()
}

fn write(id: &'static str, title: &'static str, drawn: Drawn, out: &Path) -> Result<FigureInfo, Error> {
    let [svg_path, png_path] = ["svg", "png"].map(|ending| out.join(format!("{id}.{ending}")));
    let outcome = match drawn {
        Ok(Drawing { scene, omitted }) => {
            let png =
                raster::encode(&scene).map_err(|source| Error::Png { path: png_path.clone(), source })?;
            write_file(&svg_path, svg::document(&scene).as_bytes())?;
            write_file(&png_path, &png)?;
            Outcome::Drawn { svg: svg_path, png: png_path, caption: scene.description, omitted }
        }
        Err(reason) => {
            remove(&svg_path)?;
            remove(&png_path)?;
            Outcome::Skipped { reason }
        }
    };
    Ok(FigureInfo { id, title, outcome })
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(spendscape_store::Error::Io { action: "remove", path: path.to_owned(), source }.into())
        }
        _ => Ok(()),
    }
}

/// A trait's name; that of the papers' letters with what they stand for.
fn spelled(name: &str) -> String {
    let meaning = match name {
        "E" => "extraversion",
        "N" => "neuroticism",
        "O" => "openness",
        "C" => "conscientiousness",
        "A" => "agreeableness",
        other => return other.to_owned(),
    };
    format!("{name} {meaning}")
}

/// A trajectory placed in the space that is drawn.
#[derive(Debug, Clone)]
struct Track {
    trait_index: usize,
    places: Vec<Place>,
}

impl Context<'_> {
    /// The trajectories of at most `limit` of the customers that `wanted` accepts.
    fn tracks(
        &self,
        trajectories: &Trajectories,
        limit: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<(usize, Track)> {
        let spans: Vec<usize> =
            (0..trajectories.spans.len()).filter(|span| wanted(trajectories.spans[*span].0)).collect();
        let label = |span: usize| self.run.customers[trajectories.spans[span].0].clone().into_bytes();
        sample::by_label(&spans, limit, label)
            .into_iter()
            .map(|span| {
                let (customer, rows) = trajectories.spans[span].clone();
                let places = self.coordinates.trajectory(rows_of(trajectories, rows));
                (customer, Track { trait_index: self.run.dominant[customer], places })
            })
            .collect()
    }

    fn trait_name(&self, trait_index: usize) -> &str {
        &self.run.traits[trait_index]
    }

    /// Customers of each dominant trait.
    fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.run.traits.len()];
        for trait_index in &self.run.dominant {
            sizes[*trait_index] += 1;
        }
        sizes
    }

    /// A legend entry per trait, with the number of customers whom it dominates.
    fn trait_entries(&self, key: impl Fn(Look) -> Key) -> Vec<Entry> {
        let sizes = self.sizes();
        let entry = |(trait_index, name): (usize, &String)| {
            Entry::new(
                key(look(trait_index)),
                format!("{} ({})", spelled(name), text::count(sizes[trait_index])),
            )
        };
        self.run.traits.iter().enumerate().map(entry).collect()
    }

    /// A caption with the note on the coordinates, if there is one.
    fn caption(&self, caption: &str) -> String {
        match &self.coordinates.note {
            Some(note) => format!("{caption} {note}"),
            None => caption.to_owned(),
        }
    }

    fn finish(&self, mut scene: Scene, y: f64, files: &[&str], omitted: Vec<String>) -> Drawing {
        furniture::footer(&mut scene, y, &self.run.trace(files));
        Drawing { scene, omitted }
    }
}

fn rows_of(trajectories: &Trajectories, rows: std::ops::Range<usize>) -> ArrayView2<'_, f64> {
    trajectories.states.slice(s![rows, ..])
}

/// Draws trajectories back to front in their traits' colors, with `white` parts of white in 1, each with a dot at its end.
fn draw_tracks(
    scene: &mut Scene,
    space: &Space,
    run: &Run,
    class: &'static str,
    tracks: &[Track],
    style: TrackStyle,
) {
    let mut order: Vec<(f64, usize)> =
        tracks.iter().enumerate().map(|(at, track)| (space.nearness(&track.places), at)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (_, at) in order {
        let track = &tracks[at];
        let look = look(track.trait_index);
        let name = &run.traits[track.trait_index];
        let color = look.color.tint(style.white);
        let stroke = Stroke::new(color, style.width).dashed(look.dash);
        scene.push_trait(class, name, Shape::Line { points: space.path(&track.places), stroke });
        if style.end > 0.0
            && let Some(end) = track.places.last()
        {
            let points = vec![space.project(end)];
            scene.push_trait(class, name, Shape::Dots { points, radius: style.end, color, mark: look.mark });
        }
    }
}

/// How trajectories are drawn.
#[derive(Debug, Clone, Copy)]
struct TrackStyle {
    width: f64,
    /// Radius of the dot at the end.
    end: f64,
    /// Parts of white in 1.
    white: f64,
}

/// Draws dots of several groups in rounds, so that no group covers another one merely by coming last.
fn draw_dots(
    scene: &mut Scene,
    class: &'static str,
    names: &[String],
    dots: &[(usize, Point)],
    radius: f64,
    white: f64,
) {
    /// More rounds are fairer and make more groups in the SVG.
    const ROUNDS: usize = 6;
    for round in dots.chunks(dots.len().div_ceil(ROUNDS).max(1)) {
        for (group, name) in names.iter().enumerate() {
            let points: Vec<Point> = round.iter().filter(|(g, _)| *g == group).map(|(_, p)| *p).collect();
            if !points.is_empty() {
                let look = look(group);
                let color: Color = look.color.tint(white);
                scene.push_trait(class, name, Shape::Dots { points, radius, color, mark: look.mark });
            }
        }
    }
}
