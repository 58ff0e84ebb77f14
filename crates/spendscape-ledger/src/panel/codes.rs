//! From dictionary-encoded text to numbers.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::Int32Type,
};
use hashbrown::HashMap;

/// Turns the keys of a dictionary column into numbers, looking each text up once per dictionary rather than per row.
#[derive(Debug)]
pub(crate) struct Codes {
    of_text: Arc<HashMap<String, u32>>,
    dictionary: Option<ArrayRef>,
    of_key: Vec<u32>,
    /// What a text gets that `of_text` does not know.
    unknown: u32,
    has_unknown: bool,
}

impl Codes {
    pub(crate) fn new(of_text: Arc<HashMap<String, u32>>, unknown: u32) -> Self {
        Self { of_text, dictionary: None, of_key: Vec::new(), unknown, has_unknown: false }
    }

    /// The keys of the column; [`Self::numbers`] then holds the number of each.
    pub(crate) fn read<'a>(&mut self, batch: &'a RecordBatch, column: usize) -> &'a [i32] {
        let array = batch.column(column).as_dictionary::<Int32Type>();
        let values = array.values();
        let same = self.dictionary.as_ref().is_some_and(|known| {
            let (known, values) = (known.as_string::<i32>(), values.as_string::<i32>());
            known.len() == values.len()
                && known.value_data().as_ptr() == values.value_data().as_ptr()
                && known.value_offsets().as_ptr() == values.value_offsets().as_ptr()
        });
        if !same {
            let number = |text: Option<&str>| text.and_then(|text| self.of_text.get(text)).copied();
            let texts = values.as_string::<i32>();
            self.of_key.clear();
            self.of_key.extend(texts.iter().map(|text| number(text).unwrap_or(self.unknown)));
            self.has_unknown = self.of_key.contains(&self.unknown);
            // Keeping the array keeps its buffers from being freed and reused for another dictionary.
            self.dictionary = Some(values.clone());
        }
        array.keys().values()
    }

    /// The number of each key of the column read last.
    pub(crate) fn numbers(&self) -> &[u32] {
        &self.of_key
    }

    /// Whether that column's dictionary has a text that is not known.
    pub(crate) fn has_unknown(&self) -> bool {
        self.has_unknown
    }
}
