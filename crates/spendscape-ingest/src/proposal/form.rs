//! The form of a file: statements, Parquet, or text and how it is written.

use std::{io::Read, path::Path};

use super::{Guess, dialect, header, sample, statements};
use crate::{
    Error, RowProblem,
    map::{Format, SourceFormat},
};

/// The form of a file, with the reasons.
pub(super) fn of_file(path: &Path) -> Result<(SourceFormat, Vec<Guess>), Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut start = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(4).read_to_end(&mut start).map_err(failed)?;
    if start == b"PAR1" {
        let guess = Guess::sure("source.format", "\"parquet\"", "the first bytes say so".to_owned());
        return Ok((SourceFormat { format: Format::Parquet, ..SourceFormat::default() }, vec![guess]));
    }
    if let Some(form) = statements::form_of(path)? {
        return Ok(form);
    }
    let (mut format, mut guesses) = dialect::of_file(path)?;
    if let Some(problem) = trouble_with_quotes(path, &format) {
        // Quotes may be escaped; otherwise one that stands where none may is part of the text.
        let escaped = SourceFormat { escape: "\\".to_owned(), ..format.clone() };
        if trouble_with_quotes(path, &escaped).is_none() {
            let reason = "quotes within quotes stand behind it".to_owned();
            guesses.push(Guess::sure("source.escape", "\"\\\\\"", reason));
            format = escaped;
        } else {
            guesses.retain(|guess| guess.entry != "source.quote");
            let reason = format!("quotes stand inside of texts: {problem}");
            guesses.push(Guess::unsure("source.quote", "\"\"", reason));
            format.quote = String::new();
        }
    }
    header::tell_twins_apart(path, &mut format, &mut guesses)?;
    Ok((format, guesses))
}

/// What is wrong with the quotes of the first rows, if they have quotes.
fn trouble_with_quotes(path: &Path, format: &SourceFormat) -> Option<RowProblem> {
    match sample::of_file(path, format) {
        Err(Error::Row { problem, .. }) if problem.is_about_quotes() && !format.quote.is_empty() => {
            Some(problem)
        }
        _ => None,
    }
}
