//! Divides a scan among the partitions of a plan by customer.
//!
//! Every partition decodes row groups of its own and hands each row to the partition that owns its customer, so that a
//! customer's block exists once, however many threads there are. A partition aggregates what was handed to it before it
//! decodes more, which bounds what lies in between.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use futures::{StreamExt, stream, stream::BoxStream};

use super::{
    rows::{Division, Rows},
    scan::{Counts, Producer, Scan},
};
use crate::Error;

/// Batches that may wait for one partition before the others stop decoding: it bounds memory (a batch is at most 256 KB)
/// and lets a partition run ahead of a busy one.
const QUEUE_LIMIT: usize = 64;

#[derive(Debug)]
struct State {
    queues: Vec<VecDeque<Rows>>,
    /// The partition that sleeps in each place.
    sleepers: Vec<Option<Waker>>,
    /// Partitions that are not done decoding.
    producing: usize,
    counts: Counts,
}

impl State {
    fn wake_all(&mut self) {
        self.sleepers.iter_mut().filter_map(Option::take).for_each(Waker::wake);
    }
}

/// What the partitions share.
#[derive(Debug)]
pub(crate) struct Exchange {
    division: Division,
    state: Mutex<State>,
}

impl Exchange {
    /// One stream of rows per part, and the exchange, whose counts are complete when all streams have ended.
    pub(crate) fn open(
        scan: &Arc<Scan>,
        parts: usize,
    ) -> (Arc<Self>, Vec<BoxStream<'static, Result<Rows, Error>>>) {
        let state = State {
            queues: vec![VecDeque::new(); parts],
            sleepers: vec![None; parts],
            producing: parts,
            counts: Counts::default(),
        };
        let exchange = Arc::new(Self { division: Division::Modulo(parts as u32), state: Mutex::new(state) });
        let streams = (0..parts)
            .map(|part| {
                let exchange = exchange.clone();
                let mut producer = Some(Producer::new(scan.clone()));
                stream::poll_fn(move |context| exchange.poll(part, &mut producer, context)).boxed()
            })
            .collect();
        (exchange, streams)
    }

    /// What was counted.
    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(
        &self,
        part: usize,
        producer: &mut Option<Producer>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Rows, Error>>> {
        loop {
            {
                let mut state = self.lock();
                if let Some(rows) = state.queues[part].pop_front() {
                    if state.queues[part].len() + 1 == QUEUE_LIMIT {
                        state.wake_all();
                    }
                    return Poll::Ready(Some(Ok(rows)));
                }
                if producer.is_none() && state.producing == 0 {
                    return Poll::Ready(None);
                }
                let full = state.queues.iter().any(|queue| queue.len() >= QUEUE_LIMIT);
                if producer.is_none() || full {
                    state.sleepers[part] = Some(context.waker().clone());
                    return Poll::Pending;
                }
            }
            let parts = match producer.as_mut().map(Producer::next) {
                Some(Ok(rows)) => rows.map(|rows| self.division.divide(rows)),
                Some(Err(error)) => {
                    // The plan fails as a whole: whoever waits for this partition must not wait forever.
                    *producer = None;
                    let mut state = self.lock();
                    state.producing -= 1;
                    state.wake_all();
                    return Poll::Ready(Some(Err(error)));
                }
                None => None,
            };
            let mut state = self.lock();
            match parts {
                Some(parts) => {
                    for (queue, rows) in state.queues.iter_mut().zip(parts) {
                        if rows.len() > 0 {
                            queue.push_back(rows);
                        }
                    }
                    let State { queues, sleepers, .. } = &mut *state;
                    for (queue, sleeper) in queues.iter().zip(sleepers) {
                        if !queue.is_empty()
                            && let Some(waker) = sleeper.take()
                        {
                            waker.wake();
                        }
                    }
                }
                None => {
                    if let Some(producer) = producer.take() {
                        state.counts.add(&producer.into_counts());
                    }
                    state.producing -= 1;
                    if state.producing == 0 {
                        state.wake_all();
                    }
                }
            }
        }
    }
}
