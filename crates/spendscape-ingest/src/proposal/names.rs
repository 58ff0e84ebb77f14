//! What headers call the columns of a ledger, in the languages of Europe.

/// What a column may be to a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Customer,
    Time,
    /// The time of day beside a date.
    Clock,
    Amount,
    Debit,
    Credit,
    /// Tells debit from credit.
    Side,
    Quantity,
    UnitPrice,
    Currency,
    Class,
    Transaction,
    Balance,
    Place,
    Channel,
    /// Tells what is booked from what is pending, declined or taken back.
    State,
}

/// Words of a role, the surest first.
fn words(role: Role) -> &'static str {
    match role {
        Role::Customer => {
            "customer customerid client clientid kunde kundennummer kundennr household klient cliente user userid \
             member cardholder subscriber accountid account acct accountnumber iban konto kontonummer compte \
             cuenta conto rekening conta contul rachunek rachunku ucet uctu tili szamla szamlaszam bankkonto \
             rekeningnummer racun klant klantnummer kund kundnummer asiakas ugyfel zakaznik ccnum card cardnumber \
             person owner"
        }
        Role::Time => {
            "timestamp datetime bookingdate buchungstag buchungsdatum transactiondate transdate transactiontime \
             transactiontimestamp posted postingdate dateposted invoicedate bokforingsdag bogforingsdato date \
             datum data dato fecha dia day dt time when created createdat occurred booked valuedate valuta \
             wertstellung"
        }
        Role::Clock => "time uhrzeit zeit hora heure ora tijd godzina cas clock",
        Role::Amount => {
            "amount amt transactionamount betrag umsatz montant importe importo bedrag kwota castka belopp belob \
             belop summa monto salesvalue sales value sum summe valor total spend spent price"
        }
        Role::Debit => {
            "debit debits soll withdrawal withdrawals paidout moneyout debe dare uitgaven ausgabe ausgaben \
             outflow expense abgang belastung out cargo cargos obciazenia"
        }
        Role::Credit => {
            "credit credits haben deposit deposits paidin moneyin haber avere inkomsten einnahme einnahmen inflow \
             income zugang gutschrift in abono abonos uznania"
        }
        Role::Side => {
            "creditdebit debitcredit creditdebitindicator cdtdbtind drcr crdr dc cd sollhaben sh afbij direction \
             sign sens side type transactiontype typ"
        }
        Role::Quantity => "quantity qty menge anzahl units quantite cantidad stuck",
        Role::UnitPrice => "unitprice price einzelpreis stuckpreis preis prixunitaire preciounitario",
        Role::Currency => "currency ccy wahrung devise moneda waluta mena valuta muntsoort currencycode",
        Role::Class => {
            "mcc merchantcategorycode sic coicop category categoryid merchantcategory personalfinancecategory \
             kategorie categorie categoria kategoria class department productcategory ksymbol purpose code kind \
             type merchant merchantname payee empfanger commodity product description beschreibung \
             verwendungszweck memo narrative details operation"
        }
        Role::Transaction => {
            "transactionid transid txid txn txnid fitid transactionreference reference transnum uuid \
             entryreference id nr"
        }
        Role::Balance => "balance runningbalance saldo solde kontostand zustatek balanceafter guthaben",
        Role::Place => "country city town place location region land ort store branch ciudad ville",
        Role::Channel => "channel paymentmethod paymentchannel method kanal canal mode medium",
        Role::State => {
            "pending status state declined cancelled canceled reversed reverted voided failed posted booked \
             settled completed estado stato statut etat stan stav situacao zustand tila allapot statusz gebucht \
             vorgemerkt storniert"
        }
    }
}

/// Words that stand in others without meaning the same ("contabile", "sconto", "estadosunidos").
const ALONE: [&str; 6] = ["conta", "conto", "state", "stato", "estado", "posted"];

/// How well a name says that a column has a role: 0 for not at all, 1 for the surest.
pub(super) fn fit(name: &str, role: Role) -> f64 {
    let parts = parts(name);
    let whole = parts.concat();
    let words = || words(role).split_whitespace();
    let score = |at: usize| 1.0 - 0.5 * at as f64 / words().count() as f64;
    let best = |found: &dyn Fn(&str) -> bool| words().position(found).map(score);
    let whole_word = best(&|word| word == whole);
    // "Customer ID", "amount_eur", "Booking date"; neighbors may make one word of the list.
    let is_part = |word: &str| {
        parts.iter().any(|part| part == word) || parts.windows(2).any(|pair| pair.concat() == word)
    };
    // "Kontobuchungsbetrag"; short words stand in others by chance.
    let is_inside = |word: &str| word.len() > 4 && !ALONE.contains(&word) && whole.contains(word);
    whole_word
        .or_else(|| best(&is_part).map(|fit| 0.8 * fit))
        .or_else(|| best(&is_inside).map(|fit| 0.6 * fit))
        .unwrap_or(0.0)
}

/// Whether a part of a name is that of hundredths of a currency's unit.
pub(super) fn is_minor_unit(part: &str) -> bool {
    const WORDS: [&str; 14] = [
        "cents",
        "cent",
        "minor",
        "pence",
        "centimes",
        "centimos",
        "centavos",
        "centesimi",
        "rappen",
        "grosze",
        "groszy",
        "halere",
        "ore",
        "oere",
    ];
    WORDS.contains(&part)
}

/// The words of a name in lower case without accents; a capital after a small letter begins one.
pub(super) fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let begins = character.is_uppercase() && before.is_lowercase();
        if (begins || !character.is_alphanumeric()) && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(part) = parts.last_mut()
        {
            part.extend(character.to_lowercase().map(plain));
        }
        before = character;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// A letter without its accent.
fn plain(letter: char) -> char {
    const ACCENTS: [(&str, char); 12] = [
        ("áàâäãåą", 'a'),
        ("çćč", 'c'),
        ("ďđ", 'd'),
        ("éèêëęě", 'e'),
        ("íìîï", 'i'),
        ("łĺľ", 'l'),
        ("ñńň", 'n'),
        ("óòôöõøő", 'o'),
        ("řŕ", 'r'),
        ("śš", 's'),
        ("úùûüůű", 'u'),
        ("ýÿžźż", 'z'),
    ];
    ACCENTS.iter().find(|(accented, _)| accented.contains(letter)).map_or(letter, |(_, plain)| *plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_roles_in_several_languages() {
        for (name, role) in [
            ("CustomerID", Role::Customer),
            ("Kundennr.", Role::Customer),
            ("household_key", Role::Customer),
            ("Buchungstag", Role::Time),
            ("transaction_timestamp", Role::Time),
            ("Bokföringsdag", Role::Time),
            ("Amount (GBP)", Role::Amount),
            ("Částka", Role::Amount),
            ("Beløb", Role::Amount),
            ("Paid out", Role::Debit),
            ("Money In", Role::Credit),
            ("Af Bij", Role::Side),
            ("merchant_category_code", Role::Class),
            ("Kontostand", Role::Balance),
            ("Währung", Role::Currency),
            ("Conta", Role::Customer),
            ("Conta Corrente", Role::Customer),
            ("Nº da conta", Role::Customer),
            ("Číslo účtu", Role::Customer),
            ("Számlaszám", Role::Customer),
            ("Numer rachunku", Role::Customer),
            ("transactionStatus", Role::State),
        ] {
            assert!(fit(name, role) > 0.3, "{name} {role:?} {}", fit(name, role));
        }
        assert!(fit("amount", Role::Amount) > fit("price", Role::Amount));
        assert!(fit("Customer ID", Role::Customer) > fit("Card Type", Role::Customer));
        assert_eq!(fit("zzz", Role::Amount), 0.0);
        assert_eq!(fit("Causale contabile", Role::Customer), 0.0);
        assert_eq!(parts("paidOut Konto-Nr.€"), ["paid", "out", "konto", "nr"]);
    }
}
