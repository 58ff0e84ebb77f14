//! The trajectories to turn around, with their data in the page.

use super::html;
use crate::{
    draw::{palette::look, svg::escape},
    figures::Context,
    run::Trajectories,
    sample,
};

/// Numbers of the page's data at most, at about four bytes each: half a megabyte.
const NUMBERS: usize = 120_000;
/// Trajectories at most: more are slow to turn.
const TRAJECTORIES: usize = 2_000;
/// A state unit in the page's integers.
const UNIT: f64 = 1_000.0;

/// The section, hidden until the script has run; without scripts figure 1 stands for it.
pub(super) fn section(context: &Context<'_>) -> String {
    if context.coordinates.flat() {
        return String::new();
    }
    let boxes: String = context
        .run
        .traits
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let color = look(at).color.hex();
            format!(
                "<label><input type=\"checkbox\" checked> <span class=\"swatch\" style=\"background:{color}\"></span>{}\
                 </label>\n",
                escape(name)
            )
        })
        .collect();
    let content = format!(
        "<p class=\"note\">Drag, or use the arrow keys, to turn; + and \u{2212}, or the wheel with Ctrl, to zoom; Home to \
         return.</p>\n<fieldset><legend>Dominant traits shown</legend>\n{boxes}</fieldset>\n\
         <canvas tabindex=\"0\" role=\"img\" aria-label=\"Trajectories of customers in the state space, to be turned with the \
         arrow keys; figure 1 shows the same from one side\"></canvas>\n\
         <p><button type=\"button\">Reset the view</button> <output></output></p>\n\
         <script type=\"application/json\" id=\"trajectories\">{}</script>\n",
        data(context)
    );
    html::section("explore", "Trajectories to turn around", &content).replacen(
        "<section ",
        "<section hidden ",
        1,
    )
}

/// `{"traits", "colors", "labels", "tracks": [[trait, x, y, z, x, y, z, ...], ...]}`, states in thousandths.
fn data(context: &Context<'_>) -> String {
    let run = context.run;
    let strings = |values: Vec<String>| {
        let values: Vec<String> = values.iter().map(|value| string(value)).collect();
        format!("[{}]", values.join(","))
    };
    let colors = (0..run.traits.len()).map(|at| look(at).color.hex()).collect();
    let tracks: Vec<String> = tracks(context, &run.long)
        .into_iter()
        .map(|numbers| {
            let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
            format!("[{}]", numbers.join(","))
        })
        .collect();
    format!(
        "{{\"traits\":{},\"colors\":{},\"labels\":{},\"tracks\":[{}]}}",
        strings(run.traits.clone()),
        strings(colors),
        strings(context.coordinates.labels.to_vec()),
        tracks.join(",\n")
    )
}

fn tracks(context: &Context<'_>, trajectories: &Trajectories) -> Vec<Vec<i64>> {
    let run = context.run;
    let limit = TRAJECTORIES.min(NUMBERS / (3 * trajectories.steps().max(1)));
    let spans: Vec<usize> = (0..trajectories.spans.len()).collect();
    let label = |span: usize| run.customers[trajectories.spans[span].0].clone().into_bytes();
    sample::by_label(&spans, limit, label)
        .into_iter()
        .map(|span| {
            let (customer, rows) = trajectories.spans[span].clone();
            let places = context.coordinates.trajectory(trajectories.states.slice(ndarray::s![rows, ..]));
            let mut numbers = vec![run.dominant[customer] as i64];
            let after_origin = places[1..].iter().flatten();
            numbers.extend(after_origin.map(|value| (UNIT * value).round() as i64));
            numbers
        })
        .collect()
}

/// A string of JSON that cannot end the script it stands in.
fn string(value: &str) -> String {
    let mut out = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1F}' => {
                out.push_str(&format!("\\u{:04x}", character as u32));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_inside_their_script() {
        assert_eq!(string("a\"b\\</script>\n"), "\"a\\\"b\\\\\\u003c/script\\u003e\\u000a\"");
    }
}
