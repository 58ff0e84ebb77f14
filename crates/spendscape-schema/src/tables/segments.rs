//! Micro-segments and what they are like.

use super::kinds::{Category, Float, Index, Integer, Nullable, Sizes, Text, Trait, Unit, Values, Vector64};

tables! {
    /// Micro-segment of each customer.
    Segments of SegmentRow = "segments", 2 {
        customer: Text = "customer id",
        path: Category = "traits by falling grade, joined by ` / `",
        model_path: Category = "traits by falling output of the network, joined by ` / `",
        segment: Index = "segment of the long window's direction; ids last over refits",
        short_segment: Nullable<Index> = "segment of the short window's direction; null where the customer has no short window",
    }

    /// Where the segments lie: what new customers are assigned by.
    SegmentCenters of SegmentCenterRow = "segment_centers", 1 {
        segment: Index = "id of the segment",
        center: Vector64<Unit> = "mean unit direction of the training customers in the segment",
        train_customers: Integer = "number of these customers",
    }

    /// What a segment is like, one row each; means are over its customers.
    Profiles of ProfileRow = "profiles", 1 {
        segment: Index = "id of the segment",
        customers: Integer = "number of customers",
        share: Float = "share of all customers",
        grade: Vector64<Trait> = "mean grade in [-1, 1]",
        short_kept: Nullable<Float> = "share that the short window puts in the segment too, of those with a short window",
        always_kept: Float = "share that is in the segment after every period",
        bootstrap_overlap: Nullable<Float> = "mean Jaccard overlap with the closest segment of refits on bootstrap samples; null where nothing was refitted",
    }

    /// Spending that sets a segment apart, by falling absolute difference.
    ProfileSpending of ProfileSpendingRow = "profile_spending", 1 {
        segment: Index = "id of the segment",
        class: Text = "transaction class",
        share: Float = "mean share of spending in the segment",
        population: Float = "mean share of spending of all customers",
        difference: Float = "segment less population, in standard deviations over customers",
    }

    /// Mean trajectory of a segment.
    ProfileTrajectories of ProfileTrajectoryRow = "profile_trajectories", 1 {
        segment: Index = "id of the segment",
        period: Index = "period, from 0",
        hidden: Vector64<Unit> = "mean hidden state after the period",
        output: Vector64<Trait> = "output of the network there: the grades it would predict",
    }

    /// Customers nearest to a segment's mean final state, the nearest first.
    ProfileCustomers of ProfileCustomerRow = "profile_customers", 1 {
        segment: Index = "id of the segment",
        customer: Text = "customer id",
        distance: Float = "distance of the final hidden state from the segment's mean",
    }

    /// What became of the segments of an earlier run; no rows where there is none.
    Drift of DriftRow = "drift", 2 {
        segment: Index = "id of the segment",
        fate: Category = "kept, appeared or disappeared",
        old_customers: Integer = "customers in the earlier run",
        new_customers: Integer = "customers in this run",
        stayed: Integer = "customers in it in both runs",
        closest: Nullable<Index> = "segment of the other run that it overlaps most; itself where it is kept",
        overlap: Float = "Jaccard overlap with that segment, of the customers in both runs",
        went_to: Sizes = "segments of this run that took at least a quarter of it, largest part first: two or more are a split",
        went_to_part: Values = "these parts",
        came_from: Sizes = "earlier segments that gave it at least a quarter of theirs, largest part first: two or more are a merger",
        came_from_part: Values = "these parts",
        matched: Nullable<Index> = "segment of the other run that its size is compared with; itself where it is kept, null where none is left",
        stability_index: Nullable<Float> = "the segment's part of the population stability index of matched segments; null where its partner's row has it",
    }

    /// Customers that illustrate a claim.
    Examples of ExampleRow = "examples", 2 {
        role: Category = "`steady`: both windows agree; `changed`: turned in the last year",
        customer: Text = "customer id",
        score: Float = "how well the customer fits the role; the best comes first",
        before: Category = "of one who turned, the trait that the state before the last period decodes to, otherwise empty",
        toward: Category = "the trait that the last step decodes to, and the end of the short window too",
    }
}
