//! What the figures show, against the tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use resvg::tiny_skia::{Pixmap, PremultipliedColorU8};
use spendscape_report::{FigureOptions, Outcome, figures};

use crate::{
    fixture::{Fixture, STUDIED, Truth},
    svg::Figure,
};

const IDS: [&str; 9] = [
    "figure1",
    "figure2",
    "figure2-network",
    "figure3",
    "figure4",
    "figure4-printed",
    "figure5",
    "figure6",
    "dynamics",
];
/// Okabe and Ito's colors of the first five traits.
const COLORS: [&str; 5] = ["#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00"];

struct Made {
    run: PathBuf,
    fixture: Fixture,
    truth: Truth,
}

impl Made {
    fn figures(&self) -> PathBuf {
        self.run.join("figures")
    }

    fn figure(&self, id: &str) -> Figure {
        Figure::read(&self.figures(), id)
    }

    /// Customers among the first `limit` per dominant trait.
    fn sizes(&self, limit: usize) -> BTreeMap<String, usize> {
        tally(self.truth.dominant.iter().take(limit).map(|at| self.fixture.traits[*at].clone()))
    }

    fn color(&self, label: &str) -> &'static str {
        COLORS[self.fixture.traits.iter().position(|name| name == label).unwrap()]
    }

    /// The trait at each rank of each customer.
    fn orders(&self) -> Vec<Vec<usize>> {
        let order = |row: ndarray::ArrayView1<'_, f64>| {
            let mut order: Vec<usize> = (0..row.len()).collect();
            order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
            order
        };
        self.truth.grades.rows().into_iter().map(order).collect()
    }
}

fn tally<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

/// The figures of the default fixture with every customer drawn, made once. They stay after the test, so that somebody
/// can look at them.
fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let run = Path::new(env!("CARGO_TARGET_TMPDIR")).join("everyone");
        let fixture = Fixture::default();
        let truth = fixture.make(&run);
        let options = FigureOptions::default().customers(10_000);
        let infos = figures(&run, &run.join("figures"), &options).unwrap();
        assert_eq!(infos.iter().map(|info| info.id).collect::<Vec<_>>(), IDS);
        for info in infos {
            let Outcome::Drawn { svg, png, omitted, .. } = info.outcome else { panic!("{info:?}") };
            assert!(svg.is_file() && png.is_file() && omitted.is_empty(), "{}", info.id);
        }
        Made { run, fixture, truth }
    })
}

#[test]
fn figure_1_has_one_line_per_customer_in_the_color_of_the_dominant_trait() {
    let made = made();
    let figure = made.figure("figure1");
    let sizes = made.sizes(usize::MAX);
    assert_eq!(figure.count("trajectory", "polyline"), sizes);
    assert_eq!(figure.dots("trajectory"), sizes);
    for line in figure.of("trajectory", "polyline") {
        assert_eq!(line.get("stroke"), made.color(&line.label));
    }
    // Every trajectory starts at the origin.
    let starts: BTreeSet<String> = figure
        .of("trajectory", "polyline")
        .map(|line| line.get("points").split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(starts.len(), 1);
    for (name, size) in &sizes {
        assert!(figure.says(&format!("{name} ({size})")), "{name}");
    }
    for label in ["unit 1 (state units)", "unit 2 (state units)", "unit 3 (state units)", "short window"] {
        assert!(figure.says(label), "{label}");
    }
}

#[test]
fn figure_1_shows_the_best_examples_with_both_windows() {
    let made = made();
    let figure = made.figure("figure1");
    assert!(figure.says("(b) A customer who stayed (C00000)"));
    assert!(figure.says("(c) A customer who changed (C00599)"));
    // The origin and six periods; of the customer who changed the last step stands apart.
    let points =
        |class: &str| figure.of(class, "polyline").map(|line| line.points().len()).collect::<Vec<_>>();
    assert_eq!([points("long"), points("turn"), points("short")], [vec![7, 6], vec![2], vec![7, 7]]);
    let dots = |class: &str| figure.of(class, "path").map(crate::svg::Element::dots).sum::<usize>();
    assert_eq!(["long", "turn", "short"].map(dots), [11, 1, 12]);
    let (long, turn) =
        (figure.of("long", "polyline").last().unwrap(), figure.of("turn", "polyline").next().unwrap());
    assert_eq!(long.points().last(), turn.points().first());
    // In the colors of what the states decode to, with an arrow for each, from where the last step begins.
    let [before, toward] = made.truth.turned;
    assert_eq!([long.get("stroke"), turn.get("stroke")], [before, toward].map(|at| COLORS[at]));
    let arrows: Vec<_> = figure.of("arrow", "polyline").collect();
    assert_eq!(
        arrows.iter().map(|line| line.get("stroke")).collect::<Vec<_>>(),
        [before, toward].map(|at| COLORS[at])
    );
    assert!(arrows.iter().all(|line| line.points().first() == turn.points().first()));
    let labels: Vec<&str> = figure.of("label", "text").map(|label| label.text.as_str()).collect();
    let rises = [before, toward].map(|at| format!("{} rises", made.fixture.traits[at]));
    assert_eq!(labels, ["long window", "short window", "period 6", "short window", &rises[0], &rises[1]]);
    // The panel is enlarged to what it holds: the turn is long.
    let [[x, y], [to_x, to_y]] = [turn.points()[0], turn.points()[1]];
    assert!((to_x - x).hypot(to_y - y) > 60.0, "{:?}", turn.points());
}

#[test]
fn figure_2_colors_each_rank_within_the_largest_group_of_the_rank_before() {
    let made = made();
    for id in ["figure2", "figure2-network"] {
        let figure = made.figure(id);
        let orders = made.orders();
        let mut prefix: Vec<usize> = Vec::new();
        for rank in 0..4 {
            let inside: Vec<&Vec<usize>> = orders.iter().filter(|order| order.starts_with(&prefix)).collect();
            let expected = tally(inside.iter().map(|order| made.fixture.traits[order[rank]].clone()));
            assert_eq!(figure.dots(&format!("rank-{}", rank + 1)), expected, "{id} rank {rank}");
            let sizes = tally(inside.iter().map(|order| order[rank]));
            let largest = sizes.values().max().unwrap();
            prefix.push(*sizes.iter().find(|(_, size)| *size == largest).unwrap().0);
            let counted = format!("{} customers", inside.len());
            assert!(figure.says(&counted), "{id}: {counted}");
        }
        for element in figure.of("rank-1", "path") {
            assert_eq!(element.get("stroke"), made.color(&element.label));
        }
        // The rest is gray: everybody outside, in panels (b) to (d).
        let rest: usize = figure.dots("rest").values().sum();
        let colored: usize =
            (2..=4).flat_map(|rank| figure.dots(&format!("rank-{rank}")).into_values()).sum();
        assert_eq!(rest + colored, 3 * 600);
        assert!(figure.says("longitude (radians)") && figure.says("latitude (radians)"));
    }
    let [surrogate, network] = ["figure2", "figure2-network"].map(|id| made.figure(id));
    let drawn = |figure: &Figure| figure.of("rank-1", "path").next().unwrap().get("d").to_owned();
    assert_ne!(drawn(&surrogate), drawn(&network));
}

#[test]
fn figure_3_joins_the_end_of_each_trajectory_to_its_location() {
    let made = made();
    let figure = made.figure("figure3");
    let expected: BTreeMap<String, usize> =
        made.sizes(made.fixture.extended).into_iter().map(|(name, size)| (name, size.min(40))).collect();
    assert_eq!(expected.len(), 5, "every trait has a panel");
    assert_eq!(figure.dots("location"), expected);
    assert_eq!(figure.count("extended", "polyline"), expected);
    assert_eq!(figure.count("way", "polyline"), expected);
    for cross in figure.of("location", "path") {
        assert_eq!(cross.get("stroke"), made.color(&cross.label));
    }
    // Each way begins where a trajectory ends.
    let ends: BTreeSet<String> =
        figure.of("extended", "polyline").map(|line| format!("{:?}", line.points().last())).collect();
    assert!(figure.of("way", "polyline").all(|way| ends.contains(&format!("{:?}", way.points().first()))));
    assert!(figure.description.contains("of the spread of all last steps"), "{}", figure.description);
    assert_eq!(figure.elements.iter().filter(|e| e.text.contains(" away")).count(), 5);
}

#[test]
fn figure_4_draws_curves_thick_and_points_large_with_the_verdict() {
    let made = made();
    attractors_are_drawn(made, &made.figure("figure4"), &[0, 2], &[1, 3]);
    attractors_are_drawn(made, &made.figure("figure4-printed"), &[1, 3], &[0, 2, 4]);
    // Of the fifth trait the ends are a cloud: its last steps are dots.
    let figure = made.figure("figure4");
    let cloud = made.sizes(made.fixture.extended).remove(&made.fixture.traits[4]).unwrap();
    assert_eq!(figure.dots("extended"), BTreeMap::from([(made.fixture.traits[4].clone(), cloud)]));
    let told: String = figure.of("verdict", "text").map(|text| format!("{} ", text.text)).collect();
    assert!(
        told.contains("a cloud, neither points nor a line") && told.contains("lie 0.20 of the spread of all"),
        "{told}"
    );
}

fn attractors_are_drawn(made: &Made, figure: &Figure, lines: &[usize], points: &[usize]) {
    let expected = |traits: &[usize], each: usize| {
        traits.iter().map(|at| (made.fixture.traits[*at].clone(), each)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(figure.count("attractor-line", "polyline"), expected(lines, 1));
    assert_eq!(figure.count("attractor-point", "circle"), expected(points, 2));
    for line in figure.of("attractor-line", "polyline") {
        assert_eq!(line.get("stroke"), made.color(&line.label));
        assert!(line.number("stroke-width") >= 5.0 && line.points().len() == 20);
    }
    for circle in figure.of("attractor-point", "circle") {
        assert_eq!(circle.get("fill"), made.color(&circle.label));
        assert!(circle.number("r") >= 8.0);
    }
    assert_eq!(
        figure
            .of("verdict", "text")
            .filter(|text| text.text.contains("dynamics: input-driven locus"))
            .count(),
        5
    );
    assert_eq!(figure.of("extended", "polyline").count(), made.fixture.extended);
    // A curve has its trait's name, each of two points of 10 customers half of them.
    let labels: BTreeMap<String, usize> = tally(figure.of("label", "text").map(|label| label.text.clone()));
    let named = |at: &usize| made.fixture.traits[*at].clone();
    let expected = lines.iter().map(|at| (named(at), 1));
    let expected = expected.chain(points.iter().map(|at| (format!("{} 50 %", named(at)), 2)));
    assert_eq!(labels, expected.collect());
}

#[test]
fn figure_5_has_all_ten_pairs_with_the_same_states() {
    let made = made();
    let figure = made.figure("figure5");
    let dots: usize = figure.dots("reach").values().sum();
    assert_eq!(dots, 10 * 2_400);
    assert!(figure.dots("reach").values().all(|count| count % 10 == 0));
    for (at, name) in made.fixture.traits.iter().enumerate() {
        let label = format!("{name} (grade)");
        let upward = |upward: bool| {
            let texts = figure.elements.iter().filter(|e| e.text == label);
            texts.filter(|e| e.attributes.contains_key("transform") == upward).count()
        };
        assert_eq!((upward(false), upward(true)), (4 - at, at), "{name}");
    }
    assert!(figure.description.contains("2,400 of 9,261 grid states"), "{}", figure.description);
}

#[test]
fn figure_6_draws_every_axis_from_the_same_origin() {
    let made = made();
    let figure = made.figure("figure6");
    let lines: Vec<_> = figure.of("trait-axis", "polyline").collect();
    assert_eq!(lines.len(), 5);
    let origins: BTreeSet<String> = lines.iter().map(|line| format!("{:?}", line.points()[0])).collect();
    assert_eq!(origins.len(), 1);
    for line in &lines {
        assert_eq!(line.get("stroke"), made.color(&line.label));
    }
    let labels: BTreeSet<&str> = figure.of("label", "text").map(|label| label.text.as_str()).collect();
    assert_eq!(labels, made.fixture.traits.iter().map(String::as_str).collect());
    // Of the axis is told how long it is, which is not D.
    let length = made.truth.axis_length;
    assert!(figure.says(&format!("(D 0.80, length {length:.2})")) && (length - 0.8).abs() > 0.01);
}

#[test]
fn figure_7_draws_each_point_by_its_verdict_and_basin() {
    let made = made();
    let figure = made.figure("dynamics");
    let circles: Vec<f64> =
        figure.of("stable", "circle").map(|circle| circle.get("r").parse().unwrap()).collect();
    assert_eq!(circles.len(), 2 * STUDIED);
    // Areas are in the ratio of the basins, three to one.
    let (large, small) =
        (circles.iter().copied().fold(0.0, f64::max), circles.iter().copied().fold(9.0, f64::min));
    assert!(((large / small).powi(2) - 3.0).abs() < 0.1, "{large} {small}");
    assert_eq!(figure.dots("unstable").values().sum::<usize>(), STUDIED);
    assert_eq!(figure.of("spectrum", "polyline").count(), 5);
    assert_eq!(figure.of("convergence", "polyline").count(), made.fixture.extended);
    assert!(figure.description.contains("1e-13") && figure.description.contains("5 customers"));
}

#[test]
fn every_figure_says_where_it_comes_from() {
    let made = made();
    let digest =
        spendscape_store::read_table(&made.run.join("states.parquet"), spendscape_schema::Table::States)
            .unwrap()
            .digest;
    for id in IDS {
        let figure = made.figure(id);
        assert!(figure.title.starts_with("Figure ") && figure.texts()[0] == figure.title, "{id}");
        assert!(!figure.description.is_empty(), "{id}");
        let footer: Vec<&str> = figure.of("footer", "text").map(|text| text.text.as_str()).collect();
        let footer = footer.join(" ");
        assert!(footer.contains("seed: train 7") && footer.contains("spendscape "), "{id}: {footer}");
    }
    assert!(made.figure("figure1").says(&format!("states {}", &digest.as_str()[..12])));
}

/// Texts that overlap cannot be read. Widths are a cautious guess: half an em per character.
#[test]
fn no_text_covers_another_and_none_leaves_the_figure() {
    let made = made();
    for id in IDS {
        let figure = made.figure(id);
        let mut boxes: Vec<([f64; 4], &str)> = Vec::new();
        for text in
            figure.elements.iter().filter(|e| e.tag == "text" && !e.attributes.contains_key("transform"))
        {
            let (x, y, size) = (text.number("x"), text.number("y"), text.number("font-size"));
            let width = 0.5 * size * text.text.chars().count() as f64;
            let left = match text.get("text-anchor") {
                "middle" => x - 0.5 * width,
                "end" => x - width,
                _ => x,
            };
            let one = [left, y - 0.7 * size, left + width, y];
            assert!(
                one[0] >= 0.0 && one[2] <= figure.width && one[3] <= figure.height,
                "{id}: {}",
                text.text
            );
            for (other, name) in &boxes {
                let apart =
                    one[0] >= other[2] || one[2] <= other[0] || one[1] >= other[3] || one[3] <= other[1];
                assert!(apart, "{id}: {:?} covers {name:?}", text.text);
            }
            boxes.push((one, &text.text));
        }
    }
}

#[test]
fn png_files_show_what_the_svg_files_show() {
    let made = made();
    for id in IDS {
        let figure = made.figure(id);
        let picture = Pixmap::load_png(made.figures().join(format!("{id}.png"))).unwrap();
        let side = |length: f64| (length * 4.0 / 3.0).ceil() as u32;
        assert_eq!((picture.width(), picture.height()), (side(figure.width), side(figure.height)), "{id}");
        let pixels = picture.pixels();
        let color = |p: &PremultipliedColorU8| format!("#{:02X}{:02X}{:02X}", p.red(), p.green(), p.blue());
        let colors = tally(pixels.iter().map(color));
        // Something is drawn, and most of the figure is white paper.
        assert!(colors.len() > 100 && colors["#FFFFFF"] * 3 > pixels.len(), "{id}: {}", colors.len());
        for color in COLORS {
            let legend = figure.elements.iter().any(|e| e.get("stroke") == color || e.get("fill") == color);
            assert_eq!(colors.contains_key(color), legend, "{id} {color}");
        }
    }
}

#[test]
fn a_limit_draws_a_sample_and_says_so() {
    let made = made();
    let out = tempfile::tempdir().unwrap();
    let options = FigureOptions::default().customers(50).dots(100);
    figures(&made.run, out.path(), &options).unwrap();
    let figure = Figure::read(out.path(), "figure1");
    assert_eq!(figure.of("trajectory", "polyline").count(), 50);
    assert!(figure.description.contains("50 of 600 customers"));
    let figure = Figure::read(out.path(), "figure2");
    assert_eq!(figure.dots("rank-1").values().sum::<usize>(), 100);
    for rank in 2..=4 {
        assert!(figure.dots(&format!("rank-{rank}")).values().sum::<usize>() <= 100);
    }
    assert!(figure.description.contains("At most 100 of 600 customers"));
    assert!(Figure::read(out.path(), "figure3").of("extended", "polyline").count() <= 50);
}

#[test]
fn the_same_tables_give_the_same_bytes() {
    let made = made();
    let out = tempfile::tempdir().unwrap();
    figures(&made.run, out.path(), &FigureOptions::default().customers(10_000)).unwrap();
    for id in IDS {
        for ending in ["svg", "png"] {
            let [one, two] = [&made.figures(), out.path()]
                .map(|folder| fs::read(folder.join(format!("{id}.{ending}"))).unwrap());
            assert!(one == two, "{id}.{ending}");
        }
    }
}
