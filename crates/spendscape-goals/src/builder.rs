//! Groups that were formed before, customer by customer.

use spendscape_stats::{BadInput, check};

use crate::{Error, Sequences};

/// Hours of a day.
const HOURS: usize = 24;

/// A group that was formed before, but for its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NewGroup {
    /// Its day, since 1970-01-01.
    pub day: i32,
    /// Its goal, from 0.
    pub goal: u16,
    /// Channel of its largest transaction, from 0.
    pub channel: u16,
    /// Place of its largest transaction, from 0.
    pub place: u16,
    /// Hour of the day of its largest transaction, 0 to 23.
    pub hour: u8,
}

/// Puts [`Sequences`] together from groups that are known already, such as those of a table.
///
/// ```
/// use spendscape_goals::{NewGroup, SequencesBuilder};
///
/// let mut groups = SequencesBuilder::new(vec!["home".to_owned(), "food".to_owned()]);
/// groups.customer();
/// groups.group(NewGroup { day: 17_897, goal: 1, ..NewGroup::default() }, &[(4, 1250), (7, 300)])?;
/// groups.customer(); // one without groups
/// let sequences = groups.finish();
/// assert_eq!((sequences.customers(), sequences.len()), (2, 1));
/// assert_eq!(sequences.groups(0).spent, [1550]);
/// # Ok::<(), spendscape_goals::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SequencesBuilder(Sequences);

impl SequencesBuilder {
    /// No customers yet.
    #[must_use]
    pub fn new(goals: Vec<String>) -> Self {
        Self(Sequences { goals, offsets: vec![0], item_offsets: vec![0], ..Sequences::default() })
    }

    /// Begins the next customer.
    pub fn customer(&mut self) {
        self.0.offsets.push(self.0.day.len());
    }

    /// Adds a group to the customer begun last, and its classes with the money spent on each, by class.
    ///
    /// # Errors
    /// [`BadInput::OutOfRange`] for a goal or an hour that does not exist, [`BadInput::TooFew`] before any customer or without
    /// items, [`BadInput::InvalidParameter`] for a group that is earlier than the customer's last one.
    pub fn group(&mut self, group: NewGroup, items: &[(u16, i64)]) -> Result<(), Error> {
        let NewGroup { day, goal, channel, place, hour } = group;
        let groups = &mut self.0;
        check::index("goal", goal.into(), groups.goals.len())?;
        check::index("hour", hour.into(), HOURS)?;
        let [.., first, end] = groups.offsets.as_mut_slice() else {
            return Err(BadInput::TooFew { what: "a group", needed: 1, of: "customers", found: 0 }.into());
        };
        let previous = groups.day[*first..].last().copied();
        if let Some(previous) = previous {
            let days = f64::from(day) - f64::from(previous);
            check::parameter("days from a group to the next", days, days >= 0.0, "0 and more")?;
        }
        check::at_least("a group", "items", 1, items.len())?;
        *end += 1;
        groups.day.push(day);
        groups.goal.push(goal);
        groups.channel.push(channel);
        groups.place.push(place);
        groups.hour.push(hour);
        groups.spent.push(items.iter().fold(0, |sum, (_, spent)| spent.saturating_add(sum)));
        groups.item_class.extend(items.iter().map(|(class, _)| *class));
        groups.item_spent.extend(items.iter().map(|(_, spent)| *spent));
        groups.item_offsets.push(groups.item_class.len());
        Ok(())
    }

    /// Number of groups so far.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All customers with their groups.
    #[must_use]
    pub fn finish(self) -> Sequences {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, GroupRules};

    #[test]
    fn what_is_put_together_equals_what_was_formed() {
        let event = |k: i64| Event {
            customer: (k % 4) as u32 % 3,
            time: k * 7 % 11 * 40_000_000,
            amount: -1 - k % 6,
            class: (k % 5) as u16,
            channel: (k % 2) as u16,
            place: (k % 3) as u16,
        };
        let events: Vec<Event> = (0..60).map(event).collect();
        let goals = vec!["a".to_owned(), "b".to_owned()];
        let classes = [Some(0), Some(1), Some(1), None, Some(0)];
        let (formed, _) = Sequences::new(&events, 4, goals.clone(), &classes, GroupRules::default()).unwrap();
        let mut builder = SequencesBuilder::new(goals);
        for n in 0..4 {
            builder.customer();
            let groups = formed.groups(n);
            for at in 0..groups.len() {
                let items: Vec<(u16, i64)> = formed.items(n, at).collect();
                let (day, goal, channel) = (groups.day[at], groups.goal[at], groups.channel[at]);
                let (place, hour) = (groups.place[at], groups.hour[at]);
                builder.group(NewGroup { day, goal, channel, place, hour }, &items).unwrap();
            }
        }
        assert_eq!(builder.finish(), formed);
    }

    #[test]
    fn groups_that_cannot_be_are_refused() {
        let group = |day, goal| NewGroup { day, goal, ..NewGroup::default() };
        let mut builder = SequencesBuilder::new(vec!["a".to_owned()]);
        assert!(builder.group(group(1, 0), &[(0, 1)]).is_err(), "no customer yet");
        builder.customer();
        builder.group(group(5, 0), &[(0, 1)]).unwrap();
        assert!(builder.group(group(4, 0), &[(0, 1)]).is_err(), "earlier than the last");
        assert!(builder.group(group(6, 1), &[(0, 1)]).is_err(), "no such goal");
        assert!(builder.group(group(6, 0), &[]).is_err(), "nothing in it");
        assert!(builder.group(NewGroup { hour: 24, ..group(6, 0) }, &[(0, 1)]).is_err(), "no such hour");
        builder.customer();
        builder.group(group(4, 0), &[(0, 1)]).unwrap();
        assert_eq!(builder.finish().len(), 2);
    }
}
