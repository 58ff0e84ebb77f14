//! Texts that many rows share, as numbers.

use std::{
    hash::{BuildHasher, Hasher},
    sync::Arc,
};

use arrow::array::{ArrayRef, StringBuilder};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Texts held at most: beyond it a column has texts like ids, and remembering them is no use.
const MOST_TEXTS: usize = 1 << 20;

/// Bytes of texts held at most.
const MOST_BYTES: usize = 64 << 20;

/// Texts one after the other, each with its number.
#[derive(Debug, Default)]
struct Texts {
    table: HashTable<u32>,
    bytes: String,
    ends: Vec<usize>,
}

impl Texts {
    fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let from = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[from..self.ends[number]]
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn find(&self, hash: u64, text: &str) -> Option<u32> {
        self.table.find(hash, |number| self.get(*number) == text).copied()
    }

    /// Adds a text that is not among them.
    fn add(&mut self, hash: u64, text: &str, state: &RandomState) -> u32 {
        let number = self.len() as u32;
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        let Self { table, bytes, ends } = self;
        let get = |number: u32| {
            let from = if number == 0 { 0 } else { ends[number as usize - 1] };
            &bytes[from..ends[number as usize]]
        };
        table.insert_unique(hash, number, |number| hash_of(state, get(*number)));
        number
    }
}

#[inline]
fn hash_of(state: &RandomState, text: &str) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// All texts known so far, numbered in the order in which rows named them first. They are looked up by many threads at once;
/// what is new is added by one, in the order of rows.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    state: RandomState,
    texts: Texts,
    /// The texts as an array, until another one is added.
    values: Option<ArrayRef>,
    generation: u64,
}

/// The texts of some rows that are not known yet.
#[derive(Debug, Default)]
pub(crate) struct News(Texts);

impl News {
    /// The number of the first text of them: those that are known have smaller ones.
    pub(crate) const FIRST: u32 = 1 << 31;

    /// Their texts in the order of their numbers.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.0.len() as u32).map(|number| self.0.get(number))
    }
}

impl Dictionary {
    /// Numbers the texts of some rows.
    pub(crate) fn look_up(&self) -> LookUp<'_> {
        LookUp { known: self, news: News::default(), last: None }
    }

    /// Adds the texts that some rows brought, and gives each its number.
    pub(crate) fn add(&mut self, news: &News) -> Vec<u32> {
        let mut add = |text: &str| {
            let hash = hash_of(&self.state, text);
            if let Some(number) = self.texts.find(hash, text) {
                return number;
            }
            self.values = None;
            self.texts.add(hash, text, &self.state)
        };
        news.texts().map(&mut add).collect()
    }

    /// Number of texts.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The texts from a number on.
    pub(crate) fn texts_from(&self, first: usize) -> impl Iterator<Item = &str> {
        (first..self.len()).map(|number| self.texts.get(number as u32))
    }

    /// What numbers count in: another one for every time that the texts were forgotten.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// The texts, each at its number.
    pub(crate) fn values(&mut self) -> ArrayRef {
        let texts = &self.texts;
        let values = self.values.get_or_insert_with(|| {
            let mut values = StringBuilder::with_capacity(texts.len(), texts.bytes.len());
            (0..texts.len() as u32).for_each(|number| values.append_value(texts.get(number)));
            Arc::new(values.finish())
        });
        values.clone()
    }

    /// Forgets all texts if they are too many to be of use. Numbers that were given before no longer count.
    pub(crate) fn forget_if_large(&mut self) -> bool {
        let is_large = self.texts.len() > MOST_TEXTS || self.texts.bytes.len() > MOST_BYTES;
        if is_large {
            (self.texts, self.values) = (Texts::default(), None);
            self.generation += 1;
        }
        is_large
    }
}

/// Numbers texts.
#[derive(Debug)]
pub(crate) struct LookUp<'d> {
    known: &'d Dictionary,
    news: News,
    last: Option<(&'d str, u32)>,
}

impl<'d> LookUp<'d> {
    /// The number of a text.
    #[inline]
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        self.find(text).unwrap_or_else(|hash| self.add(hash, text))
    }

    /// Adds a text that was not found, by its hash.
    pub(crate) fn add(&mut self, hash: u64, text: &str) -> u32 {
        News::FIRST + self.news.0.add(hash, text, &self.known.state)
    }

    /// The number of a text, or its hash if it is new.
    #[inline]
    pub(crate) fn find(&mut self, text: &str) -> Result<u32, u64> {
        if let Some((last, number)) = self.last
            && last == text
        {
            return Ok(number);
        }
        let known = self.known;
        let hash = hash_of(&known.state, text);
        if let Some(number) = known.texts.find(hash, text) {
            self.last = Some((known.texts.get(number), number));
            return Ok(number);
        }
        self.news.0.find(hash, text).map(|number| News::FIRST + number).ok_or(hash)
    }

    /// The texts that are new.
    pub(crate) fn finish(self) -> News {
        self.news
    }
}
