//! Rounds of pieces that the threads of an epoch take from each other, and how they wait for the next round.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};

/// Turns of a loop that a thread waits first, some microseconds: between two batches of a small net pass fewer.
const SPINS: usize = 128;

/// Turns after those in which it gives way to other threads, some hundred microseconds, before it sleeps; waking up takes
/// some dozens.
const YIELDS: usize = 512;

/// The bits of [`Rounds::open`] that count pieces; above them stands the round's number, so that a thread that was slow to
/// look cannot take a piece of a later round for one of an earlier.
const PIECE_BITS: u32 = 8;

/// [`Rounds::open`] when no round will follow.
const ENDED: u64 = 1 << 63;

/// Hands the pieces of one round after the other to the thread that leads and to those that help it. The leader needs no
/// helper: it takes all pieces that nobody else has taken, and only waits for those that are being computed.
pub(super) struct Rounds {
    /// The round's number and how many of its pieces nobody has taken.
    open: AtomicU64,
    /// Pieces that are not finished.
    unfinished: AtomicUsize,
    leader: Thread,
    helpers: Mutex<Vec<Thread>>,
}

impl Rounds {
    /// Rounds led by the calling thread, before the first.
    pub(super) fn new() -> Self {
        Self {
            open: AtomicU64::new(0),
            unfinished: AtomicUsize::new(0),
            leader: thread::current(),
            helpers: Mutex::default(),
        }
    }

    /// One round: `work` does a piece, given how many have not been taken (from `pieces`, below 2^8, down to 1). Returns
    /// when all are done.
    pub(super) fn lead(&self, pieces: usize, mut work: impl FnMut(usize)) {
        self.unfinished.store(pieces, Ordering::Relaxed);
        let round = (self.open.load(Ordering::Relaxed) >> PIECE_BITS) + 1;
        self.publish(round << PIECE_BITS | pieces as u64);
        while let Some(piece) = self.take() {
            let _finished = Finished(self);
            work(piece);
        }
        wait_until(|| self.unfinished.load(Ordering::Acquire) == 0);
    }

    /// Does pieces of all rounds from now on, until they end.
    pub(super) fn help(&self, mut work: impl FnMut(usize)) {
        self.helpers.lock().unwrap_or_else(PoisonError::into_inner).push(thread::current());
        loop {
            wait_until(|| self.open.load(Ordering::Acquire) & (pieces_of(u64::MAX) | ENDED) > 0);
            while let Some(piece) = self.take() {
                let _finished = Finished(self);
                work(piece);
            }
            if self.open.load(Ordering::Acquire) == ENDED {
                return;
            }
        }
    }

    /// Lets the helpers go when what is returned is dropped, also by a panic.
    pub(super) fn end_on_drop(&self) -> impl Drop {
        struct End<'a>(&'a Rounds);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.publish(ENDED);
            }
        }
        End(self)
    }

    /// Shows the helpers something new.
    fn publish(&self, open: u64) {
        self.open.store(open, Ordering::Release);
        for helper in self.helpers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            helper.unpark();
        }
    }

    fn take(&self) -> Option<usize> {
        let one_less = |open| (pieces_of(open) > 0).then(|| open - 1);
        let before = self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less);
        before.ok().map(|open| pieces_of(open) as usize)
    }
}

/// A piece that somebody has taken; finished when this is dropped, so that nobody waits for one whose thread has panicked.
struct Finished<'a>(&'a Rounds);

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        if self.0.unfinished.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.leader.unpark();
        }
    }
}

fn pieces_of(open: u64) -> u64 {
    open & ((1 << PIECE_BITS) - 1)
}

/// Waits for what another thread will do, after which it unparks this one.
fn wait_until(ready: impl Fn() -> bool) {
    let mut turn = 0;
    while !ready() {
        match turn {
            0..SPINS => std::hint::spin_loop(),
            SPINS..YIELDS => thread::yield_now(),
            _ => thread::park(),
        }
        turn += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Rounds;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;

    /// Every piece of every round is done once and before the next round begins, whether helpers are there, come late, sleep
    /// between rounds, or outnumber pieces and cores.
    #[test]
    fn every_piece_is_done_once_and_in_its_round() {
        for (helpers, pieces) in [(0, 3), (1, 2), (1, 255), (5, 2), (9, 16)] {
            let rounds = Rounds::new();
            let round = AtomicUsize::new(0);
            let done = Mutex::new(Vec::new());
            let work = |piece| done.lock().unwrap().push((round.load(Ordering::SeqCst), piece));
            std::thread::scope(|scope| {
                let _end = rounds.end_on_drop();
                for helper in 0..helpers {
                    let (rounds, work) = (&rounds, &work);
                    scope.spawn(move || {
                        std::thread::sleep(Duration::from_millis(helper % 3));
                        rounds.help(work);
                    });
                }
                for number in 0..60 {
                    round.store(number, Ordering::SeqCst);
                    rounds.lead(pieces, work);
                    assert_eq!(done.lock().unwrap().len(), (number + 1) * pieces);
                    if number % 20 == 7 {
                        std::thread::sleep(Duration::from_millis(3));
                    }
                }
            });
            let mut found = done.into_inner().unwrap();
            found.sort_unstable();
            let all = (0..60).flat_map(|round| (1..=pieces).map(move |piece| (round, piece)));
            assert_eq!(found, all.collect::<Vec<_>>(), "{helpers} helpers, {pieces} pieces");
        }
    }

    #[test]
    fn a_panic_of_a_helper_or_of_the_leader_ends_the_rounds() {
        let outcome = |panicking: fn(bool)| {
            let rounds = Rounds::new();
            // Each waits for the other, so that both have a piece.
            let (helped, led) = (AtomicBool::new(false), AtomicBool::new(false));
            let meet = |own: &AtomicBool, other: &AtomicBool| {
                own.store(true, Ordering::SeqCst);
                while !other.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
            };
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                std::thread::scope(|scope| {
                    let _end = rounds.end_on_drop();
                    scope.spawn(|| {
                        rounds.help(|_| {
                            meet(&helped, &led);
                            panicking(true);
                        });
                    });
                    rounds.lead(2, |_| {
                        meet(&led, &helped);
                        panicking(false);
                    });
                });
            }))
        };
        assert!(outcome(|helper| assert!(!helper, "helper")).is_err());
        assert!(outcome(|helper| assert!(helper, "leader")).is_err());
        assert!(outcome(|_| ()).is_ok());
    }
}
