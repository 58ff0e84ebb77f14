//! Drawing: a list of shapes ([`scene`]), written as SVG ([`svg`]), which is painted as PNG ([`raster`]).

pub(crate) mod axis;
pub(crate) mod furniture;
pub(crate) mod labels;
pub(crate) mod palette;
pub(crate) mod plane;
pub(crate) mod raster;
pub(crate) mod scene;
pub(crate) mod space;
pub(crate) mod svg;
pub(crate) mod text;
