//! What predicted goals are used for.

use super::kinds::{Category, Date, Flag, Float, Index, Integer, Nullable, Text};

tables! {
    /// Next-best recommendations: classes inside goals, per customer.
    Recommendations of RecommendationRow = "recommendations", 1 {
        customer: Text = "customer id",
        horizon_days: Index = "days ahead",
        goal_rank: Index = "rank of the goal for the customer, from 1",
        goal: Category = "goal",
        goal_probability: Float = "probability that the goal comes within the horizon",
        class_rank: Index = "rank of the class inside the goal, from 1",
        class: Category = "transaction class",
        probability: Float = "probability that the goal comes and its first group holds the class",
        novelty: Float = "share of the customer's history, in windows as long as the horizon, without the class",
        self_information: Float = "-log2 of the share of customers who ever bought the class, bits",
        lift: Float = "probability over its mean over all customers",
    }

    /// Whom to address in a campaign for a goal, and when.
    Campaigns of CampaignRow = "campaigns", 1 {
        goal: Category = "goal",
        horizon_days: Index = "days in which the goal is to come",
        rank: Integer = "rank of the customer by falling probability, from 1",
        customer: Text = "customer id",
        probability: Float = "probability that the goal comes within the horizon",
        spent_minor: Float = "expected money that it brings within the horizon, in minor units",
        reached_within_days: Nullable<Index> = "shortest horizon at which the probability reaches the threshold; null if it does at none",
        expected_day: Nullable<Date> = "day on which the goal is expected; null if beyond the last horizon",
    }

    /// What targeting gains over random targeting, expected and measured on what really happened. It is targeting: how well
    /// customers are found for whom the goal comes, not how many it comes for because they were addressed.
    CampaignUplift of CampaignUpliftRow = "campaign_uplift", 1 {
        goal: Category = "goal",
        horizon_days: Index = "days in which the goal is to come",
        targeting: Category = "`model`, or a control: `recency` or `frequency` of the goal",
        share: Float = "share of the eligible customers addressed; the last row of a targeting is at capacity",
        eligible: Integer = "customers for whom the goal is not certain",
        targeted: Float = "customers addressed",
        expected: Nullable<Float> = "expected conversions among them; of the model at capacity, otherwise null",
        expected_random: Nullable<Float> = "expected conversions among as many at random; where `expected` is",
        conversions: Float = "conversions that came, in the mean over the orders of equals",
        uplift: Float = "conversion rate of the addressed less that of all eligible",
        uplift_low: Float = "lower end of its 95 % interval",
        uplift_high: Float = "upper end of its 95 % interval",
        lift: Float = "ratio of the two rates",
        lift_low: Float = "lower end of its 95 % interval",
        lift_high: Float = "upper end of its 95 % interval",
        behind_model: Float = "conversion rate of the model's targeting at this share less that of this one",
        behind_model_low: Float = "lower end of its 95 % interval",
        behind_model_high: Float = "upper end of its 95 % interval",
        area: Float = "area between the targeting's gains curve and random targeting's, over all shares",
        area_low: Float = "lower end of its 95 % interval",
        area_high: Float = "upper end of its 95 % interval",
    }

    /// Pairs of classes or goals that go together or follow one another more often than chance.
    CrossSelling of CrossSellingRow = "cross_selling", 1 {
        items: Category = "`classes` or `goals`",
        rule: Category = "`together`, `follows`, `follows_new` (never bought before) or `spends_more` (more on the second than before and than the median)",
        window_days: Index = "days of a period",
        first: Category = "the item bought first; of a pair without direction, one of the two",
        second: Category = "the other item",
        customers: Integer = "customers for whom the pair came true at least once",
        observed: Float = "customer-periods in which it came true",
        expected: Float = "those expected by chance, among customers who buy as many items in the same period",
        support: Float = "observed over all customer-periods with any purchase",
        confidence: Float = "observed over those with the first item in which the pair could come true",
        lift: Float = "observed over expected",
        lift_low: Float = "lower end of its 95 % interval",
        lift_high: Float = "upper end of its 95 % interval",
        p_value: Float = "one-sided p-value of no positive association, customers being the units",
        q_value: Float = "p-value adjusted for the number of pairs (Benjamini and Hochberg)",
    }

    /// Expected events and money per goal, class and period.
    Demand of DemandRow = "demand", 2 {
        of: Category = "`goal` or `class`",
        name: Category = "the goal or class",
        quantity: Category = "`events` (groups) or `amount` (money in minor units)",
        step: Index = "periods after the last day known, from 1",
        start: Date = "first day of the period",
        end: Date = "first day after the period",
        expected: Float = "expected events or amount",
        low: Float = "lower end of the 95 % prediction interval",
        high: Float = "upper end of the 95 % prediction interval",
        naive: Float = "what the same period was a season ago, or else the last period known",
        seasonal: Flag = "whether the naive forecast is of a season ago (false: history is shorter)",
        dispersion: Float = "factor by which the squared errors of past forecasts exceeded the model's variance; 1 where none are known",
        past: Integer = "past forecasts of this series that the factor is from",
        order: Float = "what to have in stock, by the costs of a unit too few and too many",
    }

    /// How forecasts of demand came out on past periods.
    DemandScores of DemandScoreRow = "demand_scores", 2 {
        of: Category = "`goal` or `class`",
        name: Nullable<Category> = "the goal or class; null for all of them",
        quantity: Category = "`events` (groups) or `amount` (money in minor units)",
        forecasts: Integer = "forecasts scored",
        seasonal: Float = "share of them whose naive forecast is of a season ago",
        mae: Float = "mean absolute error",
        naive_mae: Float = "that of the naive forecast",
        relative_mae: Nullable<Float> = "their ratio; null where the naive forecast makes no error",
        mase: Nullable<Float> = "mean absolute scaled error; null where the naive forecast makes no error in history",
        coverage: Float = "share of the 95 % prediction intervals that held what came",
        stock_cost: Float = "mean cost of a stock of the column `order`, by the costs of a unit too few and too many",
        naive_stock_cost: Float = "that of a stock of the naive forecast: last season's quantity",
        expected_stock_cost: Float = "that of a stock of what is expected",
    }
}
