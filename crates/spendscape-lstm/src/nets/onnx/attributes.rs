//! The attributes of a recurrent node.

use super::message::{Attribute, Node};
use super::{Nonlinearity, place, problem_of, twice};
use crate::error::Error;

/// Kinds of attributes, as `AttributeProto.AttributeType` numbers them.
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const INTS: i32 = 7;
const STRINGS: i32 = 8;

/// The attributes of a node that can be computed; everything else is refused.
pub(super) struct Attributes {
    pub(super) hidden_size: Option<i64>,
    /// Of a GRU: the reset gate acts after the recurrent product.
    pub(super) linear_before_reset: bool,
    /// Of a plain layer.
    pub(super) nonlinearity: Nonlinearity,
}

impl Attributes {
    /// # Errors
    /// [`Error::NetFile`] with the node's and the attribute's names.
    pub(super) fn of(node: &Node) -> Result<Self, Error> {
        let mut read =
            Self { hidden_size: None, linear_before_reset: false, nonlinearity: Nonlinearity::Tanh };
        let refused = |problem: String| Err(problem_of(&place(node), problem));
        if let Some(name) = twice(node.attributes.iter().map(|attribute| attribute.name.as_str())) {
            return refused(format!("its attribute {name} is there twice"));
        }
        for attribute in &node.attributes {
            let Attribute { name, integer, text, .. } = attribute;
            let said = String::from_utf8_lossy(text).to_lowercase();
            // Its value would stand in a field that is not looked at.
            if expected(name).is_some_and(|kind| kind_of(attribute, kind) != kind) {
                return refused(format!("its attribute {name} is of another kind than the standard's"));
            }
            match (name.as_str(), node.operator.as_str()) {
                ("hidden_size", _) => read.hidden_size = Some(*integer),
                // The order of the axes of inputs and outputs; weights are the same in both.
                ("layout", _) if [0, 1].contains(integer) => {}
                ("direction", _) if said == "forward" => {}
                ("direction", _) => {
                    return refused(format!("its direction is {said}: only forward layers are read"));
                }
                ("activations", operator) => read.activations(node, operator, &attribute.texts)?,
                // Tanh, Sigmoid and Relu have no such parameters.
                ("activation_alpha" | "activation_beta", _) => {}
                ("clip", _) => {
                    let problem =
                        format!("it clips its cells at {}: clipped cells are not read", attribute.float);
                    return refused(problem);
                }
                ("input_forget", "LSTM") if *integer == 0 => {}
                ("input_forget", "LSTM") => {
                    return refused(
                        "its input and forget gates are coupled (input_forget), which is not read".into(),
                    );
                }
                ("linear_before_reset", "GRU") if [0, 1].contains(integer) => {
                    read.linear_before_reset = *integer == 1;
                }
                _ => return refused(format!("its attribute {name} = {integer} is not understood")),
            }
        }
        Ok(read)
    }

    /// The functions of the gates, and of cell and output.
    fn activations(&mut self, node: &Node, operator: &str, texts: &[Vec<u8>]) -> Result<(), Error> {
        let said: Vec<String> = texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        let lower: Vec<String> = said.iter().map(|text| text.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        match (operator, lower.as_slice()) {
            (_, [])
            | ("LSTM", ["sigmoid", "tanh", "tanh"])
            | ("GRU", ["sigmoid", "tanh"])
            | ("RNN", ["tanh"]) => {}
            ("RNN", ["relu"]) => self.nonlinearity = Nonlinearity::Relu,
            _ => {
                let read = match operator {
                    "LSTM" => "Sigmoid, Tanh, Tanh",
                    "GRU" => "Sigmoid, Tanh",
                    _ => "Tanh or Relu",
                };
                let problem = format!("its activations are {}: only {read} are read", said.join(", "));
                return Err(problem_of(&place(node), problem));
            }
        }
        Ok(())
    }
}

/// The kind that an attribute must have.
fn expected(name: &str) -> Option<i32> {
    match name {
        "hidden_size" | "layout" | "input_forget" | "linear_before_reset" => Some(INT),
        "direction" => Some(STRING),
        "activations" => Some(STRINGS),
        _ => None,
    }
}

/// The kind that an attribute has; where the file does not say it, that of its value, or `expected` where it has none.
fn kind_of(attribute: &Attribute, expected: i32) -> i32 {
    let found = [
        (!attribute.texts.is_empty(), STRINGS),
        (!attribute.text.is_empty(), STRING),
        (!attribute.integers.is_empty(), INTS),
        (attribute.float != 0.0, FLOAT),
        (attribute.integer != 0, INT),
    ];
    match attribute.kind {
        0 => found.into_iter().find(|(is_there, _)| *is_there).map_or(expected, |(_, kind)| kind),
        told => told,
    }
}
