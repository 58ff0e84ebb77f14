//! Panics of other software as errors.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

thread_local! {
    /// Whether this thread runs work whose panic becomes an error.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` and gives the message of its panic as an error.
///
/// For software of others, which panics on some damaged files; our own panics are bugs and stay what they are. What `work`
/// was changing must not be used after an error. Such a panic is not printed: its message is in the error.
///
/// ```
/// use spendscape_store::catch_panic;
///
/// assert_eq!(catch_panic(|| 7), Ok(7));
/// assert_eq!(catch_panic(|| -> u8 { panic!("page 3 is cut") }), Err("page 3 is cut".to_owned()));
/// ```
///
/// # Errors
/// The panic's message.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                print(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| message(payload.as_ref()))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_later_ones_are_still_caught() {
        assert_eq!(catch_panic(|| 7), Ok(7));
        assert_eq!(catch_panic(|| -> u8 { panic!("page {}", 3) }), Err("page 3".to_owned()));
        assert_eq!(catch_panic(|| -> u8 { panic!("cut") }), Err("cut".to_owned()));
        let nested = catch_panic(|| catch_panic(|| -> u8 { panic!("inner") }));
        assert_eq!(nested, Ok(Err("inner".to_owned())));
        assert!(!GUARDED.get());
    }
}
