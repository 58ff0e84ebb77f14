//! Groups of transactions and the prediction of goals.

use super::kinds::{Category, Date, Float, Goal, Index, Integer, Nullable, Sizes, Text, Vector64};

tables! {
    /// Groups of transactions of the customers of a run: one row per customer, group and class, customers in the order of the
    /// roster, groups in the order of time. Each row group of the file holds one block of customers.
    GoalGroups by GoalGroupColumns = "goal_groups", 2 {
        customer: Category = "customer id",
        position: Integer = "position among the customer's groups, from 0",
        day: Date = "day of the group",
        goal: Category = "goal on which most of its money was spent",
        channel: Category = "channel or place of its largest transaction; empty where none is known",
        place: Category = "place of its largest transaction, where groups have both; else empty",
        hour: Integer = "hour of the day of its largest transaction, 0 to 23",
        class: Category = "transaction class",
        spent_minor: Integer = "money spent on the class in the group, in minor units",
    }

    /// The customers whose groups were formed, those without any among them.
    GoalRoster of GoalRosterRow = "goal_roster", 1 {
        customer: Text = "customer id",
        groups: Integer = "number of groups",
        block: Integer = "block of customers, from 0; each block with any group is a row group of the groups' table",
        covariates: Sizes = "level of each covariate; the number of levels stands for unknown",
    }

    /// Training of the goals' two networks, one row per network and pass.
    GoalTraining of GoalTrainingRow = "goal_training", 1 {
        network: Category = "`days` (the gap to the next group) or `goals` (the goal on its day)",
        epoch: Index = "pass over the training groups, from 1",
        loss: Float = "mean negative log-likelihood of the training groups, each when it was used",
        validation: Nullable<Float> = "that of the validation groups after the pass",
    }

    /// How well next goals are predicted, on groups that nothing was fitted on.
    GoalMeasures of GoalMeasureRow = "goal_measures", 1 {
        model: Category = "`lstm`, a baseline, or `best_possible` where the truth is known",
        history: Category = "groups before the predicted one, or `all`",
        goal: Nullable<Category> = "goal of a measure of one goal, otherwise null",
        measure: Category = "measure",
        groups: Integer = "groups predicted",
        value: Float = "its value",
        low: Float = "lower end of its 95 % interval over customers",
        high: Float = "upper end of its 95 % interval over customers",
    }

    /// By how much the network differs from other models on the same groups, and from itself under noise (`under noise`;
    /// `X under noise` is by how much more it changes than X does). `without X` sets a model with X beside the same one without
    /// it, neither of which need be the run's.
    GoalComparisons of GoalComparisonRow = "goal_comparisons", 1 {
        reference: Category = "the other model",
        measure: Category = "measure; `probability` for the largest difference of probabilities from carried states",
        difference: Float = "the network's less the other's",
        low: Float = "lower end of its 95 % interval over customers",
        high: Float = "upper end of its 95 % interval over customers",
        share_of_best: Nullable<Float> = "share of the best possible gain over the other model that is reached; null where the truth is not known",
    }

    /// Goals predicted against goals that came.
    GoalConfusion of GoalConfusionRow = "goal_confusion", 1 {
        goal: Category = "goal that came",
        predicted: Category = "most probable goal",
        groups: Integer = "number of groups",
        share: Float = "share of the groups with the goal that came",
        low: Float = "lower end of its 95 % interval over customers",
        high: Float = "upper end of its 95 % interval over customers",
    }

    /// What comes next for every customer.
    GoalPredictions of GoalPredictionRow = "goal_predictions", 1 {
        customer: Text = "customer id",
        history: Integer = "groups that the prediction is from; without any it is that of a first group",
        last_day: Nullable<Date> = "day of the last of them",
        goal: Category = "most probable goal",
        probability: Float = "its probability",
        probabilities: Vector64<Goal> = "probability of each goal",
        median_day: Nullable<Date> = "day by which the next group comes with probability one half; null without history or beyond the longest gap told apart",
        early_day: Nullable<Date> = "day by which it comes with probability .1; null as above",
        late_day: Nullable<Date> = "day by which it comes with probability .9; null as above",
        joint_effect: Float = "probability less what it would be without all groups that reasons were sought among; 0 without history",
        sum_of_effects: Float = "sum of the effects of these groups taken one by one; what it differs by from the joint effect is their interaction",
    }

    /// Why: which past groups moved the prediction.
    GoalReasons of GoalReasonRow = "goal_reasons", 1 {
        customer: Text = "customer id",
        rank: Index = "rank by the size of the effect, from 1",
        position: Integer = "position of the past group among the customer's groups, from 0",
        day: Date = "its day",
        goal: Category = "its goal",
        effect: Float = "probability of the predicted goal less what it would be without the group",
    }
}
