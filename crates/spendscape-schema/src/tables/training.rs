//! Targets, networks, and what a network makes of the customers.

use super::kinds::{
    Angle, Class, Flag, Float, Index, Nullable, Sizes, Text, Trait, Unit, Values, Vector32, Vector64,
};

tables! {
    /// Training targets of each customer.
    Targets = "targets", 1 {
        customer: Text = "customer id",
        score: Vector64<Trait> = "raw score: mean shares times coefficients",
        grade: Vector64<Trait> = "scaled score in [-1, 1]",
        train: Flag = "whether the customer belongs to the training split",
    }

    /// Weights of a network, one row per tensor.
    Model of ModelRow = "model", 1 {
        tensor: Text = "name of the tensor",
        shape: Sizes = "its shape",
        values: Values = "its entries in row-major order",
    }

    /// Metrics of training, one row per epoch.
    Training of TrainingRow = "training", 1 {
        epoch: Index = "epoch, from 1",
        rate: Float = "learning rate",
        loss: Float = "mean squared error of the epoch's minibatches",
        validation: Nullable<Float> = "mean squared error of the validation customers after the epoch",
    }

    /// Hidden and cell states: one row per customer and period.
    States = "states", 1 {
        customer: Text = "customer id",
        period: Index = "period, from 0",
        hidden: Vector32<Unit> = "hidden state h after the period, in (-1, 1)",
        cell: Vector32<Unit> = "cell state c after the period",
    }

    /// Direction of each customer's trajectory.
    Angles = "angles", 1 {
        customer: Text = "customer id",
        direction: Vector64<Unit> = "unit direction in the canonical frame",
        angle: Vector64<Angle> = "direction angles in radians: longitude, then latitudes",
    }

    /// How states of more than three units are drawn: their first principal components.
    Projection of ProjectionRow = "projection", 1 {
        component: Index = "component, from 1, by falling variance",
        axis: Vector64<Unit> = "unit direction in state space",
        variance: Float = "share of the states' variance",
    }

    /// Mean shares of each customer.
    MeanShares = "mean_shares", 1 {
        customer: Text = "customer id",
        share: Vector64<Class> = "mean share of each class over the periods",
    }

    /// The canonical frame of the angles, one row per basis vector.
    Frame of FrameRow = "frame", 1 {
        index: Index = "basis vector, from 0",
        basis: Vector64<Unit> = "basis vector in state space",
    }
}
