//! Taxonomies that come with the program: codes that banks have, to the classes of the synthetic bank.

use crate::{Error, Taxonomy};

/// The taxonomies by their names, as text (TOML).
///
/// | name | codes |
/// |---|---|
/// | `mcc` | merchant category codes: ISO 18245, and those that card schemes add |
/// | `plaid` | personal finance categories of Plaid, primary and detailed, of both versions |
/// | `coicop` | COICOP 2018: divisions, groups and classes, as `01.1.1` and `CP0111` |
pub const SHIPPED: [(&str, &str); 3] = [
    ("mcc", include_str!("../data/mcc.toml")),
    ("plaid", include_str!("../data/plaid.toml")),
    ("coicop", include_str!("../data/coicop.toml")),
];

/// The taxonomy of a name of [`SHIPPED`], or none of another name.
///
/// ```
/// use spendscape_schema::shipped::taxonomy;
///
/// assert!(taxonomy("no such list")?.is_none());
/// # Ok::<(), spendscape_schema::Error>(())
/// ```
///
/// # Errors
/// Never for those that come with the crate.
pub fn taxonomy(name: &str) -> Result<Option<Taxonomy>, Error> {
    let found = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
    found.map(|(_, text)| Taxonomy::from_toml(text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flow;

    fn of(name: &str) -> Taxonomy {
        taxonomy(name).unwrap().unwrap()
    }

    /// That no code stands twice, the reading of a taxonomy sees to.
    #[test]
    fn every_taxonomy_is_read_and_refuses_what_it_does_not_know() {
        for (name, _) in SHIPPED {
            let taxonomy = of(name);
            assert_eq!(taxonomy.name(), name);
            assert_eq!((taxonomy.class_of("no such code"), taxonomy.class_of("")), (None, None));
        }
        assert_eq!(taxonomy("other").unwrap(), None);
    }

    #[test]
    fn merchant_codes_are_complete_in_their_ranges() {
        let mcc = of("mcc");
        for (from, to, class) in
            [(3_000, 3_350, "flights"), (3_351, 3_500, "vehicle_leasing"), (3_501, 3_999, "hotels")]
        {
            for code in from..=to {
                assert_eq!(mcc.class_of(&code.to_string()), Some(class), "{code}");
            }
        }
        for (code, class) in [
            ("5411", "supermarket"),
            ("5812", "restaurants"),
            ("5814", "fast_food"),
            ("6011", "cash_withdrawal"),
            ("7995", "gambling"),
            ("0742", "pets"),
            ("742", "pets"),
            ("9222", "traffic_fines"),
        ] {
            assert_eq!(mcc.class_of(code), Some(class), "{code}");
        }
    }

    #[test]
    fn categories_of_plaid_have_their_primary_code_before_them() {
        let plaid = of("plaid");
        for (code, class) in [
            ("FOOD_AND_DRINK", "supermarket"),
            ("FOOD_AND_DRINK_COFFEE", "coffee_shops"),
            ("INCOME_WAGES", "income"),
            ("INCOME_SALARY", "income"),
            ("TRANSFER_IN_DEPOSIT", "transfer_in"),
            ("RENT_AND_UTILITIES_RENT", "rent"),
        ] {
            assert_eq!(plaid.class_of(code), Some(class), "{code}");
        }
        let flow =
            |class: &str| plaid.classes().iter().find(|(name, _)| name == class).map(|(_, flow)| *flow);
        assert_eq!((flow("income"), flow("transfer_in")), (Some(Flow::Income), Some(Flow::Ignored)));
    }

    #[test]
    fn purposes_have_two_spellings() {
        let coicop = of("coicop");
        for (dotted, plain, class) in [
            ("01", "CP01", "supermarket"),
            ("02.3", "CP023", "tobacco"),
            ("07.3.3", "CP0733", "flights"),
            ("13.9.0", "CP1390", "other"),
        ] {
            assert_eq!(
                (coicop.class_of(dotted), coicop.class_of(plain)),
                (Some(class), Some(class)),
                "{dotted}"
            );
        }
        // What governments and charities pay for, no household does.
        assert_eq!((coicop.class_of("14"), coicop.class_of("15.1")), (None, None));
    }
}
