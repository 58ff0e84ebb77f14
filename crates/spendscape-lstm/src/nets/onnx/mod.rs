//! ONNX files: nodes `LSTM`, `GRU` and `RNN` of the main graph, forward, with weights that the file holds.
//!
//! Source: the operators' definitions in ONNX (`LSTM-22`, `GRU-22`, `RNN-22`); earlier versions compute the same.

mod attributes;
mod message;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::HashSet;

use ndarray::{Array1, Array2};
use prost::Message;

use super::{
    Cell, Module, NetChoice, Nonlinearity, RecurrentLayer, Reset, chosen, problem_of, reordered,
    reordered_vector, shaped,
};
use crate::error::Error;
use attributes::Attributes;
use message::{Graph, Model, Node};
use weights::Weights;

/// The operators that are read.
const OPERATORS: [&str; 3] = ["LSTM", "GRU", "RNN"];
/// Where ONNX's gates i, o, f, c stand in the order i, f, g, o, and z, r, h in r, z, n.
const LSTM: [usize; 4] = [0, 2, 3, 1];
const GRU: [usize; 3] = [1, 0, 2];

/// The modules asked for.
pub(super) fn read(bytes: &[u8], choice: &NetChoice) -> Result<Vec<Module>, Error> {
    let model = decode(bytes)?;
    let graph = model.graph.as_ref().ok_or_else(|| problem_of("the ONNX file", "it has no graph"))?;
    let nodes: Vec<&Node> = graph.nodes.iter().filter(|node| is_recurrent(node)).collect();
    let weights = Weights::of(graph)?;
    let places = choose(&model, graph, &nodes, &weights, &choice.modules)?;
    places.into_iter().map(|at| Layer { node: nodes[at], weights: &weights }.read(choice)).collect()
}

fn decode(bytes: &[u8]) -> Result<Model, Error> {
    let broken = |error: &dyn std::fmt::Display| {
        problem_of("the ONNX file", format!("it cannot be decoded ({error}): is it cut off or damaged?"))
    };
    match message::count(bytes) {
        Some(count) if count <= message::MOST_MESSAGES => {}
        Some(_) => return Err(broken(&format!("it has more than {} messages", message::MOST_MESSAGES))),
        None => return Err(broken(&"a field is longer than what holds it, or of no known kind")),
    }
    Model::decode(bytes).map_err(|error| broken(&error))
}

/// Whether a node is of the standard's own operators.
fn is_standard(node: &Node) -> bool {
    node.domain.is_empty() || node.domain == "ai.onnx"
}

fn is_recurrent(node: &Node) -> bool {
    is_standard(node) && OPERATORS.contains(&node.operator.as_str())
}

/// A node's name; where it has none, that of its first output.
fn name(node: &Node) -> &str {
    let outputs = node.outputs.iter().map(String::as_str).find(|output| !output.is_empty());
    if node.name.is_empty() { outputs.unwrap_or("without name") } else { &node.name }
}

/// The names of nodes, by which they can be chosen: a name that two of them have gives way to that of the first output.
fn names<'a>(nodes: &[&'a Node]) -> Vec<&'a str> {
    let unique = |name: &str| nodes.iter().filter(|node| node.name == name).count() == 1;
    let each = nodes.iter().map(|node| match node.outputs.iter().find(|output| !output.is_empty()) {
        Some(output) if !unique(&node.name) => output,
        _ => name(node),
    });
    each.collect()
}

fn place(node: &Node) -> String {
    format!("node {} ({})", name(node), node.operator)
}

/// The recurrent nodes that are asked for, or the only one, or those of the only stack, bottom first.
fn choose(
    model: &Model,
    graph: &Graph,
    nodes: &[&Node],
    weights: &Weights<'_>,
    wanted: &[String],
) -> Result<Vec<usize>, Error> {
    let names = names(nodes);
    let nested = nested(model, graph);
    let inner = |(outer, inner): &(String, String)| {
        let problem = format!(
            "it is within {outer}: only nodes of the main graph are read; export the net without loops, branches and functions"
        );
        problem_of(&format!("node {inner}"), problem)
    };
    if let Some(found) =
        nested.iter().find(|(_, name)| wanted.contains(name) && !names.contains(&name.as_str()))
    {
        return Err(inner(found));
    }
    if nodes.is_empty() {
        return Err(match nested.first() {
            Some(found) => inner(found),
            None => none_found(graph),
        });
    }
    if wanted.is_empty()
        && nested.is_empty()
        && let Some(stack) = stack(graph, nodes, weights)
    {
        return Ok(stack);
    }
    if wanted.is_empty() && !nested.is_empty() {
        let within = nested.iter().map(|(outer, inner)| format!("{inner} within {outer}"));
        let found = names.iter().map(|name| (*name).to_owned()).chain(within).collect();
        return Err(Error::Modules { wanted: None, found });
    }
    let places = chosen(&names, wanted)?;
    for pair in places.windows(2) {
        joined(nodes[pair[0]], nodes[pair[1]], graph, weights)?;
    }
    Ok(places)
}

/// Operators that move values without changing them.
const MOVES: [&str; 7] = ["Squeeze", "Unsqueeze", "Identity", "Dropout", "Transpose", "Reshape", "Flatten"];

/// Refuses layers that were asked for as a stack where the graph computes something else between them.
fn joined(lower: &Node, upper: &Node, graph: &Graph, weights: &Weights<'_>) -> Result<(), Error> {
    let mut value = upper.inputs.first().map_or("", String::as_str);
    for _ in 0..=graph.nodes.len() {
        if lower.outputs.first().is_some_and(|output| output == value) {
            return Ok(());
        }
        match weights.maker(value) {
            Some(maker) if is_standard(maker) && MOVES.contains(&maker.operator.as_str()) => {
                value = maker.inputs.first().map_or("", String::as_str);
            }
            Some(maker) => {
                let problem = format!(
                    "it does not read the states of {} but what {} makes: ask for one layer, or export the net without that node",
                    place(lower),
                    place(maker)
                );
                return Err(problem_of(&place(upper), problem));
            }
            None => break,
        }
    }
    let problem =
        format!("it does not read the states of {}: name the layers of a stack bottom first", place(lower));
    Err(problem_of(&place(upper), problem))
}

fn none_found(graph: &Graph) -> Error {
    let like = graph
        .nodes
        .iter()
        .find(|node| OPERATORS.iter().any(|operator| node.operator.to_uppercase().contains(operator)));
    match like {
        Some(node) => {
            let domain = if is_standard(node) { String::new() } else { format!(" of {}", node.domain) };
            let problem =
                format!("an operator{domain} that is not read: only LSTM, GRU and RNN of ONNX itself are");
            problem_of(&place(node), problem)
        }
        None => problem_of("the ONNX file", "its graph has no node LSTM, GRU or RNN"),
    }
}

/// Recurrent nodes beyond the main graph: what they are within, and their names.
fn nested(model: &Model, graph: &Graph) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut due: Vec<(String, &Graph)> = Vec::new();
    let inner = |nodes: &[Node], outer: &str, found: &mut Vec<(String, String)>| {
        let recurrent = nodes.iter().filter(|node| is_recurrent(node));
        found.extend(recurrent.map(|node| (outer.to_owned(), name(node).to_owned())));
    };
    fn bodies(nodes: &[Node]) -> impl Iterator<Item = (String, &Graph)> {
        nodes.iter().flat_map(|node| {
            let graphs = node
                .attributes
                .iter()
                .flat_map(|attribute| attribute.graph.as_deref().into_iter().chain(&attribute.graphs));
            graphs.map(|graph| (place(node), graph))
        })
    }
    due.extend(bodies(&graph.nodes));
    for function in &model.functions {
        let outer = format!("function {}", function.name);
        inner(&function.nodes, &outer, &mut found);
        due.extend(bodies(&function.nodes));
    }
    while let Some((outer, graph)) = due.pop() {
        inner(&graph.nodes, &outer, &mut found);
        due.extend(bodies(&graph.nodes).map(|(_, graph)| (outer.clone(), graph)));
    }
    found
}

/// The LSTM nodes as layers on one another, bottom first, if the graph joins them all so.
fn stack(graph: &Graph, nodes: &[&Node], weights: &Weights<'_>) -> Option<Vec<usize>> {
    if nodes.iter().any(|node| node.operator != "LSTM") {
        return None;
    }
    let place =
        |name: &str| nodes.iter().position(|node| node.outputs.first().is_some_and(|output| output == name));
    let below = |node: &Node| -> Option<usize> {
        let mut value = node.inputs.first()?.as_str();
        for _ in 0..graph.nodes.len() {
            if let Some(at) = place(value) {
                return Some(at);
            }
            let maker = weights.maker(value).filter(|maker| {
                is_standard(maker) && maker.outputs.first().is_some_and(|output| output == value)
            })?;
            if !keeps_features(maker, node, weights) {
                return None;
            }
            value = maker.inputs.first()?;
        }
        None
    };
    let lower: Vec<Option<usize>> = nodes.iter().map(|node| below(node)).collect();
    let mut order = vec![lower.iter().position(Option::is_none)?];
    while let Some(next) = lower.iter().position(|lower| *lower == order.last().copied()) {
        if order.contains(&next) {
            return None;
        }
        order.push(next);
    }
    (order.len() == nodes.len()).then_some(order)
}

/// Whether a node on the way to a layer changes nothing but the order and number of axes before the last one, the features.
fn keeps_features(maker: &Node, layer: &Node, weights: &Weights<'_>) -> bool {
    match maker.operator.as_str() {
        "Squeeze" | "Unsqueeze" | "Identity" | "Dropout" => true,
        "Transpose" => {
            let order = maker.attributes.iter().find(|attribute| attribute.name == "perm");
            // Without an order all axes are turned round.
            let last = order.and_then(|order| order.integers.last().map(|last| (last, order)));
            last.is_some_and(|(last, order)| order.integers.iter().all(|axis| axis <= last))
        }
        "Reshape" => {
            let width = layer.inputs.get(1).and_then(|w| weights.shape(layer, w).ok()?.last().copied());
            let sides = maker.inputs.get(1).and_then(|shape| weights.integers(maker, shape));
            let last = sides.and_then(|sides| sides.last().copied());
            last.is_some_and(|last| last == -1 || usize::try_from(last).is_ok_and(|last| Some(last) == width))
        }
        _ => false,
    }
}

/// A recurrent node and the weights of its graph.
struct Layer<'a> {
    node: &'a Node,
    weights: &'a Weights<'a>,
}

impl Layer<'_> {
    fn problem(&self, problem: impl Into<String>) -> Error {
        problem_of(&place(self.node), problem)
    }

    /// The name of input `at`, where it is there.
    fn input(&self, at: usize) -> Option<&str> {
        self.node.inputs.get(at).map(String::as_str).filter(|name| !name.is_empty())
    }

    fn read(&self, choice: &NetChoice) -> Result<Module, Error> {
        let attributes = Attributes::of(self.node)?;
        let inputs = if self.node.operator == "LSTM" { 8 } else { 6 };
        if self.node.inputs.len() > inputs {
            let problem = format!("it has {} inputs, but {inputs} at most are known", self.node.inputs.len());
            return Err(self.problem(problem));
        }
        if self.input(7).is_some() {
            return Err(self.problem("it has peepholes (input P), which are not read"));
        }
        let (cell, order, description): (Cell, &[usize], String) = match self.node.operator.as_str() {
            "LSTM" => (
                Cell::Lstm,
                &LSTM,
                "LSTM as its ONNX node says: gates i, o, f, c; sigmoid gates, tanh cell and output"
                    .to_owned(),
            ),
            "GRU" => {
                let (reset, where_) = match attributes.linear_before_reset {
                    false => (Reset::Before, "before"),
                    true => (Reset::After, "behind"),
                };
                if choice.reset.is_some_and(|told| told != reset) {
                    let problem =
                        format!("its reset gate acts {where_} the recurrent weights: the contrary was told");
                    return Err(self.problem(problem));
                }
                let description = format!(
                    "GRU as its ONNX node says: gates z, r, h; sigmoid gates, tanh candidate; the reset gate {where_} the \
                     recurrent weights"
                );
                (Cell::Gru(reset), &GRU, description)
            }
            _ => {
                let (nonlinearity, name) = match attributes.nonlinearity {
                    Nonlinearity::Tanh => (Nonlinearity::Tanh, "tanh"),
                    Nonlinearity::Relu => (Nonlinearity::Relu, "relu"),
                };
                if choice.nonlinearity.is_some_and(|told| told != nonlinearity) {
                    return Err(self.problem(format!("it computes {name}: the contrary was told")));
                }
                (Cell::Plain(nonlinearity), &[0], format!("RNN with {name}, as its ONNX node says"))
            }
        };
        let layer = self.layer(&attributes, cell, order)?;
        Ok(Module { cell, layers: vec![layer], description, assumed: false })
    }

    /// Inputs W, R and B, in the order of `cell`.
    fn layer(&self, attributes: &Attributes, cell: Cell, order: &[usize]) -> Result<RecurrentLayer, Error> {
        let needed = |at: usize, what: &str| {
            self.input(at).ok_or_else(|| self.problem(format!("it has no input {what}")))
        };
        let (w, r) = (needed(1, "W")?, needed(2, "R")?);
        let units = match *self.weights.shape(self.node, r)? {
            [1, _, units] if units > 0 => units,
            ref shape => {
                let problem =
                    format!("its R, {r}, has shape {shape:?}, but [1, {} M, M] is needed", cell.gates());
                return Err(self.problem(problem));
            }
        };
        if attributes.hidden_size.is_some_and(|size| size != units as i64) {
            return Err(self.problem(format!("its hidden_size is not {units}, the width of its R, {r}")));
        }
        let rows = cell.gates().saturating_mul(units);
        let columns = match *self.weights.shape(self.node, w)? {
            [_, _, columns] => columns,
            ref shape => {
                let problem = format!("its W, {w}, has shape {shape:?}, but [1, {rows}, inputs] is needed");
                return Err(self.problem(problem));
            }
        };
        let matrix = |name: &str, columns: usize| -> Result<Array2<f64>, Error> {
            shaped((rows, columns), self.weights.numbers(self.node, name, &[1, rows, columns]))
        };
        let (w, r) = (matrix(w, columns)?, matrix(r, units)?);
        let (b_x, b_h) = match self.input(3) {
            Some(b) => {
                let mut both = self.weights.numbers(self.node, b, &[1, rows.saturating_mul(2)])?;
                let second = both.split_off(rows);
                (Array1::from(both), Array1::from(second))
            }
            None => (Array1::zeros(rows), Array1::zeros(rows)),
        };
        Ok(RecurrentLayer {
            input: reordered(&w, order),
            recurrent: reordered(&r, order),
            input_bias: reordered_vector(&b_x, order),
            recurrent_bias: reordered_vector(&b_h, order),
        })
    }
}

/// A name that occurs twice.
fn twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}
