//! Files of tensors (safetensors): the one reader that networks, checkpoints and nets from elsewhere share.

use crate::error::Error;
use crate::real::Real;
use safetensors::tensor::{TensorInfo, TensorView};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// A tensor ready to be written: name, shape, little-endian bytes.
pub(crate) type Bytes = (String, Vec<usize>, Vec<u8>);

/// The tensors of a safetensors file, each described once, of 16, 32 or 64-bit floats.
#[derive(Debug)]
pub struct Tensors<'a>(SafeTensors<'a>);

impl<'a> Tensors<'a> {
    /// The tensors of a file, or what is wrong with it, by the tensor's name where one is to blame.
    ///
    /// # Errors
    /// [`Error::TensorName`] for a tensor described twice or in the wrong place, [`Error::TensorBytes`] for one that is cut
    /// off, [`Error::Safetensors`] for bytes that are no such file.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        if let Some(name) = header(bytes).and_then(|(header, _)| twice(header)) {
            return Err(Error::TensorName { name, problem: "described twice" });
        }
        let file = SafeTensors::deserialize(bytes).map_err(|error| match error {
            SafeTensorError::InvalidOffset(name) => {
                Error::TensorName { name, problem: "not where the one before it ends" }
            }
            other => short_tensor(bytes).unwrap_or(Error::Safetensors(other)),
        })?;
        Ok(Self(file))
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names = self.0.names();
        names.sort_unstable();
        names
    }

    /// The shape of a tensor; `None` if there is none of that name.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        Some(self.0.tensor(name).ok()?.shape().to_vec())
    }

    /// Whether a kind of tensors is there at all. By this rule biases are read everywhere: a file without any has zeros, one
    /// with some must have all, as a single one that is missing is a damage or another parametrization.
    #[must_use]
    pub fn any<N: AsRef<str>>(&self, names: &[N]) -> bool {
        names.iter().any(|name| self.0.tensor(name.as_ref()).is_ok())
    }

    /// The numbers of a tensor with the given shape; NaN, and what is infinite in `F`, is refused.
    ///
    /// # Errors
    /// [`Error::TensorName`] for a missing tensor, [`Error::TensorShape`], [`Error::TensorType`] or [`Error::TensorValue`].
    pub fn finite<F: Real>(&self, name: &str, shape: &[usize]) -> Result<Vec<F>, Error> {
        let values = self.numbers(name, shape)?.into_iter().enumerate();
        let checked = values.map(|(index, value)| {
            let near = F::from_f64(value);
            let refused = || Error::TensorValue { name: name.to_owned(), index, value };
            near.is_finite().then_some(near).ok_or_else(refused)
        });
        checked.collect()
    }

    /// The numbers of a tensor with the given shape, in f64.
    pub(crate) fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>, Error> {
        let Ok(tensor) = self.0.tensor(name) else {
            return Err(Error::TensorName { name: name.to_owned(), problem: "missing" });
        };
        if tensor.shape() != shape {
            let (expected, found) = (shape.to_vec(), tensor.shape().to_vec());
            return Err(Error::TensorShape { name: name.to_owned(), expected, found });
        }
        let data = tensor.data();
        Ok(match tensor.dtype() {
            Dtype::F16 => each(data, |bytes| f16(u16::from_le_bytes(bytes))),
            Dtype::BF16 => each(data, |bytes| bf16(u16::from_le_bytes(bytes))),
            Dtype::F32 => each(data, |bytes| f64::from(f32::from_le_bytes(bytes))),
            Dtype::F64 => each(data, f64::from_le_bytes),
            other => return Err(Error::TensorType { name: name.to_owned(), found: format!("{other:?}") }),
        })
    }

    /// Refuses tensors beside those known.
    pub(crate) fn nothing_else(&self, known: &HashSet<String>) -> Result<(), Error> {
        match self.names().into_iter().find(|&name| !known.contains(name) && !is_seed(name)) {
            Some(name) => {
                Err(Error::TensorName { name: name.to_owned(), problem: "not part of the network" })
            }
            None => Ok(()),
        }
    }
}

/// Whether a tensor of Keras is the state of the random numbers that dropout draws from, which is no weight.
pub(crate) fn is_seed(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with("seed_generator"))
}

/// The numbers of `N` bytes each.
pub(crate) fn each<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    data.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

/// A number of IEEE 754's binary16: sign, 5 bits of exponent, 10 of mantissa; f64 holds it exactly.
pub(crate) fn f16(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + mantissa) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// A number of the format bfloat16, the upper half of an f32.
pub(crate) fn bf16(bits: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(bits) << 16))
}

/// The header of a file, which is JSON, and the numbers behind it.
fn header(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// The first key that the header has twice: of these, a map would keep one without a word.
fn twice(header: &[u8]) -> Option<String> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Option<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the descriptions of tensors")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let (mut seen, mut twice) = (HashSet::new(), None);
            while let Some((key, _)) = entries.next_entry::<String, IgnoredAny>()? {
                if !seen.insert(key.clone()) {
                    twice = twice.or(Some(key));
                }
            }
            Ok(twice)
        }
    }
    serde_json::Deserializer::from_slice(header).deserialize_map(Keys).ok().flatten()
}

/// The first tensor of which the file has another number of bytes than its shape needs.
fn short_tensor(bytes: &[u8]) -> Option<Error> {
    let (header, data) = header(bytes)?;
    // What is no description of a tensor is the file's metadata.
    let entries: HashMap<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    let tensors = entries.into_iter().map(|(name, entry)| Some((name, serde_json::from_value(entry).ok()?)));
    let mut tensors: Vec<(String, TensorInfo)> = tensors.flatten().collect();
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    tensors.into_iter().find_map(|(name, info)| {
        let (start, end) = info.data_offsets;
        let elements = info.shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        let expected =
            elements.and_then(|n| n.checked_mul(info.dtype.bitsize())).map_or(usize::MAX, |n| n / 8);
        let found = end.min(data.len()).saturating_sub(start);
        (expected != found).then_some(Error::TensorBytes { name, expected, found })
    })
}

/// A tensor's name, shape and little-endian bytes.
pub(crate) fn bytes<F: Real>(name: String, shape: Vec<usize>, values: &[F]) -> Bytes {
    (name, shape, values.iter().flat_map(|x| x.little_endian()).collect())
}

/// The file of some tensors of one type.
pub(crate) fn write(tensors: &[Bytes], dtype: Dtype) -> Result<Vec<u8>, Error> {
    let views = tensors.iter().map(|(name, shape, bytes)| {
        TensorView::new(dtype, shape.clone(), bytes).map(|view| (name.clone(), view))
    });
    let views: Result<Vec<_>, _> = views.collect();
    Ok(safetensors::serialize(views?, None)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_exact() {
        // IEEE 754-2019: one, minus two, the largest number, the smallest normal and the smallest subnormal one.
        let known = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0400, 2f64.powi(-14)),
            (0x0001, 2f64.powi(-24)),
            (0x7c00, f64::INFINITY),
        ];
        for (bits, value) in known {
            assert_eq!(f16(bits), value, "{bits:#x}");
        }
        assert!(f16(0x7e00).is_nan());
        let data: Vec<u8> = [0x3fc0u16, 0xc040].iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::BF16, vec![2], &data).unwrap();
        let file = safetensors::serialize([("x", view)], None).unwrap();
        assert_eq!(Tensors::open(&file).unwrap().finite::<f64>("x", &[2]).unwrap(), [1.5, -3.0]);
    }
}
