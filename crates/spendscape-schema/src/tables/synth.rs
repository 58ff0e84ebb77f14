//! The truth of a synthetic bank.

use super::kinds::{Category, Date, Flag, Float, Goal, Index, Text, Trait, Vector32, Vector64};

tables! {
    /// The hidden truth of the synthetic bank: one row per customer and year.
    Latent = "latent", 1 {
        customer: Text = "customer id",
        period: Index = "period, from 0",
        r#trait: Vector64<Trait> = "latent traits",
        event: Flag = "whether a life event redrew the traits in this year",
    }

    /// Outcomes of the synthetic bank's customers in the year after the last one, with the best possible scores.
    Outcomes of OutcomeRow = "outcomes", 1 {
        customer: Text = "customer id",
        default: Flag = "whether the customer defaults",
        default_score: Float = "probability of default, given all that is true of the customer",
        illiquid: Flag = "whether the liquidity index is below 1",
        illiquid_score: Float = "probability of that, given all that is true of the customer",
        liquidity: Float = "liquidity index: mean month-end balance in months of outflow",
        liquidity_score: Float = "expected logarithm of the index, given all that is true of the customer",
        quintile: Index = "quintile of the liquidity index, 1 to 5",
        group: Category = "group of the customer, without effect of its own",
    }

    /// What could be known of each group of the synthetic stream of goals before it came.
    GoalTruth by GoalTruthColumns = "goal_truth", 1 {
        customer: Category = "customer id",
        position: Index = "position among the customer's groups, from 0: the number of groups before it",
        day: Date = "day of the group",
        goal: Category = "goal of the group",
        probability: Vector32<Goal> = "probability that the next group is of each goal, given the groups before it, the calendar, age band and region",
        expected_days: Float = "expected days until the group from the one before it, or from the day before the first day of the stream",
        log_day: Float = "natural logarithm of the probability of the group's day",
        log_day_and_goal: Float = "natural logarithm of the probability of the group's day and goal together",
    }

    /// What is known of the customers of the synthetic stream of goals from the beginning.
    GoalCustomers of GoalCustomerRow = "goal_customers", 1 {
        customer: Text = "customer id",
        age_band: Category = "age in years",
        region: Category = "kind of place where the customer lives",
    }
}
