//! What a stage makes.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{File, IntoTable, StageWriter, Stream};

/// What a stage makes, as one value.
///
/// [`outputs!`](crate::outputs) declares a struct of them.
pub trait Outputs {
    /// The tables that it may write.
    fn files() -> Vec<File>;

    /// Writes it to the stage's run folder.
    ///
    /// # Errors
    /// If columns differ in length or the disk is full.
    fn write(self, writer: &mut StageWriter<'_>) -> Result<()>;
}

/// A table among the outputs, or an [`Option`] of one.
pub trait TableOutput {
    /// Writes it.
    ///
    /// # Errors
    /// As [`Outputs::write`].
    fn write(self, file: File, writer: &mut StageWriter<'_>) -> Result<()>;
}

impl<T: IntoTable> TableOutput for T {
    fn write(self, file: File, writer: &mut StageWriter<'_>) -> Result<()> {
        let content = self.into_table().with_context(|| format!("cannot make {}", file.name()))?;
        writer.write_content(file, &content)
    }
}

impl<T: IntoTable> TableOutput for Option<T> {
    fn write(self, file: File, writer: &mut StageWriter<'_>) -> Result<()> {
        self.map_or(Ok(()), |table| table.write(file, writer))
    }
}

/// A table that is written as it is made, among the outputs, or an [`Option`] of one.
pub trait StreamOutput {
    /// Writes it.
    ///
    /// # Errors
    /// As [`Outputs::write`].
    fn write(self, file: File, writer: &mut StageWriter<'_>) -> Result<()>;
}

impl<T: Stream> StreamOutput for T {
    fn write(self, file: File, writer: &mut StageWriter<'_>) -> Result<()> {
        let path = writer.place(file)?;
        let digest = Stream::write(self, &path, writer.provenance())?;
        writer.wrote(file, digest);
        Ok(())
    }
}

impl<T: Stream> StreamOutput for Option<T> {
    fn write(self, file: File, writer: &mut StageWriter<'_>) -> Result<()> {
        self.map_or(Ok(()), |table| StreamOutput::write(table, file, writer))
    }
}

/// A value that is written as JSON.
pub trait JsonOutput {
    /// Writes it.
    ///
    /// # Errors
    /// If the disk is full.
    fn write(self, name: &str, writer: &mut StageWriter<'_>) -> Result<()>;
}

impl<T: Serialize> JsonOutput for T {
    fn write(self, name: &str, writer: &mut StageWriter<'_>) -> Result<()> {
        writer.write_plain(name, &serde_json::to_vec_pretty(&self)?)
    }
}

/// A text among the outputs, or an [`Option`] of one.
pub trait TextOutput {
    /// Writes it.
    ///
    /// # Errors
    /// If the disk is full.
    fn write(self, name: &str, writer: &mut StageWriter<'_>) -> Result<()>;
}

impl TextOutput for String {
    fn write(self, name: &str, writer: &mut StageWriter<'_>) -> Result<()> {
        writer.write_plain(name, self.as_bytes())
    }
}

impl TextOutput for Option<String> {
    fn write(self, name: &str, writer: &mut StageWriter<'_>) -> Result<()> {
        self.map_or(Ok(()), |text| TextOutput::write(text, name, writer))
    }
}

/// Declares what a stage makes, as a struct that writes itself, in the order of its fields.
///
/// ```
/// use spendscape_run::{File, outputs};
/// use spendscape_schema::tables;
///
/// outputs! {
///     /// The measured figures.
///     pub struct EvaluateOutputs {
///         /// Figures by name.
///         pub metrics: tables::Metrics = table File::Metrics,
///         /// The comparison, where there was one.
///         pub comparison: Option<tables::Comparison> = table File::Comparison,
///     }
/// }
/// ```
///
/// A `table` is an [`IntoTable`](crate::IntoTable), a `stream` a table that is written as it is made
/// ([`Stream`](crate::Stream)), `json` a value and `text` a text that is written under a name, and `all` several outputs in
/// one value.
#[macro_export]
macro_rules! outputs {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$doc:meta])* $access:vis $field:ident: $type:ty = $kind:ident $place:expr),* $(,)?
    }) => {
        $crate::declare! {
            $crate::Outputs {
                fn write(self, writer: &mut $crate::StageWriter<'_>) -> $crate::Result<()> {
                    $($crate::outputs!(@write $kind self.$field, $place, writer)?;)*
                    Ok(())
                }
            }
            $(#[$meta])* $vis struct $name {
                $($(#[$doc])* $access $field: $type = $kind $place),*
            }
        }
    };
    (@write table $value:expr, $place:expr, $writer:expr) => { $crate::TableOutput::write($value, $place, $writer) };
    (@write all $value:expr, $place:expr, $writer:expr) => { $crate::Outputs::write($value, $writer) };
    (@write stream $value:expr, $place:expr, $writer:expr) => { $crate::StreamOutput::write($value, $place, $writer) };
    (@write text $value:expr, $place:expr, $writer:expr) => { $crate::TextOutput::write($value, $place, $writer) };
    (@write json $value:expr, $place:expr, $writer:expr) => { $crate::JsonOutput::write($value, $place, $writer) };
}
