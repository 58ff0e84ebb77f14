//! Bounds on what an expression may cost, so that a map from elsewhere can neither stop the process nor fill its memory.

use std::ops::ControlFlow;

use datafusion_common::ScalarValue;
use datafusion_expr::{BinaryExpr, Expr, Operator, expr::ScalarFunction};
use datafusion_sql::sqlparser::ast::{Expr as Parsed, Query, Visit, Visitor};

/// Bytes of an expression.
const LONGEST: usize = 16 * 1024;

/// Levels of parentheses and calls, which parser and planner go down by recursion.
pub(crate) const DEEPEST_NESTING: usize = 40;

/// Levels of the parsed expression; a chain of operators is one level each.
const DEEPEST: usize = 256;

/// Levels of what the plan holds twice for each level: they multiply.
const DEEPEST_COPIES: usize = 6;

/// Digits of a number's exponent.
const EXPONENT_DIGITS: usize = 3;

/// Bytes of a text that an expression may make for one row. A batch has some thousand rows.
const LONGEST_TEXT: u64 = 64 * 1024;

/// Bytes taken for a column's text, or for a number's.
const USUAL_TEXT: u64 = 64;

/// Stack that planning and evaluation may need: a mebibyte for each level.
pub const STACK_BYTES: usize = DEEPEST * (1 << 20);

/// The checks before parsing.
pub(crate) fn check_text(sql: &str) -> Result<(), String> {
    if sql.len() > LONGEST {
        return Err(format!("it has {} bytes; at most {LONGEST} are allowed", sql.len()));
    }
    let (mut depth, mut quote) = (0_usize, None);
    let mut at = 0;
    let bytes = sql.as_bytes();
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match (quote, byte) {
            (Some(open), _) => quote = quote.filter(|_| open != byte),
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
                at += bytes[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count();
            }
            (None, byte) if byte.is_ascii_digit() => {
                at += bytes[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
                if let [b'e' | b'E', rest @ ..] = &bytes[at..] {
                    let sign = usize::from(matches!(rest, [b'+' | b'-', ..]));
                    let digits = rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    if digits > EXPONENT_DIGITS {
                        return Err(format!("a number has an exponent of {digits} digits"));
                    }
                }
            }
            _ => {}
        }
        if depth > DEEPEST_NESTING {
            return Err(too_deep(DEEPEST_NESTING));
        }
    }
    Ok(())
}

pub(crate) fn too_deep(levels: usize) -> String {
    format!("it is nested too deeply: at most {levels} levels are allowed")
}

/// The checks of the parsed expression before planning.
pub(crate) fn check_parsed(parsed: &Parsed) -> Result<(), String> {
    match parsed.visit(&mut Depth::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(problem) => Err(problem),
    }
}

#[derive(Default)]
struct Depth {
    levels: usize,
    copies: usize,
}

/// The levels of the plan that a parsed expression adds: a chain of fields is one level each.
fn levels(parsed: &Parsed) -> usize {
    match parsed {
        Parsed::CompoundFieldAccess { access_chain, .. } => 1 + access_chain.len(),
        _ => 1,
    }
}

/// Expressions whose plan holds an argument twice.
fn is_copied(parsed: &Parsed) -> bool {
    match parsed {
        Parsed::Between { .. } => true,
        Parsed::Function(call) => {
            let name = call.name.to_string();
            ["coalesce", "nvl", "ifnull", "nvl2"].iter().any(|copied| copied.eq_ignore_ascii_case(&name))
        }
        _ => false,
    }
}

impl Visitor for Depth {
    type Break = String;

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<String> {
        ControlFlow::Break("an expression over columns has no queries".to_owned())
    }

    fn pre_visit_expr(&mut self, parsed: &Parsed) -> ControlFlow<String> {
        self.levels += levels(parsed);
        self.copies += usize::from(is_copied(parsed));
        if self.levels > DEEPEST {
            return ControlFlow::Break(format!(
                "{}; for a long list of values write `IN (...)`",
                too_deep(DEEPEST)
            ));
        }
        if self.copies > DEEPEST_COPIES {
            return ControlFlow::Break(format!(
                "BETWEEN and coalesce() are nested too deeply: at most {DEEPEST_COPIES} levels are allowed"
            ));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, parsed: &Parsed) -> ControlFlow<String> {
        self.levels -= levels(parsed);
        self.copies -= usize::from(is_copied(parsed));
        ControlFlow::Continue(())
    }
}

/// Checks what functions that make texts may make.
pub(crate) fn check_texts(planned: &Expr) -> Result<(), String> {
    longest_text(planned).map(drop)
}

/// Bytes of the longest text that an expression makes of usual ones.
fn longest_text(planned: &Expr) -> Result<u64, String> {
    match planned {
        Expr::Literal(value, _) => Ok(text(value).map_or(USUAL_TEXT, |text| text.len() as u64)),
        Expr::Column(_) => Ok(USUAL_TEXT),
        Expr::Alias(alias) => longest_text(&alias.expr),
        Expr::ScalarFunction(call) => function(call),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
            bounded("||", longest_text(left)?.saturating_add(longest_text(right)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, right, .. }) => {
            longest_text(left)?;
            longest_text(right).map(|_| USUAL_TEXT)
        }
        // A choice among its parts, or no text at all.
        _ => {
            let (mut longest, mut problem) = (USUAL_TEXT, None);
            for part in parts(planned) {
                match longest_text(part) {
                    Ok(bytes) => longest = longest.max(bytes),
                    Err(found) => problem = problem.or(Some(found)),
                }
            }
            problem.map_or(Ok(longest), Err)
        }
    }
}

fn parts(planned: &Expr) -> Vec<&Expr> {
    use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
    let mut parts = Vec::new();
    // Collecting cannot fail.
    drop(planned.apply_children(|part| {
        parts.push(part);
        Ok(TreeNodeRecursion::Continue)
    }));
    parts
}

fn function(call: &ScalarFunction) -> Result<u64, String> {
    let name = call.func.name();
    let sizes: Vec<u64> = call.args.iter().map(longest_text).collect::<Result<_, _>>()?;
    let size = |at: usize| sizes.get(at).copied().unwrap_or(0);
    let all = sizes.iter().fold(0_u64, |all, size| all.saturating_add(*size));
    let constant = |at: usize| match call.args.get(at) {
        Some(Expr::Literal(value, _)) => text(value),
        _ => None,
    };
    let length = |at: usize| match call.args.get(at) {
        Some(Expr::Literal(value, _)) => match value {
            ScalarValue::Int64(Some(length)) => Ok(u64::try_from(*length).unwrap_or(0)),
            ScalarValue::UInt64(Some(length)) => Ok(*length),
            _ => Ok(0),
        },
        _ => Err(format!("{name}() needs its length as a number")),
    };
    let bytes = match name {
        "repeat" => size(0).saturating_mul(length(1)?),
        "lpad" | "rpad" => all.saturating_add(length(1)?),
        "replace" => {
            // Without a constant the replaced text may be one byte, or none, which stands between any two.
            let replaced = constant(1).map_or(0, |text| text.len() as u64);
            let times = size(0).checked_div(replaced).unwrap_or(size(0) + 1);
            size(0).saturating_add(times.saturating_mul(size(2)))
        }
        "regexp_replace" => {
            let groups = constant(2).map_or(size(2), |text| text.matches(['\\', '$']).count() as u64);
            let texts = constant(2).map_or(size(2), |text| text.len() as u64);
            // A match may be empty; what groups repeat is the text itself, once each.
            size(0).saturating_mul(1 + groups).saturating_add((size(0) + 1).saturating_mul(texts))
        }
        "encode" | "to_hex" => all.saturating_mul(2),
        "translate" => all.saturating_mul(4),
        // A directive of two bytes may stand for a whole date.
        "to_char" => size(1).saturating_mul(16).saturating_add(USUAL_TEXT),
        "levenshtein" => bounded(name, size(0).saturating_mul(size(1))).map(|_| USUAL_TEXT)?,
        "arrow_cast" | "arrow_try_cast" if constant(1).is_none_or(|target| target.contains("FixedSize")) => {
            return Err(format!("{name}() makes no values of a fixed size here"));
        }
        _ => all.max(USUAL_TEXT),
    };
    bounded(name, bytes)
}

fn bounded(name: &str, bytes: u64) -> Result<u64, String> {
    if bytes <= LONGEST_TEXT {
        return Ok(bytes);
    }
    Err(format!("{name} may make texts of {bytes} bytes: at most {LONGEST_TEXT} are allowed"))
}

fn text(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().flatten()
}
