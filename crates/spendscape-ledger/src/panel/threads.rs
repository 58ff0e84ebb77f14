//! Work on a ledger divided among threads.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::scan::{Counts, Producer, Scan};
use crate::Error;

/// Scans the ledger on some threads: each works on its own share of the rows, and its number is told. The first failure ends
/// the scan.
pub(crate) fn scan_all(
    scan: &Arc<Scan>,
    threads: NonZeroUsize,
    work: impl Fn(usize, &mut Producer) -> Result<(), Error> + Sync,
) -> Result<Counts, Error> {
    let each = on_threads(threads.get(), |worker| {
        let mut producer = Producer::new(scan.clone());
        match work(worker, &mut producer) {
            Ok(()) => Ok(producer.into_counts()),
            Err(error) => {
                // Nobody needs the rest.
                scan.stop();
                Err(error)
            }
        }
    })?;
    let mut counts = Counts::default();
    each.iter().for_each(|own| counts.add(own));
    Ok(counts)
}

/// Does jobs 0..`jobs` on some threads, each taking the next one, and hands on what they make in the order of the jobs. No job
/// begins after a failure.
pub(crate) fn in_order<R: Send>(
    jobs: usize,
    threads: NonZeroUsize,
    job: impl Fn(usize) -> Result<R, Error> + Sync,
    take: impl FnMut(R) + Send,
) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let turn = Mutex::new((0, BTreeMap::new(), take));
    on_threads(threads.get().min(jobs), |_| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= jobs {
                return Ok(());
            }
            let made = job(at).inspect_err(|_| next.store(jobs, Ordering::Relaxed))?;
            let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let (expected, early, take) = &mut *turn;
            early.insert(at, made);
            while let Some(made) = early.remove(expected) {
                *expected += 1;
                take(made);
            }
        }
    })
    .map(drop)
}

/// Works on some threads, whose results come in the order of their numbers.
fn on_threads<R: Send>(
    threads: usize,
    work: impl Fn(usize) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    if threads < 2 {
        return (0..threads).map(work).collect();
    }
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..threads).map(|worker| scope.spawn(move || work(worker))).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        // All are waited for, whatever one of them says.
        workers.into_iter().map(join).collect::<Vec<_>>().into_iter().collect()
    })
}
