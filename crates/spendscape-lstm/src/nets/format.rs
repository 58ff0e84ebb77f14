//! The format of a file, told by its first bytes: names lie.

use crate::error::Error;

/// Kinds of files that are read.
pub(super) enum Format {
    Safetensors,
    Onnx,
}

/// Kinds that are refused: how they begin, and what to do.
const REFUSED: [(&[u8], &str); 4] = [
    (
        b"\x89HDF\r\n\x1a\n",
        "it is an HDF5 file of Keras: load the model there and save its weights as safetensors: \
         safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, \"net.safetensors\")",
    ),
    (b"PK\x03\x04", ZIP),
    (
        b"\x80\x02",
        "it is a pickle of PyTorch: load it there and save its weights as safetensors: \
         safetensors.torch.save_file(model.state_dict(), \"net.safetensors\")",
    ),
    (
        b"version https://git-lfs",
        "it is a pointer of Git LFS, not the file itself: fetch that (git lfs pull)",
    ),
];

const ZIP: &str = "it is a ZIP file, as PyTorch (.pt) and Keras (.keras) save models: load it there and save its weights as \
     safetensors: safetensors.torch.save_file(model.state_dict(), \"net.safetensors\"), or \
     safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, \"net.safetensors\")";

/// The first byte of an ONNX file: field 1 of its model, the version of the format, a number.
const ONNX: u8 = 0x08;

/// The kind of a file.
///
/// # Errors
/// [`Error::NetFile`] for a kind that is known and not read.
pub(super) fn of(bytes: &[u8]) -> Result<Format, Error> {
    // A file of tensors has eight bytes of length, which may be any, and then JSON.
    if bytes.get(8) == Some(&b'{') {
        return Ok(Format::Safetensors);
    }
    if let Some((_, problem)) = REFUSED.iter().find(|(begin, _)| bytes.starts_with(begin)) {
        return Err(super::problem_of("the file", *problem));
    }
    Ok(if bytes.first() == Some(&ONNX) { Format::Onnx } else { Format::Safetensors })
}
