//! What declarations of inputs and of outputs have in common.

/// A struct of tables and the like, and which files they are: the part of `Inputs` or `Outputs` that the declaration alone
/// tells. What else the trait asks for stands before the struct.
#[doc(hidden)]
#[macro_export]
macro_rules! declare {
    ($trait:path { $($rest:tt)* } $(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$doc:meta])* $access:vis $field:ident: $type:ty = $kind:ident $place:expr),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name {
            $($(#[$doc])* $access $field: $type),*
        }

        impl $trait for $name {
            fn files() -> Vec<$crate::File> {
                let files: Vec<Vec<$crate::File>> =
                    vec![$($crate::declare!(@files $kind $type, $place, $trait)),*];
                files.concat()
            }

            $($rest)*
        }
    };
    (@files table $type:ty, $place:expr, $trait:path) => { vec![$place] };
    (@files stream $type:ty, $place:expr, $trait:path) => { vec![$place] };
    (@files all $type:ty, $place:expr, $trait:path) => { <$type as $trait>::files() };
    (@files $kind:ident $type:ty, $place:expr, $trait:path) => { Vec::new() };
}
