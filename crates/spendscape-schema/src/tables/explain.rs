//! Surrogates and explanations.

use super::kinds::{Angle, Category, Class, Float, Nullable, Text, Vector32, Vector64};

tables! {
    /// Coefficients of the surrogates: one row per target and class.
    Surrogate of SurrogateRow = "surrogate", 1 {
        target: Category = "direction angle, or `output` and a trait: the network's output for it",
        class: Text = "transaction class, or `(intercept)`",
        coefficient: Float = "slope per unit share, in radians for angles (minimum norm: slopes of a target sum to 0)",
        standard_error: Nullable<Float> = "standard error of the slope",
        z: Nullable<Float> = "(slope - the slope that most classes agree with) / standard error",
    }

    /// Direction angles that the surrogate predicts.
    SurrogateAngles = "surrogate_angles", 1 {
        customer: Text = "customer id",
        angle: Vector64<Angle> = "predicted direction angles in radians",
    }

    /// Why each customer is in its segment, and how far the explanation goes.
    Explanations of ExplanationRow = "explanations", 2 {
        customer: Text = "customer id",
        segment: Category = "trait with the network's highest output",
        runner_up: Category = "trait with the network's second highest output",
        surrogate_segment: Category = "trait with the surrogate's highest output",
        lead: Float = "output of the segment less that of the runner-up, by the network",
        lead_percentile: Float = "fraction of the trained run's customers with a smaller lead",
        surrogate_lead: Float = "the same by the surrogate: its own value, not the sum of contributions",
        error_degrees: Float = "angle between the surrogate's and the network's direction",
        error_percentile: Float = "fraction of the trained run's customers that nothing was fitted on with a smaller angle",
        angle_error_degrees: Float = "angle between the direction that the surrogate of the angles predicts and the network's",
        refusal: Nullable<Category> = "why the customer is not explained: `direction` (the angle is too wide) or `segment` (the surrogate names another one)",
        moved: Nullable<Float> = "smallest share of spending that, moved between classes, changes the network's segment; null where no feasible move does, and for refused customers",
        moved_to: Nullable<Category> = "segment after that move",
        moved_lead: Nullable<Float> = "lead of that segment over the present one after the move, by the network",
        unflagged_segment: Nullable<Category> = "the network's segment had the customer spent on protected and proxy classes as the average customer does; null where none are listed",
    }

    /// The smallest changes of spending that move explained customers to another segment, one row per pair of classes.
    Moves of MoveRow = "moves", 1 {
        customer: Text = "customer id",
        from: Category = "class that gives",
        to: Category = "class that takes",
        share: Float = "share of all spending",
    }

    /// What each class adds to the lead of explained customers.
    Contributions = "contributions", 1 {
        customer: Text = "customer id",
        baseline: Float = "the surrogate's lead for the average training customer",
        contribution: Vector64<Class> = "coefficient times (share - average share); with the baseline they sum to the surrogate's lead",
        percentile: Vector32<Class> = "fraction of customers with a smaller share, equal ones counted half",
    }

    /// Classes whose use needs a reason.
    FlaggedClasses of FlaggedClassRow = "flagged_classes", 1 {
        class: Text = "transaction class",
        role: Category = "`protected` (listed), `proxy` (listed), `named` (protected by its name) or `correlated` (found: goes with a protected class)",
        reason: Text = "what it tells of a person, as listed or by its name, or the class that it goes with",
        correlation: Nullable<Float> = "correlation of mean shares with that class, where found",
    }
}
