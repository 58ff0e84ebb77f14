//! The tensors of a graph: initializers, and the values of nodes `Constant`.

use std::collections::HashMap;

use super::message::{Graph, Node, Tensor};
use super::{is_standard, name, place, problem_of, twice};
use crate::error::Error;
use crate::nets::{bounded, tensor};
use crate::tensors::{bf16, each, f16};

/// Types of tensors, as `TensorProto.DataType` numbers them.
const FLOAT: i32 = 1;
const INT64: i32 = 7;
const FLOAT16: i32 = 10;
const DOUBLE: i32 = 11;
const BFLOAT16: i32 = 16;

/// Where each value of the graph comes from.
pub(super) struct Weights<'a> {
    stored: HashMap<&'a str, &'a Tensor>,
    made: HashMap<&'a str, &'a Node>,
}

impl<'a> Weights<'a> {
    /// # Errors
    /// [`Error::TensorName`] for an initializer described twice, or a value that is made twice.
    pub(super) fn of(graph: &'a Graph) -> Result<Self, Error> {
        if let Some(name) = twice(graph.initializers.iter().map(|tensor| tensor.name.as_str())) {
            return Err(Error::TensorName { name: name.to_owned(), problem: "described twice" });
        }
        let stored = graph.initializers.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let outputs = graph.nodes.iter().flat_map(|node| {
            node.outputs.iter().filter(|output| !output.is_empty()).map(move |output| (output.as_str(), node))
        });
        let values = outputs.clone().map(|(output, _)| output);
        let initializers = graph.initializers.iter().map(|tensor| tensor.name.as_str());
        if let Some(name) = twice(initializers.chain(values)) {
            return Err(Error::TensorName {
                name: name.to_owned(),
                problem: "given by two nodes, or stored too",
            });
        }
        Ok(Self { stored, made: outputs.collect() })
    }

    /// The tensor that is input `value` of a node.
    fn find(&self, node: &Node, value: &str) -> Result<&'a Tensor, Error> {
        let mut at = value;
        // An identity may lead to another one, but not round in a circle.
        for _ in 0..=self.made.len() {
            if let Some(tensor) = self.stored.get(at) {
                return Ok(tensor);
            }
            match self.made.get(at) {
                Some(maker) if is_standard(maker) && maker.operator == "Constant" => {
                    let value = maker.attributes.iter().find(|attribute| attribute.name == "value");
                    return value.and_then(|attribute| attribute.tensor.as_deref()).ok_or_else(|| {
                        problem_of(
                            &place(maker),
                            "its value is no tensor: only such constants are read as weights",
                        )
                    });
                }
                Some(maker) if is_standard(maker) && maker.operator == "Identity" => {
                    match maker.inputs.first() {
                        Some(input) => at = input,
                        None => break,
                    }
                }
                Some(maker) => {
                    let problem = format!(
                        "its weights {value} are computed by node {} ({}): store them as numbers, by folding constants when the \
                         file is exported",
                        name(maker),
                        maker.operator
                    );
                    return Err(problem_of(&place(node), problem));
                }
                None => break,
            }
        }
        let problem =
            format!("its weights {value} are not stored in the file: export it with its initializers");
        Err(problem_of(&place(node), problem))
    }

    /// The node that makes a value.
    pub(super) fn maker(&self, value: &str) -> Option<&'a Node> {
        self.made.get(value).copied()
    }

    /// The whole numbers of input `value` of a node, if they are stored.
    pub(super) fn integers(&self, node: &Node, value: &str) -> Option<Vec<i64>> {
        let stored = self.find(node, value).ok().filter(|stored| stored.data_type == INT64)?;
        let raw = stored.raw.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
        Some(if stored.raw.is_empty() { stored.longs.clone() } else { raw })
    }

    /// The shape of input `value` of a node.
    pub(super) fn shape(&self, node: &Node, value: &str) -> Result<Vec<usize>, Error> {
        let found = self.find(node, value)?;
        let sides = found.sides.iter().map(|side| usize::try_from(*side));
        sides.collect::<Result<_, _>>().map_err(|_| {
            problem_of(&tensor(value), format!("its shape {:?} has a negative side", found.sides))
        })
    }

    /// The numbers of input `value` of a node, which must have a shape.
    pub(super) fn numbers(&self, node: &Node, value: &str, expected: &[usize]) -> Result<Vec<f64>, Error> {
        let shape = self.shape(node, value)?;
        if shape != expected {
            let name = value.to_owned();
            return Err(Error::TensorShape { name, expected: expected.to_vec(), found: shape });
        }
        let elements = shape.iter().try_fold(1usize, |product, side| product.checked_mul(*side));
        let values = numbers(value, self.find(node, value)?, elements.unwrap_or(usize::MAX))?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::TensorValue { name: value.to_owned(), index, value: values[index] });
        }
        bounded(value, values)
    }
}

/// The numbers of a tensor, in f64, which holds all of them exactly.
fn numbers(name: &str, stored: &Tensor, elements: usize) -> Result<Vec<f64>, Error> {
    let refused = |problem: &str| Err(problem_of(&tensor(name), problem));
    if stored.location != 0 {
        return refused(
            "its numbers are in another file (external data): save the model in one file, \
             onnx.save_model(model, path, save_as_external_data=False)",
        );
    }
    if stored.segment.is_some() {
        return refused("it is stored in segments, which are not read");
    }
    let half = |bits: &[i32], number: fn(u16) -> f64| -> Option<Vec<f64>> {
        bits.iter().map(|bits| u16::try_from(*bits).ok().map(number)).collect()
    };
    // Numbers stand in a field of their type, or as bytes.
    let (width, of_bytes, of_field): (usize, Vec<f64>, Option<Vec<f64>>) = match stored.data_type {
        FLOAT => {
            let of_bytes = each(&stored.raw, |bytes| f64::from(f32::from_le_bytes(bytes)));
            (4, of_bytes, Some(stored.floats.iter().copied().map(f64::from).collect()))
        }
        DOUBLE => (8, each(&stored.raw, f64::from_le_bytes), Some(stored.doubles.clone())),
        FLOAT16 => {
            (2, each(&stored.raw, |bytes| f16(u16::from_le_bytes(bytes))), half(&stored.integers, f16))
        }
        BFLOAT16 => {
            (2, each(&stored.raw, |bytes| bf16(u16::from_le_bytes(bytes))), half(&stored.integers, bf16))
        }
        other => {
            let found = format!("number {other} of ONNX");
            return Err(Error::TensorType { name: name.to_owned(), found });
        }
    };
    let Some(of_field) = of_field else { return refused("a number of it is beyond 16 bits") };
    match (stored.raw.is_empty(), of_field.is_empty()) {
        (false, false) => refused("its numbers are there twice, as bytes and in a field"),
        (false, true) => {
            let (expected, found) = (elements.saturating_mul(width), stored.raw.len());
            if expected != found {
                return Err(Error::TensorBytes { name: name.to_owned(), expected, found });
            }
            Ok(of_bytes)
        }
        (true, _) if of_field.len() == elements => Ok(of_field),
        (true, _) => refused(&format!("it has {} numbers, but its shape needs {elements}", of_field.len())),
    }
}
