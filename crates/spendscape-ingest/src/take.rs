//! Takes the rows of a source: filters, customers and times, the same for every pass over the files, piece by piece on all
//! threads of the pool at hand.
//!
//! Files are read, and rows are told apart and counted, in rounds of a few pieces. What is made of a piece depends on no other
//! one; where it does (the numbers of rows, of customers, of classes), it is put together in the order of rows. So neither what
//! comes out nor the first row that is refused depends on the number of threads.

use std::{io, path::PathBuf};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use super::{
    chunk::Wanted,
    dictionary::Dictionary,
    expression::STACK_BYTES,
    map::ColumnMap,
    pass::{Pass, Seen},
    places::{Placed, Places},
    plans::plan,
    source::{Piece, Portion, Source},
    taken::{Outcome, Reader, Taken},
    time::TimeReader,
};
use crate::Error;

/// Pieces of a round: enough that some tens of threads have work, few enough that what is in flight takes some tens of megabytes.
const PIECES: usize = 16;

/// Where the rows that are taken go.
pub(crate) trait Sink: Sync {
    /// What is made of some rows.
    type Part: Send;
    /// What is made of a round.
    type Round: Send;

    /// Works on some rows, beside other threads.
    fn part(&self, rows: Taken<'_>) -> Result<Self::Part, Error>;

    /// Adds the next part. `customers` are the numbers of the customers that it brought.
    fn add(&mut self, part: Self::Part, customers: &[u32]) -> Result<(), Error>;

    /// Ends a round.
    fn round(&mut self, customers: &mut Dictionary) -> Result<Self::Round, Error>;
}

/// Reads every row of the files and hands those that are taken to `sink`, and every round of what it makes of them to `write`,
/// which works beside the next round.
pub(crate) fn take_rows<S: Sink + Send>(
    map: &ColumnMap,
    files: &[PathBuf],
    pass: Pass,
    sink: &mut S,
    mut write: impl FnMut(S::Round) -> Result<(), Error> + Send,
) -> Result<Seen, Error> {
    // Expressions are planned and evaluated by recursion, for which a thread's usual stack may be too small.
    let pool = rayon::ThreadPoolBuilder::new()
        .thread_name(|number| format!("ingest-{number}"))
        .num_threads(rayon::current_num_threads())
        .stack_size(STACK_BYTES)
        .build()
        .map_err(|error| Error::Thread { bytes: STACK_BYTES, source: io::Error::other(error) })?;
    pool.install(|| {
        let (plans, mut source) = plan(map, files, pass)?;
        let schema = source.schema().clone();
        let wanted = Wanted { schema: &schema, map };
        let reader = Reader { plans, times: TimeReader::new(map)?, wanted };
        take_rounds(&mut source, &reader, pass.allow_cut_last_line, sink, &mut write)
    })
}

fn take_rounds<S: Sink + Send>(
    source: &mut Source<'_>,
    reader: &Reader<'_>,
    allow_cut: bool,
    sink: &mut S,
    write: &mut (impl FnMut(S::Round) -> Result<(), Error> + Send),
) -> Result<Seen, Error> {
    let (mut customers, mut seen, mut places) = (Dictionary::default(), Seen::default(), Places::default());
    let (mut pieces, mut round) = (source.pieces(PIECES), None);
    while !pieces.is_empty() {
        let (shared, known) = (&*sink, &customers);
        let work = |placed: Placed| -> Result<Option<Outcome<S::Part>>, Error> {
            let Some(chunk) = placed.chunk(reader.wanted)? else { return Ok(None) };
            reader.take(chunk, known, |taken| shared.part(taken)).map(Some)
        };
        let beside = || rayon::join(|| source.pieces(PIECES), || round.take().map_or(Ok(()), &mut *write));
        let ((next, written), parts) = rayon::join(beside, || {
            let portions: Vec<Portion> = pieces.into_par_iter().with_max_len(1).map(Piece::divide).collect();
            let placed: Vec<Placed> =
                portions.into_iter().map(|portion| places.place(portion, allow_cut)).collect();
            placed.into_par_iter().with_max_len(1).map(work).collect::<Vec<_>>()
        });
        written?;
        let mut buffers = Vec::with_capacity(PIECES);
        for part in parts {
            let Some(Outcome { part, seen: more, buffer }) = part? else { continue };
            seen.join(more);
            buffers.push(buffer);
            if let Some((part, news)) = part {
                sink.add(part, &customers.add(&news))?;
            }
        }
        source.take_back(buffers);
        round = Some(sink.round(&mut customers)?);
        customers.forget_if_large();
        pieces = next;
    }
    round.map_or(Ok(()), write)?;
    (seen.ends, seen.digests) = (places.ends, source.take_digests());
    Ok(seen)
}
