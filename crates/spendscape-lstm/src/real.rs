//! The float types a network can be made of.

use ndarray::NdFloat;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` (training) or `f64` (checking gradients, fixed points).
pub trait Real: NdFloat + Default + sealed::Sealed {
    #[doc(hidden)]
    const ZERO: Self;
    #[doc(hidden)]
    const ONE: Self;
    /// Nearest value to an f64.
    fn from_f64(x: f64) -> Self;
    /// The same value as an f64.
    fn as_f64(self) -> f64;
    #[doc(hidden)]
    const DTYPE: safetensors::Dtype;
    #[doc(hidden)]
    fn little_endian(self) -> impl Iterator<Item = u8>;
}

impl Real for f32 {
    const DTYPE: safetensors::Dtype = safetensors::Dtype::F32;
    fn little_endian(self) -> impl Iterator<Item = u8> {
        self.to_le_bytes().into_iter()
    }
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    #[inline]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    #[inline]
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const DTYPE: safetensors::Dtype = safetensors::Dtype::F64;
    fn little_endian(self) -> impl Iterator<Item = u8> {
        self.to_le_bytes().into_iter()
    }
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    #[inline]
    fn from_f64(x: f64) -> Self {
        x
    }
    #[inline]
    fn as_f64(self) -> f64 {
        self
    }
}
