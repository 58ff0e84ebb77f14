//! The short way through formats of numbers that stand at fixed places.

use spendscape_schema::day;

/// Bytes that are compared at once: a text is its first and its last ones, which overlap.
const HALF: usize = 16;
const LONGEST: usize = 2 * HALF;

/// A `strptime` format of year, month, day and perhaps hour, minute and second, all digits of which are written.
#[derive(Debug)]
pub(crate) struct FixedFormat {
    length: usize,
    /// What may stand in the first and in the last bytes of a text; what is shorter than these is filled up.
    first: Allowed,
    last: Allowed,
    /// Places of the numbers.
    year: usize,
    month: usize,
    day: usize,
    hour: Option<usize>,
    minute: Option<usize>,
    second: Option<usize>,
    /// The bytes between the numbers but for white space.
    literals: Vec<u8>,
}

/// The least byte that may stand at each place, and by how much it may be exceeded.
#[derive(Debug)]
struct Allowed {
    least: [u8; HALF],
    more: [u8; HALF],
}

impl Allowed {
    fn new(bytes: &[(u8, u8)]) -> Self {
        let of = |at: usize| bytes.get(at).copied().unwrap_or((0, u8::MAX));
        Self { least: std::array::from_fn(|at| of(at).0), more: std::array::from_fn(|at| of(at).1) }
    }

    #[inline]
    fn all(&self, bytes: &[u8; HALF]) -> bool {
        let places = bytes.iter().zip(&self.least).zip(&self.more);
        places.fold(true, |fits, ((byte, least), more)| fits & (byte.wrapping_sub(*least) <= *more))
    }
}

/// What the short way finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixed {
    /// A local time in milliseconds.
    Time(i64),
    /// The format does not read the text.
    Nothing,
    /// The long way must tell.
    Unknown,
}

impl FixedFormat {
    /// The short way of a format, if it has one.
    pub(crate) fn new(format: &str) -> Option<Self> {
        let format = format.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%R", "%H:%M");
        let (mut allowed, mut literals) = (Vec::new(), Vec::new());
        let mut places = [None; 6];
        let mut bytes = format.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let (number, digits) = match byte {
                b'%' => {
                    let number =
                        b"YmdHMS".iter().position(|directive| Some(*directive) == bytes.peek().copied());
                    bytes.next();
                    (Some(number?), if number == Some(0) { 4 } else { 2 })
                }
                // White space stands for any number of spaces, of which the short way knows one.
                b' ' if bytes.peek() != Some(&b' ') => (None, 1),
                byte if byte.is_ascii_graphic() && !byte.is_ascii_digit() => {
                    literals.push(byte);
                    (None, 1)
                }
                _ => return None,
            };
            if let Some(number) = number
                && places[number].replace(allowed.len()).is_some()
            {
                return None;
            }
            allowed.extend(vec![if number.is_some() { (b'0', 9) } else { (byte, 0) }; digits]);
        }
        // An hour alone is no time of the day.
        let [Some(year), Some(month), Some(day), hour, minute, second] = places else { return None };
        if hour.is_some() != minute.is_some() || second.is_some() && minute.is_none() {
            return None;
        }
        let length = allowed.len();
        let (first, last) = (Allowed::new(&allowed), Allowed::new(&allowed[length.saturating_sub(HALF)..]));
        let is_short = length <= LONGEST;
        is_short.then_some(Self { length, first, last, year, month, day, hour, minute, second, literals })
    }

    /// Reads a text.
    #[inline]
    pub(crate) fn read(&self, text: &[u8]) -> Fixed {
        if text.len() != self.length {
            return self.unread(text);
        }
        let fits = match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) => self.first.all(first) && self.last.all(last),
            _ => {
                let mut filled = [0; HALF];
                filled[..text.len()].copy_from_slice(text);
                self.first.all(&filled)
            }
        };
        if !fits {
            return self.unread(text);
        }
        // The lowest four bits of a digit are its value.
        let two = |at: usize| 10 * u32::from(text[at] & 0x0f) + u32::from(text[at + 1] & 0x0f);
        let (year, month, day) = (100 * two(self.year) + two(self.year + 2), two(self.month), two(self.day));
        // Mapping an array of them is no part of this function to the compiler, but a loop of its own.
        let of = |place: Option<usize>| place.map_or(0, two);
        let (hour, minute, second) = (of(self.hour), of(self.minute), of(self.second));
        let is_month = year > 0 && (1..=12).contains(&month);
        let is_day = is_month && day > 0 && (day <= SHORTEST_MONTH || day <= days_of(year, month));
        if !is_day || hour > 23 || minute > 59 || second > 59 {
            return Fixed::Unknown;
        }
        let seconds = i64::from(3600 * hour + 60 * minute + second);
        Fixed::Time(day_number(year, month, day) * day::MILLIS + 1000 * seconds)
    }

    /// What is known of a text that is not as the format writes it: numbers take digits, signs and spaces, and what stands
    /// between
    /// them in the format must stand in the text.
    fn unread(&self, text: &[u8]) -> Fixed {
        let may_be = |byte: &u8| {
            matches!(byte, b'0'..=b'9' | b'+' | b'-' | 0x80..)
                || byte.is_ascii_whitespace()
                || self.literals.contains(byte)
        };
        if text.iter().all(may_be) && self.literals.iter().all(|literal| text.contains(literal)) {
            Fixed::Unknown
        } else {
            Fixed::Nothing
        }
    }
}

const SHORTEST_MONTH: u32 = 28;

fn days_of(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => SHORTEST_MONTH + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, by Hinnant's algorithm (<https://howardhinnant.github.io/date_algorithms.html>): years that begin in
/// March
/// have their leap day at the end. Only for years from 1 on.
fn day_number(year: u32, month: u32, day: u32) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (century, day_of_year) = (year / 100, (153 * month + 2) / 5 + day);
    i64::from(365 * year + year / 4 + century / 4 + day_of_year) - i64::from(century) - 719_469
}
