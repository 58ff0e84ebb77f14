//! Work on a ledger divided among threads.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    rows::{Division, Rows},
    scan::{Counts, Producer, Scan},
};
use crate::Error;

/// Scans the ledger on some threads and hands the rows of each part to `add`; the first failure ends the scan.
pub(crate) fn scan_divided(
    scan: &Arc<Scan>,
    division: Division,
    threads: NonZeroUsize,
    add: impl Fn(usize, &Rows) -> Result<(), Error> + Sync,
) -> Result<Counts, Error> {
    let parts = division.parts();
    let work = |worker: usize| -> Result<Counts, Error> {
        let mut producer = Producer::new(scan.clone());
        while let Some(rows) = producer.next()? {
            let divided = division.divide(rows);
            // Each thread begins with another part, so that they seldom meet.
            for part in (0..parts).map(|step| (worker * parts / threads.get() + step) % parts) {
                if divided[part].len() > 0 {
                    add(part, &divided[part])?;
                }
            }
        }
        Ok(producer.into_counts())
    };
    let each = in_order(threads.get(), threads, |worker| {
        work(worker).inspect_err(|_| {
            // Nobody needs the rest.
            scan.stop();
        })
    })?;
    let mut counts = Counts::default();
    each.iter().for_each(|own| counts.add(own));
    Ok(counts)
}

/// Does jobs 0..`jobs` on some threads, each taking the next one; results come in the order of the jobs, and no job begins
/// after a failure.
pub(crate) fn in_order<R: Send>(
    jobs: usize,
    threads: NonZeroUsize,
    job: impl Fn(usize) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, R)>, Error> {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= jobs {
                return Ok(done);
            }
            let result = job(at).inspect_err(|_| next.store(jobs, Ordering::Relaxed))?;
            done.push((at, result));
        }
    };
    let workers = threads.get().min(jobs);
    let mut done = if workers < 2 {
        work()?
    } else {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let mut done = Vec::with_capacity(jobs);
            for worker in workers {
                done.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, Error>(done)
        })?
    };
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
