#![doc = include_str!("../README.md")]

mod asked;
mod content;
mod declare;
mod files;
mod folder;
mod long;
pub mod model;
mod notes;
mod outputs;
mod segmentation;
mod sources;
mod stage;
mod states;
mod targets;
mod writer;

/// The result of a stage: what it says of an error names files, columns and options.
pub use anyhow::Result;

pub use asked::{AskedGrades, answering_last};
pub use content::{FromTable, IntoTable, Sourced, SpendingClasses, Stream, TableContent, WithAxes};
pub use files::{File, GOAL_MAP_FILE};
pub use folder::RunFolder;
pub use long::LongTable;
pub use model::{Model, Weights};
pub use notes::Notes;
pub use outputs::{JsonOutput, Outputs, StreamOutput, TableOutput, TextOutput};
pub use segmentation::Segmentation;
pub use sources::{
    FileInput, FolderInput, Found, FromFile, Inputs, RawFiles, Sources, TableHead, TableInput,
};
pub use stage::{NoParams, Stage, execute, provenance};
pub use states::{StoredStates, angle_names};
pub use targets::{StoredTargets, rows_where};
pub use writer::StageWriter;
