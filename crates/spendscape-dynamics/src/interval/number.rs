//! The numbers that interval arithmetic is written in: one at a time, or several side by side in a vector, each of which
//! then has the bits that it has alone.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Exponent bias of binary64.
const BIAS: u64 = 1023;
/// Bits of a fraction of binary64.
const FRACTION_BITS: i32 = 52;
/// The bits of 2^52: a small whole number in its fraction is the number 2^52 more.
const WHOLE: u64 = 0x4330_0000_0000_0000;
/// The fraction of a number.
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
/// The upper half of the bits of sqrt(1/2), rounded down, and how far it lies below one.
const ROOT_HALF: u64 = 0x3fe6_a09e << 32;
const BELOW_ONE: u64 = (0x3ff0_0000 << 32) - ROOT_HALF;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f64 {}
    #[cfg(target_arch = "x86_64")]
    impl Sealed for super::Four {}
}

/// A number type for [`Interval`](crate::interval::Interval)s. Sealed, because enclosures rely on its rounding.
pub trait Number:
    sealed::Sealed
    + Copy
    + Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The truth of a comparison, for each number.
    type Mask: Copy + Debug;

    /// The same constant in every place.
    #[must_use]
    fn like(self, x: f64) -> Self;
    /// The absolute value.
    #[must_use]
    fn abs(self) -> Self;
    /// The size of this number with the sign of another.
    #[must_use]
    fn copysign(self, sign: Self) -> Self;
    /// The smaller of two numbers that are not NaN; of others the second.
    #[must_use]
    fn least(self, other: Self) -> Self;
    /// The larger of two numbers that are not NaN; of others the second.
    #[must_use]
    fn most(self, other: Self) -> Self;
    /// `self < other`.
    fn below(self, other: Self) -> Self::Mask;
    /// `self <= other`.
    fn at_most(self, other: Self) -> Self::Mask;
    /// Whether it is NaN.
    fn not_a_number(self) -> Self::Mask;
    /// `yes` where the mask is set and `no` elsewhere.
    #[must_use]
    fn pick(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// Where both are set.
    fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Where one is set.
    fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Where it is not set.
    fn not(mask: Self::Mask) -> Self::Mask;
    /// Whether it is set anywhere.
    fn any(mask: Self::Mask) -> bool;
    /// Two to the power of the whole number in the lowest bits, which lies within the range of exponents.
    #[must_use]
    fn power_of_low_bits(self) -> Self;
    /// A positive normal number as `2^k m` with `m` from sqrt(1/2) to sqrt(2): `(k, m)`.
    #[must_use]
    fn split_power(self) -> (Self, Self);
}

impl Number for f64 {
    type Mask = bool;

    #[inline(always)]
    fn like(self, x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self::abs(self)
    }
    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        Self::copysign(self, sign)
    }
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn most(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn below(self, other: Self) -> bool {
        self < other
    }
    #[inline(always)]
    fn at_most(self, other: Self) -> bool {
        self <= other
    }
    #[inline(always)]
    fn not_a_number(self) -> bool {
        self.is_nan()
    }
    #[inline(always)]
    fn pick(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
    #[inline(always)]
    fn both(a: bool, b: bool) -> bool {
        a && b
    }
    #[inline(always)]
    fn either(a: bool, b: bool) -> bool {
        a || b
    }
    #[inline(always)]
    fn not(mask: bool) -> bool {
        !mask
    }
    #[inline(always)]
    fn any(mask: bool) -> bool {
        mask
    }
    #[inline(always)]
    fn power_of_low_bits(self) -> Self {
        Self::from_bits(self.to_bits().wrapping_add(BIAS) << FRACTION_BITS)
    }
    #[inline(always)]
    fn split_power(self) -> (Self, Self) {
        let bits = self.to_bits().wrapping_add(BELOW_ONE);
        let k = Self::from_bits(bits >> FRACTION_BITS | WHOLE) - (WHOLE_AS_NUMBER + BIAS as Self);
        (k, Self::from_bits((bits & FRACTION) + ROOT_HALF))
    }
}

/// 2^52.
const WHOLE_AS_NUMBER: f64 = 4_503_599_627_370_496.0;

#[cfg(target_arch = "x86_64")]
pub(crate) use four::Four;

#[cfg(target_arch = "x86_64")]
mod four {
    use pulp::{Simd, cast, f64x4, m64x4, u64x4, x86::V3};

    use super::*;

    /// Four numbers in one vector of AVX2.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Four(f64x4, V3);

    impl Four {
        /// These numbers, for a CPU that has the instructions.
        #[inline(always)]
        pub(crate) fn new(v3: V3, numbers: [f64; 4]) -> Self {
            Self(cast(numbers), v3)
        }

        #[inline(always)]
        pub(crate) fn numbers(self) -> [f64; 4] {
            cast(self.0)
        }

        /// Where a mask is set.
        #[inline(always)]
        pub(crate) fn set(mask: (m64x4, V3)) -> [bool; 4] {
            let bits: [u64; 4] = cast(mask.0);
            bits.map(|bits| bits != 0)
        }
    }

    impl Add for Four {
        type Output = Self;
        #[inline(always)]
        fn add(self, b: Self) -> Self {
            Self(self.1.add_f64s(self.0, b.0), self.1)
        }
    }

    impl Sub for Four {
        type Output = Self;
        #[inline(always)]
        fn sub(self, b: Self) -> Self {
            Self(self.1.sub_f64s(self.0, b.0), self.1)
        }
    }

    impl Mul for Four {
        type Output = Self;
        #[inline(always)]
        fn mul(self, b: Self) -> Self {
            Self(self.1.mul_f64s(self.0, b.0), self.1)
        }
    }

    impl Div for Four {
        type Output = Self;
        #[inline(always)]
        fn div(self, b: Self) -> Self {
            Self(self.1.div_f64s(self.0, b.0), self.1)
        }
    }

    impl Neg for Four {
        type Output = Self;
        #[inline(always)]
        fn neg(self) -> Self {
            Self(self.1.xor_f64s(self.0, self.1.splat_f64s(-0.0)), self.1)
        }
    }

    impl Number for Four {
        type Mask = (m64x4, V3);

        #[inline(always)]
        fn like(self, x: f64) -> Self {
            Self(self.1.splat_f64s(x), self.1)
        }
        #[inline(always)]
        fn abs(self) -> Self {
            Self(self.1.abs_f64s(self.0), self.1)
        }
        #[inline(always)]
        fn copysign(self, sign: Self) -> Self {
            let minus = self.1.and_f64s(sign.0, self.1.splat_f64s(-0.0));
            Self(self.1.or_f64s(self.1.abs_f64s(self.0), minus), self.1)
        }
        #[inline(always)]
        fn least(self, other: Self) -> Self {
            Self(cast(self.1.avx._mm256_min_pd(cast(self.0), cast(other.0))), self.1)
        }
        #[inline(always)]
        fn most(self, other: Self) -> Self {
            Self(cast(self.1.avx._mm256_max_pd(cast(self.0), cast(other.0))), self.1)
        }
        #[inline(always)]
        fn below(self, other: Self) -> Self::Mask {
            (self.1.cmp_lt_f64x4(self.0, other.0), self.1)
        }
        #[inline(always)]
        fn at_most(self, other: Self) -> Self::Mask {
            (self.1.cmp_le_f64x4(self.0, other.0), self.1)
        }
        #[inline(always)]
        fn not_a_number(self) -> Self::Mask {
            (self.1.is_nan_f64x4(self.0), self.1)
        }
        #[inline(always)]
        fn pick(mask: Self::Mask, yes: Self, no: Self) -> Self {
            Self(mask.1.select_f64x4(mask.0, yes.0, no.0), mask.1)
        }
        #[inline(always)]
        fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask {
            (a.1.and_m64s(a.0, b.0), a.1)
        }
        #[inline(always)]
        fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask {
            (a.1.or_m64s(a.0, b.0), a.1)
        }
        #[inline(always)]
        fn not(mask: Self::Mask) -> Self::Mask {
            (mask.1.not_m64x4(mask.0), mask.1)
        }
        #[inline(always)]
        fn any(mask: Self::Mask) -> bool {
            mask.1.avx._mm256_movemask_pd(cast(mask.0)) != 0
        }
        #[inline(always)]
        fn power_of_low_bits(self) -> Self {
            let biased = self.1.add_u64s(cast(self.0), self.1.splat_u64s(BIAS));
            Self(cast(self.1.shl_const_u64x4::<FRACTION_BITS>(biased)), self.1)
        }
        #[inline(always)]
        fn split_power(self) -> (Self, Self) {
            let v3 = self.1;
            let bits: u64x4 = v3.add_u64s(cast(self.0), v3.splat_u64s(BELOW_ONE));
            let whole = v3.or_u64s(v3.shr_const_u64x4::<FRACTION_BITS>(bits), v3.splat_u64s(WHOLE));
            let k = Self(cast(whole), v3) - self.like(WHOLE_AS_NUMBER + BIAS as f64);
            let fraction = v3.and_u64s(bits, v3.splat_u64s(FRACTION));
            (k, Self(cast(v3.add_u64s(fraction, v3.splat_u64s(ROOT_HALF))), v3))
        }
    }
}
