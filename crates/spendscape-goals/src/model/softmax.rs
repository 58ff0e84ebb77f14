//! Softmax of logits.

use ndarray::Array2;

/// Elements whose powers are taken at once: rows are shorter than what a vector is worth.
const AT_ONCE: usize = 512;

/// Softmax of each row of logits over a temperature.
pub(crate) fn softmax(logits: &Array2<f32>, temperature: f64) -> Array2<f64> {
    let mut p = logits.mapv(|logit| f64::from(logit) / temperature).as_standard_layout().into_owned();
    for mut row in p.rows_mut() {
        let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row -= top;
    }
    p.as_slice_mut().into_iter().flat_map(|p| p.chunks_mut(AT_ONCE)).for_each(exp);
    for mut row in p.rows_mut() {
        row /= row.sum();
    }
    p
}

/// The least power that is not taken for a denormal number.
const LEAST: f64 = -700.0;
/// 2^52 + 2^51: what is added to it and taken off again is rounded to a whole number.
const WHOLE: f64 = 6_755_399_441_055_744.0;
/// 2^52 and the offset of exponents: a whole number that is added to it becomes the exponent in its last bits.
const EXPONENT: f64 = 4_503_599_627_370_496.0 + 1023.0;
/// Sizes of x from which on e^x is not 1 + x, half a power of two, and more: 2^-28, ln 2 / 2 and 1.5 ln 2, by the upper halves
/// of their bits.
const SMALL: f64 = f64::from_bits(0x3e30_0001_0000_0000);
const HALF: f64 = f64::from_bits(0x3fd6_2e43_0000_0000);
const MORE: f64 = f64::from_bits(0x3ff0_a2b2_0000_0000);
/// ln 2 as a sum of two numbers, the first of which has few bits, and 1 / ln 2.
const LN_2: [f64; 2] = [f64::from_bits(0x3fe6_2e42_fee0_0000), f64::from_bits(0x3dea_39ef_3579_3c76)];
const PER_LN_2: f64 = f64::from_bits(0x3ff7_1547_652b_82fe);
/// Remez coefficients of x - x (e^x + 1) / (e^x - 1) + 2 on [0, ln 2 / 2] in x^2, without the constant.
const REMEZ: [f64; 5] = [
    f64::from_bits(0x3fc5_5555_5555_553e),
    f64::from_bits(0xbf66_c16c_16be_bd93),
    f64::from_bits(0x3f11_566a_af25_de2c),
    f64::from_bits(0xbebb_bd41_c5d2_6bf1),
    f64::from_bits(0x3e66_3769_72be_a4d0),
];

/// e^x of every element, bit for bit what `libm` gives (FreeBSD's `e_exp.c`). Its steps are taken without a branch, so that a
/// compiler takes them for several elements at once; what is neither negative nor moderate is left to the library.
fn exp(x: &mut [f64]) {
    if !x.iter().all(|x| (LEAST..=0.0).contains(x)) {
        x.iter_mut().for_each(|x| *x = libm::exp(*x));
        return;
    }
    for x in x {
        // x / ln 2 - 1/2 rounded towards zero: to the nearest whole number, and up from there if that is below.
        let power = PER_LN_2 * *x - 0.5;
        let near = (power + WHOLE) - WHOLE;
        let power = if near < power { near + 1.0 } else { near };
        let power = if -*x >= MORE { power } else { -1.0 };
        let power = if -*x >= HALF { power } else { 0.0 };
        let (high, low) = (*x - power * LN_2[0], power * LN_2[1]);
        let rest = high - low;
        let square = rest * rest;
        let [p1, p2, p3, p4, p5] = REMEZ;
        let c = rest - square * (p1 + square * (p2 + square * (p3 + square * (p4 + square * p5))));
        let e = 1.0 + (rest * c / (2.0 - c) - low + high);
        let e = if -*x >= SMALL { e } else { 1.0 + *x };
        *x = e * f64::from_bits((power + EXPONENT).to_bits() << 52);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same_as_the_library(x: &[f64]) -> Result<(), TestCaseError> {
        let mut found = x.to_vec();
        exp(&mut found);
        for (x, found) in x.iter().zip(found) {
            prop_assert_eq!(found.to_bits(), libm::exp(*x).to_bits(), "{:e}", x);
        }
        Ok(())
    }

    /// Numbers around those at which steps differ, and at the ends.
    #[test]
    fn steps_change_where_the_library_changes_them() {
        let mut x = vec![0.0, -0.0, -f64::MIN_POSITIVE, LEAST, -1e-300];
        for edge in [SMALL, HALF, MORE] {
            x.extend((edge.to_bits() - 1000..edge.to_bits() + 1000).map(|bits| -f64::from_bits(bits)));
            x.extend(
                (edge.to_bits() - (1 << 34)..edge.to_bits() + (1 << 34))
                    .step_by(1 << 24)
                    .map(|bits| -f64::from_bits(bits)),
            );
        }
        for half in 1..2000 {
            let edge = f64::from(half) * 0.5 / PER_LN_2;
            x.extend((edge.to_bits() - 3..=edge.to_bits() + 3).map(|bits| -f64::from_bits(bits)));
        }
        x.retain(|x| *x >= LEAST);
        same_as_the_library(&x).unwrap();
    }

    #[test]
    fn what_is_not_negative_and_moderate_is_left_to_the_library() {
        for x in [f64::NAN, f64::NEG_INFINITY, -745.0, -1e9, 3.0] {
            let mut found = [x, -1.0];
            exp(&mut found);
            assert_eq!(found.map(f64::to_bits), [x, -1.0].map(|x| libm::exp(x).to_bits()));
        }
    }

    proptest! {
        #[test]
        fn every_bit_is_the_library_s(x in prop::collection::vec(prop_oneof![-700.0..=0.0, -20.0..=0.0, -1e-6..=0.0], 1..200)) {
            same_as_the_library(&x)?;
        }
    }

    #[test]
    fn rows_add_up_and_a_temperature_flattens_them() {
        let logits = Array2::from_shape_vec((2, 3), vec![1.0, 2.0, 4.0, -1000.0, 0.0, 0.0]).unwrap();
        let p = softmax(&logits, 2.0);
        let expected = [0.5_f64, 1.0, 2.0].map(f64::exp);
        let sum: f64 = expected.iter().sum();
        assert!(p.row(0).iter().zip(expected).all(|(p, e)| (p - e / sum).abs() < 1e-15));
        assert_eq!(p.row(1).to_vec(), [libm::exp(-500.0) / 2.0, 0.5, 0.5]);
    }
}
