//! Which rows are booked, where a column says so: what is pending, declined or taken back is no money spent.

use super::{
    Guess,
    facts::{Facts, Roles},
    names::{self, Role},
};

/// States of what is booked, as [`names::parts`] joins them.
const BOOKED: &str = "completed complete booked book posted settled cleared success successful succeeded approved done ok \
    accepted executed processed paid confirmed final captured gebucht verbucht ausgefuhrt abgeschlossen erledigt \
    completado completada ejecutado ejecutada contabilizado contabilizada liquidado liquidada confirmado confirmada \
    realizado realizada aprobado aprobada completato completata eseguito eseguita contabilizzato contabilizzata \
    confermato confermata regolato approvato termine terminee effectue effectuee comptabilise comptabilisee execute \
    executee valide validee regle concluido concluida efetivado efetivada aprovado aprovada pago executado executada \
    zaksiegowana zaksiegowany zaksiegowane zaksiegowano zrealizowana zrealizowany zrealizowano wykonana wykonany \
    rozliczona zakonczona zauctovano zauctovana provedeno dokonceno realizovano voltooid geboekt verwerkt uitgevoerd \
    bokford genomford bogfort gennemfort bokfort gjennomfort kirjattu valmis teljesitett konyvelt";

/// States of what is not booked.
const NOT_BOOKED: &str = "pending pdng declined reverted reversed reversal cancelled canceled failed failure rejected denied \
    refused expired void voided error aborted hold onhold processing inprogress incomplete unsuccessful uncleared unposted \
    notbooked info vorgemerkt vormerkung abgelehnt storniert storno ausstehend offen fehlgeschlagen zuruckgewiesen \
    abgebrochen inbearbeitung nichtgebucht pendiente rechazado rechazada cancelado cancelada anulado anulada fallido \
    fallida retenido retenida revertido revertida inattesa sospeso sospesa rifiutato rifiutata annullato annullata \
    stornato stornata fallito fallita noncontabilizzato noncontabilizzata enattente encours refuse refusee annule annulee \
    echoue echouee rejete rejetee pendente recusado recusada negado negada estornado estornada rejeitado rejeitada falhou \
    agendado agendada oczekujaca oczekujacy oczekujace oczekuje odrzucona odrzucony odrzucone anulowana anulowany \
    anulowane cofnieta blokada nieudana cekajici zamitnuto zamitnuta zruseno zrusena stornovano blokace inbehandeling \
    geweigerd geannuleerd mislukt gereserveerd reserverad avvisad makulerad reserveret afvist annulleret avvist kansellert \
    reservert odottaa hylatty peruttu fuggoben elutasitva torolve";

const YES: &str = "true t yes y 1 ja j si oui tak ano sim";
const NO: &str = "false f no n 0 nein nee non nie ne nao";

/// States looked at, at most: a text of more is not one.
const STATES: usize = 20;

fn has(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known == word)
}

/// Whether a row with a value is booked, by what its column's values are.
fn is_booked(facts: &Facts<'_>, value: &str) -> Option<bool> {
    let word = names::parts(value).concat();
    let name = names::parts(facts.full_name());
    let flag = has(YES, &word).then_some(true).or_else(|| has(NO, &word).then_some(false));
    let names = |words: &str| name.iter().any(|part| has(words, part));
    match flag {
        Some(yes) if names(NOT_BOOKED) => Some(!yes),
        Some(yes) if names(BOOKED) => Some(yes),
        _ if has(NOT_BOOKED, &word) => Some(false),
        _ if has(BOOKED, &word) => Some(true),
        _ => None,
    }
}

/// A condition that keeps what is booked, where a column tells it: at least one of its values has to be known. Values that
/// are not known are left out beside known ones of what is booked, and kept otherwise.
pub(super) fn of(roles: &mut Roles<'_, '_>, guesses: &mut Vec<Guess>) -> Option<String> {
    let tells = |facts: &Facts<'_>| {
        let is_short = (1..=STATES).contains(&facts.distinct) && !facts.is_time();
        f64::from(is_short && facts.commonest().iter().any(|(value, _)| is_booked(facts, value).is_some()))
    };
    let facts = roles.best(Role::State, tells).map(|at| roles.take(at))?;
    let states: Vec<(&str, usize, Option<bool>)> =
        facts.commonest().into_iter().map(|(value, rows)| (value, rows, is_booked(facts, value))).collect();
    let empty = facts.column.values.len() - facts.filled;
    let of = |wanted: &[Option<bool>]| -> Vec<&(&str, usize, Option<bool>)> {
        states.iter().filter(|state| wanted.contains(&state.2)).collect()
    };
    let is_any_booked = states.iter().any(|state| state.2 == Some(true));
    let kept = if is_any_booked { of(&[Some(true)]) } else { of(&[Some(true), None]) };
    let left_out = if is_any_booked { of(&[Some(false), None]) } else { of(&[Some(false)]) };
    let list = |states: &[&(&str, usize, Option<bool>)]| {
        let quoted = states.iter().map(|state| format!("'{}'", state.0.replace('\'', "''")));
        quoted.collect::<Vec<_>>().join(", ")
    };
    let is_flag = matches!(facts.column.data_type, Some(arrow::datatypes::DataType::Boolean));
    let text = match &facts.column.data_type {
        None => format!("trim({})", facts.sql()),
        Some(_) => format!("trim(CAST({} AS VARCHAR))", facts.sql()),
    };
    let condition = if is_flag {
        // A flag that is empty says nothing against its row.
        let against = if is_booked(facts, "true") == Some(false) { "TRUE" } else { "FALSE" };
        format!("{} IS NOT {against}", facts.sql())
    } else if is_any_booked && empty == 0 {
        format!("{text} IN ({})", list(&kept))
    } else if is_any_booked {
        format!("coalesce({text}, '') IN ('', {})", list(&kept))
    } else {
        format!("coalesce({text}, '') NOT IN ({})", list(&left_out))
    };
    let counts: Vec<String> = left_out.iter().map(|state| format!("{} ({})", state.0, state.1)).collect();
    let name = facts.full_name();
    let (reason, is_sure) = match counts.as_slice() {
        [] => (format!("{name} says of all rows that were looked at that they are booked"), true),
        counts => (format!("by {name}, what is not booked is left out: {}", counts.join(", ")), false),
    };
    guesses.push(Guess { entry: "rows.where", value: condition.clone(), reason, is_sure });
    Some(condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_booked_or_not() {
        for word in BOOKED.split_whitespace() {
            assert!(!has(NOT_BOOKED, word), "{word}");
        }
        for word in BOOKED.split_whitespace().chain(NOT_BOOKED.split_whitespace()) {
            assert_eq!(names::parts(word).concat(), word);
        }
    }
}
