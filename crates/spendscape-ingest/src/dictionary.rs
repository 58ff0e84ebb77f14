//! Texts that many rows share, as numbers.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use hashbrown::HashTable;

/// Texts held at most: beyond it a column has texts like ids, and remembering them is no use.
const MOST_TEXTS: usize = 1 << 20;

/// Bytes of texts held at most.
const MOST_BYTES: usize = 64 << 20;

/// Bytes of a text that two words hold: most customers and codes are as short.
const SHORT: usize = 16;

/// Places for the texts that a look-up remembers: so many that few of a ledger's classes share one. Of the places only those of
/// texts that rows have are in the first-level cache.
const REMEMBERED: usize = 1024;

/// Digits of pi, which stand in no text.
const SEEDS: [u64; 2] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344];

/// A text's length and two words, which are all of it if it is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    words: [u64; 2],
    length: u32,
}

impl Key {
    /// The key of no text.
    const NONE: Self = Self { words: [0, 0], length: u32::MAX };

    #[inline]
    fn of(text: &[u8]) -> Self {
        let word = |bytes: [u8; 8]| u64::from_le_bytes(bytes);
        let half = |bytes: [u8; 4]| u64::from(u32::from_le_bytes(bytes));
        let words = match text {
            [] => [0, 0],
            [first, ..] if text.len() < 4 => {
                let (middle, last) = (text[text.len() / 2], text[text.len() - 1]);
                [u64::from(u32::from_le_bytes([*first, middle, last, 0])), 0]
            }
            _ => match (text.first_chunk(), text.last_chunk()) {
                (Some(first), Some(last)) if text.len() <= SHORT => [word(*first), word(*last)],
                (Some(first), Some(last)) => {
                    let (steps, _) = text.as_chunks::<8>();
                    let hash =
                        steps.iter().fold(word(*first), |hash, step| folded(hash ^ SEEDS[1], word(*step)));
                    [hash, word(*last)]
                }
                _ => {
                    let (first, last) = (text.first_chunk(), text.last_chunk());
                    [first.map_or(0, |first| half(*first)), last.map_or(0, |last| half(*last))]
                }
            },
        };
        Self { words, length: text.len() as u32 }
    }

    #[inline]
    fn hash(self) -> u64 {
        folded(self.words[0] ^ SEEDS[0], self.words[1] ^ SEEDS[1] ^ (u64::from(self.length) << 56))
    }

    fn is_short(self) -> bool {
        self.length as usize <= SHORT
    }
}

/// The halves of a product of 128 bits, one upon the other: every bit depends on every other one.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Texts one after the other, each with its number.
#[derive(Debug, Default)]
struct Texts {
    table: HashTable<(Key, u32)>,
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

    fn is(&self, number: u32, text: &[u8]) -> bool {
        (number as usize) < self.len() && self.get(number).as_bytes() == text
    }

    #[inline]
    fn find(&self, key: Key, text: &[u8]) -> Option<u32> {
        let is_same = |(other, number): &(Key, u32)| {
            *other == key && (key.is_short() || self.get(*number).as_bytes() == text)
        };
        self.table.find(key.hash(), is_same).map(|(_, number)| *number)
    }

    /// Adds a text that is not among them.
    fn add(&mut self, key: Key, text: &str) -> u32 {
        let number = self.len() as u32;
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        self.table.insert_unique(key.hash(), (key, number), |(key, _)| key.hash());
        number
    }
}

/// All texts known so far, numbered in the order in which rows named them first. They are looked up by many threads at once;
/// what is new is added by one, in the order of rows.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
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
}

impl Dictionary {
    /// Numbers the texts of some rows.
    pub(crate) fn look_up(&self) -> LookUp<'_> {
        LookUp { known: self, news: News::default(), remembered: Vec::new(), next: 0 }
    }

    /// Adds the texts that some rows brought, and gives each its number.
    pub(crate) fn add(&mut self, news: &News) -> Vec<u32> {
        let mut add = |number: usize| {
            let text = news.0.get(number as u32);
            let key = Key::of(text.as_bytes());
            self.texts.find(key, text.as_bytes()).unwrap_or_else(|| {
                self.values = None;
                self.texts.add(key, text)
            })
        };
        (0..news.0.len()).map(&mut add).collect()
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
    /// Short texts that are known and that the last rows had, at places that their hashes tell: there most rows find theirs, as
    /// the customer of the row before or one of a few classes, without a search. Nothing before the first one.
    remembered: Vec<(Key, u32)>,
    /// The number behind that of the text that was searched last: customers often follow one another as they did before, and the
    /// next one is in the cache, where a search leads to some other place.
    next: u32,
}

impl LookUp<'_> {
    /// The number of a text.
    #[inline]
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        self.find(text.as_bytes()).unwrap_or_else(|| self.add(text))
    }

    /// The number of a text, if it is known or was added.
    #[inline]
    pub(crate) fn find(&mut self, text: &[u8]) -> Option<u32> {
        let key = Key::of(text);
        let at = key.hash() as usize % REMEMBERED;
        match self.remembered.get(at) {
            Some((remembered, number)) if *remembered == key => Some(*number),
            _ => self.search(key, at, text),
        }
    }

    fn search(&mut self, key: Key, at: usize, text: &[u8]) -> Option<u32> {
        let texts = &self.known.texts;
        let number = if texts.is(self.next, text) { Some(self.next) } else { texts.find(key, text) };
        let Some(number) = number else {
            return self.news.0.find(key, text).map(|number| News::FIRST + number);
        };
        self.next = number + 1;
        if key.is_short() {
            if self.remembered.is_empty() {
                self.remembered.resize(REMEMBERED, (Key::NONE, 0));
            }
            self.remembered[at] = (key, number);
        }
        Some(number)
    }

    /// Adds a text that was not found.
    pub(crate) fn add(&mut self, text: &str) -> u32 {
        News::FIRST + self.news.0.add(Key::of(text.as_bytes()), text)
    }

    /// The texts that are new.
    pub(crate) fn finish(self) -> News {
        self.news
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{Array, AsArray};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Texts get the same number if and only if they are the same, in the order in which they come, however they are divided.
        #[test]
        fn numbers_are_those_of_another_table(
            texts in prop::collection::vec("[ab\u{e9}]{0,4}|[ab]{7,9}|[ab]{15,20}|x{30}[ab]{2}", 1..200),
            size in 1_usize..50,
        ) {
            let (mut dictionary, mut expected) = (Dictionary::default(), HashMap::new());
            for part in texts.chunks(size) {
                let mut look_up = dictionary.look_up();
                let numbers: Vec<u32> = part.iter().map(|text| look_up.number(text)).collect();
                let news = look_up.finish();
                let of_news = dictionary.add(&news);
                for (text, number) in part.iter().zip(numbers) {
                    let number = if number < News::FIRST { number } else { of_news[(number - News::FIRST) as usize] };
                    let next = expected.len() as u32;
                    prop_assert_eq!(number, *expected.entry(text.clone()).or_insert(next));
                }
            }
            let values = dictionary.values();
            prop_assert_eq!(values.len(), expected.len());
            for (text, number) in expected {
                prop_assert_eq!(values.as_string::<i32>().value(number as usize), text);
            }
        }
    }

    #[test]
    fn texts_that_are_too_many_are_forgotten() {
        let mut dictionary = Dictionary::default();
        let mut look_up = dictionary.look_up();
        for number in 0..=MOST_TEXTS {
            look_up.number(&number.to_string());
        }
        let news = look_up.finish();
        dictionary.add(&news);
        assert!(dictionary.forget_if_large() && dictionary.len() == 0 && dictionary.generation() == 1);
        assert!(!dictionary.forget_if_large());
    }
}
