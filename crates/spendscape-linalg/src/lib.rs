#![doc = include_str!("../README.md")]
//!
//! # Input policy
//!
//! * Shapes that do not fit, NaN and infinity are errors that name the argument and the entry.
//! * Empty matrices have the value that mathematics gives them (a determinant of 1, a rank of 0, factors without
//!   columns), or an error where there is none (a condition number).
//! * Every matrix is scaled by a power of two before a backend sees it, so entries near 1e300 or 1e-300 lose nothing,
//!   and a result scales exactly with its input. A result that does not fit into an f64 is an error, never infinity.
//! * Order and sign of vectors are fixed here, not by the backend.

mod error;
mod policy;

mod backend;
mod balance;
mod eigen;
mod equilibrated;
mod least_squares;
mod linear;
mod polynomial;
mod principal;
mod product;
mod qr;
mod semidefinite;
pub mod small;
mod svd;

pub use backend::Backend;
pub use balance::{Balanced, balance};
pub use eigen::{Eigen, SymmetricEigen, eig, eigh, eigvals};
pub use error::Error;
pub use least_squares::{LeastSquares, lstsq};
pub use linear::{cholesky, det, inv, solve, solve_factored, solve_vec};
pub use polynomial::{polyfit, polyfit_many, polyval};
pub use principal::{PrincipalComponents, principal_components, variance_along};
pub use product::{add_gram, add_product, gram, matmul};
pub use qr::{PivotedQr, Qr, qr, qr_pivoted};
pub use semidefinite::{SemidefiniteSolution, solve_semidefinite};
pub use svd::{Svd, cond, default_rcond, pinv, rank, singular_values, svd};
