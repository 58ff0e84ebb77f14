//! The versioned tables: what files hold as schemas ([`Table`]) and as types ([`Tabular`]), declared once for both by family.
//!
//! A table as a type has one field per column, so that no column is written by its place or read by its name:
//!
//! ```
//! use spendscape_schema::{Axes, arrays::Rows, tables::{MetricRow, Metrics, Tabular}};
//!
//! let metrics = Metrics::from_rows([MetricRow { name: "fit.r2".to_owned(), value: 0.9 }])?;
//! let batch = metrics.to_batch(&Axes::new())?;
//! assert_eq!(Metrics::read(&Rows::new(&batch.schema(), &[batch.clone()])?)?, metrics);
//! # Ok::<(), spendscape_schema::Error>(())
//! ```

/// Declares tables as types.
///
/// ```text
/// /// What the table is.
/// NAME of ROW = "name in files", version {
///     column: KIND = "what it holds, with the unit",
/// }
/// ```
///
/// It gives the type `NAME`, whose fields hold all values of a column each, and, where `of ROW` stands there, the type
/// `ROW` of one row. Where `by COLUMNS` stands there, the table is too long to hold and passes as batches of Arrow arrays:
/// `COLUMNS<T>` holds something for each column, such as its name or its array.
macro_rules! tables {
    (@columns [$(#[doc = $doc:literal])+] $name:ident $text:literal $version:literal {
        $($column:ident: $kind:ty = $what:literal,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(#[doc = $what] pub $column: <$kind as crate::tables::kinds::ColumnType>::Values,)+
        }

        impl crate::tables::Tabular for $name {
            const TABLE: crate::Table = crate::Table::$name;
            const NAME: &'static str = $text;
            const VERSION: u32 = $version;
            const COLUMNS: &'static [crate::Column] =
                &[$(crate::Column::of::<$kind>(stringify!($column), $what)),+];

            fn to_batch(&self, axes: &crate::Axes) -> Result<arrow::array::RecordBatch, crate::Error> {
                use crate::tables::kinds::ColumnType;
                crate::tables::batch(Self::TABLE, axes, vec![$(<$kind>::column(&self.$column, axes)?),+])
            }

            fn read(rows: &crate::arrays::Rows) -> Result<Self, crate::Error> {
                use crate::tables::kinds::ColumnType;
                Ok(Self { $($column: <$kind>::read(rows, crate::tables::plain(stringify!($column)))?,)+ })
            }
        }
    };
    (@rows $name:ident $row:ident { $($column:ident: $kind:ty = $what:literal,)+ }) => {
        #[doc = concat!("A row of [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        pub struct $row {
            $(#[doc = $what] pub $column: <$kind as crate::tables::kinds::RowColumn>::Value,)+
        }

        impl $name {
            /// The table of these rows.
            ///
            /// # Errors
            /// [`Error::WrongWidth`](crate::Error::WrongWidth) if vectors of a column differ in width.
            pub fn from_rows(rows: impl IntoIterator<Item = $row>) -> Result<Self, crate::Error> {
                use crate::tables::kinds::RowColumn;
                $(let mut $column = Vec::new();)+
                for row in rows {
                    $($column.push(row.$column);)+
                }
                Ok(Self { $($column: <$kind>::collect(stringify!($column), $column)?,)+ })
            }

            /// Its rows.
            pub fn into_rows(self) -> impl Iterator<Item = $row> {
                use crate::tables::kinds::RowColumn;
                $(let mut $column = <$kind>::split(self.$column).into_iter();)+
                std::iter::from_fn(move || Some($row { $($column: $column.next()?,)+ }))
            }
        }
    };
    (@stream $name:ident $columns:ident { $($column:ident: $kind:ty = $what:literal,)+ }) => {
        #[doc = concat!("Something for each column of [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Default)]
        pub struct $columns<T> {
            $(#[doc = $what] pub $column: T,)+
        }

        impl $name {
            /// The names of its columns.
            pub const NAMES: $columns<&'static str> =
                $columns { $($column: crate::tables::plain(stringify!($column)),)+ };

            /// A batch of the columns that are there.
            ///
            /// # Errors
            /// As [`to_batch`](crate::Tabular::to_batch), and if a column that must be there is not.
            pub fn batch(
                axes: &crate::Axes,
                columns: $columns<Option<arrow::array::ArrayRef>>,
            ) -> Result<arrow::array::RecordBatch, crate::Error> {
                use crate::Tabular;
                crate::tables::batch(Self::TABLE, axes, vec![$(columns.$column),+])
            }
        }

        impl<'a> $columns<Option<&'a arrow::array::ArrayRef>> {
            /// The columns that a batch has.
            #[must_use]
            pub fn of(batch: &'a arrow::array::RecordBatch) -> Self {
                Self { $($column: batch.column_by_name($name::NAMES.$column),)+ }
            }
        }
    };
    ($($(#[doc = $doc:literal])+ $name:ident $(of $row:ident)? $(by $columns:ident)? = $text:literal, $version:literal $body:tt)*) => {$(
        tables!(@columns [$(#[doc = $doc])+] $name $text $version $body);
        $(tables!(@rows $name $row $body);)?
        $(tables!(@stream $name $columns $body);)?
    )*};
}

mod column;
mod dynamics;
mod evaluate;
mod explain;
mod goals;
pub mod kinds;
mod ledger;
mod maps;
mod outcomes;
mod segments;
mod synth;
mod training;
mod uses;
pub mod words;

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{Field, Schema, SchemaRef},
};

pub use self::{
    column::Column, dynamics::*, evaluate::*, explain::*, goals::*, kinds::Kind, ledger::*, maps::*,
    outcomes::*, segments::*, synth::*, training::*, uses::*,
};
use crate::{
    Axes, Axis, Error,
    arrays::{Rows, TABLE_KEY},
};

/// The tables of all families as one list.
macro_rules! list {
    ($($name:ident)*) => {
        /// The tables that stages exchange.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Table {
            $(#[doc = concat!("[`", stringify!($name), "`]")] $name,)*
        }

        impl Table {
            /// Every table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name written to files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $name::NAME,)* }
            }

            /// The version of its schema. A change of columns is a new version.
            #[must_use]
            pub fn version(self) -> u32 {
                match self { $(Self::$name => $name::VERSION,)* }
            }

            /// Its columns, in order.
            #[must_use]
            pub fn columns(self) -> &'static [Column] {
                match self { $(Self::$name => $name::COLUMNS,)* }
            }
        }
    };
}

/// Hands the names of all tables to a macro, which may give each type of them something.
#[macro_export]
macro_rules! for_each_table {
    ($macro:ident) => {
        $macro! {
            Ledger Taxonomy Coefficients Panel LeftOut Targets Model Training States
            Angles Frame Projection MeanShares Segments SegmentCenters Profiles ProfileSpending ProfileTrajectories ProfileCustomers Drift
            Surrogate SurrogateAngles Explanations Moves Contributions FlaggedClasses Examples Predictions TraitAxes Reach
            EndStates FixedPoints Extended Maps MapPoints MapCycles MapJumps MapBoxes MapStarts
            MapEdges MapSensitivities MapBranches Attractors Latent Comparison ComparisonSummary Outcomes GoalTruth
            GoalCustomers Balances OutcomeScores OutcomeMeasures OutcomeCurves OutcomeComparisons OutcomeReasons Scorecard GoalGroups
            GoalRoster GoalTraining GoalMeasures GoalComparisons GoalConfusion GoalPredictions GoalReasons Recommendations Campaigns
            CampaignUplift CrossSelling Demand DemandScores Metrics
        }
    };
}

for_each_table!(list);

/// A table as a type.
pub trait Tabular: Sized {
    /// The table.
    const TABLE: Table;
    /// The name written to files.
    const NAME: &'static str;
    /// The version of its schema.
    const VERSION: u32;
    /// Its columns, in order.
    const COLUMNS: &'static [Column];

    /// The table as a batch, `axes` naming the entries of its vectors.
    ///
    /// # Errors
    /// [`Error::MissingAxis`] if `axes` lacks the labels of a vector column, [`Error::Arrow`] if columns differ in length or
    /// a vector in width from its axis.
    fn to_batch(&self, axes: &Axes) -> Result<RecordBatch, Error>;

    /// The table from rows that were read.
    ///
    /// # Errors
    /// If a column is missing, of another type, or null where it must not be.
    fn read(rows: &Rows) -> Result<Self, Error>;
}

/// A column's name as files have it: where it is a word of the language, declarations mark it as a name.
const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// A batch of all columns that are there.
fn batch(table: Table, axes: &Axes, columns: Vec<Option<ArrayRef>>) -> Result<RecordBatch, Error> {
    let there =
        table.columns().iter().zip(&columns).filter(|(column, values)| column.optional && values.is_some());
    let optional: Vec<&str> = there.map(|(column, _)| column.name).collect();
    let schema = table.schema_with(axes, &optional)?;
    Ok(RecordBatch::try_new(schema, columns.into_iter().flatten().collect())?)
}

const VERSION_KEY: &str = "spendscape.version";

impl Table {
    /// The axes of its vector columns.
    #[must_use]
    pub fn axes(self) -> Vec<Axis> {
        let mut axes: Vec<Axis> = self
            .columns()
            .iter()
            .filter_map(|column| match column.kind {
                Kind::Vector32(axis) | Kind::Vector64(axis) => Some(axis),
                _ => None,
            })
            .collect();
        axes.sort_unstable();
        axes.dedup();
        axes
    }

    /// The Arrow schema without the optional columns.
    ///
    /// # Errors
    /// [`Error::MissingAxis`] if `axes` lacks the labels of a vector column.
    pub fn schema(self, axes: &Axes) -> Result<SchemaRef, Error> {
        self.schema_with(axes, &[])
    }

    /// The Arrow schema with the optional columns named.
    ///
    /// # Errors
    /// [`Error::MissingAxis`] if `axes` lacks the labels of a vector column, [`Error::MissingColumn`] if the table has
    /// no optional column of a given name.
    pub fn schema_with(self, axes: &Axes, optional: &[&str]) -> Result<SchemaRef, Error> {
        if let Some(unknown) =
            optional.iter().find(|name| !self.columns().iter().any(|c| c.optional && c.name == **name))
        {
            return Err(Error::MissingColumn {
                table: self.name().to_owned(),
                column: (*unknown).to_owned(),
            });
        }
        let axes = axes.only(&self.axes());
        let mut fields = Vec::new();
        for column in self.columns() {
            if !column.optional || optional.contains(&column.name) {
                fields.push(Field::new(column.name, column.kind.data_type(&axes)?, column.nullable));
            }
        }
        let mut metadata = HashMap::from([
            (TABLE_KEY.to_owned(), self.name().to_owned()),
            (VERSION_KEY.to_owned(), self.version().to_string()),
        ]);
        axes.write(&mut metadata);
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }

    /// The schema of a file that [passes the check](Self::check), without whatever else the file's metadata hold.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn canonical(self, schema: &Schema) -> Result<SchemaRef, Error> {
        let axes = self.check(schema)?;
        let present = |column: &&Column| column.optional && schema.field_with_name(column.name).is_ok();
        let optional: Vec<&str> = self.columns().iter().filter(present).map(|column| column.name).collect();
        self.schema_with(&axes, &optional)
    }

    /// Checks that `schema` is this table in this version, and returns the labels of its axes.
    ///
    /// # Errors
    /// Names the table, the version, or the first column that differs.
    pub fn check(self, schema: &Schema) -> Result<Axes, Error> {
        let metadata = schema.metadata();
        match metadata.get(TABLE_KEY) {
            None => return Err(Error::Unnamed { expected: self.name() }),
            Some(found) if found != self.name() => {
                return Err(Error::WrongTable { expected: self.name(), found: found.clone() });
            }
            Some(_) => {}
        }
        let version = metadata.get(VERSION_KEY).cloned().unwrap_or_default();
        if version != self.version().to_string() {
            return Err(Error::WrongVersion { table: self.name(), expected: self.version(), found: version });
        }
        let axes = Axes::read(metadata)?;
        let known = |name: &String| self.columns().iter().any(|column| column.name == name);
        if let Some(extra) = schema.fields().iter().find(|field| !known(field.name())) {
            return Err(Error::UnknownColumn { table: self.name(), column: extra.name().clone() });
        }
        for column in self.columns() {
            let Ok(field) = schema.field_with_name(column.name) else {
                if column.optional {
                    continue;
                }
                return Err(Error::MissingColumn {
                    table: self.name().to_owned(),
                    column: column.name.to_owned(),
                });
            };
            let expected = column.kind.data_type(&axes)?;
            if *field.data_type() != expected {
                return Err(Error::WrongType {
                    table: self.name().to_owned(),
                    column: column.name.to_owned(),
                    expected: expected.to_string(),
                    found: field.data_type().to_string(),
                });
            }
        }
        Ok(axes)
    }
}
