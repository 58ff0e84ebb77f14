//! Classes that tell something protected of a person by their names, so that a first run does not advise anybody to save on
//! their medicine. This is the one place where the names are listed.
//!
//! What counts as protected are the special categories of personal data of the General Data Protection Regulation (EU)
//! 2016/679, article 9, that spending can tell: health, religion, political opinions, trade-union membership, sex life. A
//! name is cut into words at whatever is no letter and where a small letter meets a capital one, and a word matches a stem that
//! it begins with. The list is English, German, French and Spanish, and no more than a start: `--protected` says what a bank
//! knows of its own classes.

/// What is told, and the stems of words that tell it.
const STEMS: [(&str, &[&str]); 5] = [
    (
        "health",
        &[
            "health",
            "healthcare",
            "medic",
            "medizin",
            "doctor",
            "physician",
            "surger",
            "surgeon",
            "surgic",
            "hospital",
            "clinic",
            "klinik",
            "dent",
            "orthodont",
            "optic",
            "optom",
            "ophthalm",
            "pharma",
            "farmac",
            "drugstore",
            "apothek",
            "therap",
            "psych",
            "psiq",
            "counseling",
            "counselling",
            "physio",
            "chiropract",
            "podiatr",
            "osteopath",
            "ambulance",
            "nursing",
            "hospice",
            "fertility",
            "maternity",
            "rehab",
            "addiction",
            "disab",
            "prosthe",
            "wheelchair",
            "hearing",
            "gesundheit",
            "arzt",
            "kranken",
            "pflege",
            "sante",
            "medec",
            "salud",
            "hopital",
            "parapharm",
            "zahn",
            "hausarzt",
            "facharzt",
            "augenarzt",
            "frauenarzt",
            "kinderarzt",
            "optik",
            "eyecare",
            "visioncare",
            "eyewear",
            "eyeglass",
            "diabet",
            "insulin",
            "oncolog",
            "cancer",
            "dialys",
            "contracept",
            "abortion",
            "pregnan",
            "midwif",
            "midwiv",
            "hebamme",
            "vaccin",
            "homeopath",
            "naturopath",
            "acupunct",
            "kinesi",
            "eldercare",
        ],
    ),
    (
        "religion",
        &[
            "relig", "church", "mosque", "synagog", "parish", "tithe", "zakat", "kirche", "eglise",
            "iglesia", "mosquee", "moschee", "diocese", "temple", "tempel", "kosher", "koscher", "halal",
        ],
    ),
    ("political opinions", &["politic", "politik", "politiq", "partei", "campaigncontribution"]),
    (
        "trade-union membership",
        &[
            "tradeunion",
            "laborunion",
            "labourunion",
            "unionfee",
            "uniondue",
            "gewerkschaft",
            "syndicat",
            "sindicat",
            "unionmember",
        ],
    ),
    (
        "sex life",
        &[
            "sex",
            "escort",
            "adultentertainment",
            "adultstore",
            "adultshop",
            "adultcontent",
            "erotic",
            "erotik",
            "dating",
            "brothel",
            "stripclub",
        ],
    ),
];

/// What a class tells by its name, if anything.
pub(super) fn told_by_name(class: &str) -> Option<&'static str> {
    let words = words(class);
    // Two words may make one: "trade union".
    let pairs = words.windows(2).map(<[String]>::concat);
    let all: Vec<String> = words.iter().cloned().chain(pairs).collect();
    let told = |stems: &[&str]| all.iter().any(|word| stems.iter().any(|stem| begins(word, stem)));
    STEMS.iter().find(|(_, stems)| told(stems)).map(|(what, _)| *what)
}

/// Whether a word begins with a stem. A short stem has to be the word, or its plural: "dent" is in "dentist", but "sex" is no
/// part of "sextant".
fn begins(word: &str, stem: &str) -> bool {
    const SHORT: usize = 3;
    match word.strip_prefix(stem) {
        Some(rest) if stem.len() <= SHORT => rest.is_empty() || rest == "s",
        found => found.is_some(),
    }
}

/// The words of a name, in small letters without accents on the vowels of the list's languages.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_small = false;
    for character in name.chars() {
        if !character.is_alphabetic() || (before_small && character.is_uppercase()) {
            words.push(String::new());
        }
        before_small = character.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| character.is_alphabetic()) {
            word.extend(character.to_lowercase().map(plain));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn plain(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ä' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tell_something_protected_are_found() {
        for (class, what) in [
            ("pharmacy", "health"),
            ("PHARMACIES", "health"),
            ("drug_stores_and_pharmacies", "health"),
            ("therapy", "health"),
            ("Physiotherapy", "health"),
            ("psychotherapy", "health"),
            ("doctors", "health"),
            ("dentist", "health"),
            ("healthInsurance", "health"),
            ("Santé", "health"),
            ("Zahnarzt", "health"),
            ("eye_care", "health"),
            ("midwives", "health"),
            ("Optiker", "health"),
            ("halal butcher", "religion"),
            ("temples", "religion"),
            ("sindicatos", "trade-union membership"),
            ("adult_store", "sex life"),
            ("church", "religion"),
            ("Religious goods", "religion"),
            ("political_organizations", "political opinions"),
            ("trade union", "trade-union membership"),
            ("union_fees", "trade-union membership"),
            ("sex shop", "sex life"),
            ("dating", "sex life"),
        ] {
            assert_eq!(told_by_name(class).unwrap_or(""), what, "{class}");
        }
    }

    #[test]
    fn other_names_are_left_alone() {
        for class in [
            "groceries",
            "credit_union",
            "sextant",
            "party supplies",
            "restaurants",
            "fast_food",
            "rent",
            "OTHER",
            "5912",
            "",
            "sports",
            "books",
            "utility_bill",
            "insurance",
            "identity",
            "template",
            "temperature",
            "adult_education",
            "midwinter_sale",
            "home_care",
        ] {
            assert_eq!(told_by_name(class), None, "{class}");
        }
    }
}
