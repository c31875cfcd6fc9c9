//! The options of a question in another order.

mod refers;
mod sample;

use std::num::NonZeroU32;

use crate::question::normalised;
use crate::{DONT_KNOW, MAX_OPTIONS, NONE_OF_THE_ABOVE, Question};
use refers::refer_to_each_other;
pub use sample::prior_sample;

/// Where a question's options stand when they are shown in another order: its own ones turned by some
/// places, the abstention options last, where they always are.
///
/// ```
/// use std::num::NonZeroU32;
/// use sureness_questions::{Question, Turn};
///
/// let question = Question {
///     id: "1".into(),
///     category: None,
///     context: None,
///     stem: "What is 1 + 1?".into(),
///     options: vec!["1".into(), "2".into(), "3".into()],
///     right: 1.into(),
///     accepted: Vec::new(),
/// }
/// .with_abstention();
/// let turn = Turn::of(&question, NonZeroU32::new(2).unwrap());
/// let shown = turn.shown(&question);
/// assert_eq!(shown.options[..4], ["2", "3", "1", "I don't know"]);
/// assert_eq!(shown.right, 0.into());
/// // The first letter's value belongs to the second option.
/// let mut values = [0.7, 0.1, 0.1, 0.05, 0.05];
/// turn.restore(&mut values);
/// assert_eq!(values, [0.1, 0.7, 0.1, 0.05, 0.05]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Turn {
    by: u8,
    own: u8,
    fixed: bool,
}

impl Turn {
    /// How `question` is shown in order number `order`; the first is the question as it is. It has as
    /// many orders as own options, after which they begin anew; one if its options refer to each other,
    /// such as "both A and B".
    pub fn of(question: &Question, order: NonZeroU32) -> Self {
        let own = own_options(question);
        let fixed = refer_to_each_other(&question.options[..own]);
        let turn = Self {
            by: 0,
            own: own as u8,
            fixed,
        };
        let by = (order.get() as usize - 1) % turn.orders();
        Self {
            by: by as u8,
            ..turn
        }
    }

    /// Number of different orders in which the question can be shown, at least 1.
    pub fn orders(self) -> usize {
        if self.fixed {
            1
        } else {
            usize::from(self.own).max(1)
        }
    }

    /// By how many places the own options are turned; 0 for the question as it is.
    pub fn places(self) -> usize {
        usize::from(self.by)
    }

    /// The number of options that are the question's own; they come first.
    pub fn own(self) -> usize {
        usize::from(self.own)
    }

    /// Whether the options refer to each other, so that no order turns them.
    pub fn is_fixed(self) -> bool {
        self.fixed
    }

    /// The place at which an option is shown.
    pub fn place_of(self, option: usize) -> usize {
        let own = self.own();
        if option < own {
            (option + own - self.places()) % own
        } else {
            option
        }
    }

    /// The question as it is shown.
    #[must_use]
    pub fn shown(self, question: &Question) -> Question {
        let mut shown = question.clone();
        if self.by > 0 {
            let own = self.own().min(shown.options.len());
            shown.options[..own].rotate_left(self.places());
            let right = question.right.moved(|option| Some(self.place_of(option)));
            shown.right = right.unwrap_or(question.right);
        }
        shown
    }

    /// Puts values of the question's options into the order in which they are shown.
    pub fn show<T>(self, values: &mut [T]) {
        let own = self.own();
        if self.places() < own
            && let Some(values) = values.get_mut(..own)
        {
            values.rotate_left(self.places());
        }
    }

    /// Puts values by place, such as the probabilities of letters, into the order of the question's
    /// options.
    pub fn restore<T>(self, values: &mut [T]) {
        let own = self.own();
        if self.places() < own
            && let Some(values) = values.get_mut(..own)
        {
            values.rotate_right(self.places());
        }
    }

    /// A number from which [`Self::from_code`] makes the same turn.
    pub fn code(self) -> u16 {
        u16::from(self.by) | u16::from(self.own) << 5 | u16::from(self.fixed) << 10
    }

    /// The turn with this code. `None` for any other number.
    pub fn from_code(code: u16) -> Option<Self> {
        let turn = Self {
            by: (code & 31) as u8,
            own: (code >> 5 & 31) as u8,
            fixed: code >> 10 == 1,
        };
        let sound = turn.places() < turn.orders() && turn.own() <= MAX_OPTIONS && code >> 11 == 0;
        sound.then_some(turn)
    }
}

/// Options before the abstention options at the end.
fn own_options(question: &Question) -> usize {
    let mut own: &[String] = &question.options;
    for abstention in [NONE_OF_THE_ABOVE, DONT_KNOW] {
        if let Some((last, rest)) = own.split_last()
            && normalised(last) == normalised(abstention)
            // On its own, "None of the above" is an option of the question's author.
            && (abstention == DONT_KNOW || rest.last().is_some_and(|it| normalised(it) == normalised(DONT_KNOW)))
        {
            own = rest;
        }
    }
    own.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn question(own: usize, right: usize, abstention: bool) -> Question {
        let question = Question {
            id: "1".into(),
            category: None,
            context: None,
            stem: "Which?".into(),
            options: (0..own)
                .map(|option| format!("option number {option}"))
                .collect(),
            right: right.into(),
            accepted: Vec::new(),
        };
        if abstention {
            question.with_abstention()
        } else {
            question
        }
    }

    fn order(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    proptest! {
        #[test]
        fn showing_and_restoring_is_the_identity(
            own in 2..24_usize, right in 0..24_usize, number in 1..40_u32, abstention: bool,
        ) {
            let question = question(own, right % own, abstention);
            let turn = Turn::of(&question, order(number));
            let shown = turn.shown(&question);
            // The right option keeps its text.
            prop_assert_eq!(&shown.options[shown.right.first()], &question.options[right % own]);
            // Abstention options stay where they are.
            prop_assert_eq!(&shown.options[own..], &question.options[own..]);
            for (option, text) in question.options.iter().enumerate() {
                prop_assert_eq!(&shown.options[turn.place_of(option)], text);
            }
            let mut restored = shown.options.clone();
            turn.restore(&mut restored);
            prop_assert_eq!(&restored, &question.options);
            turn.show(&mut restored);
            prop_assert_eq!(restored, shown.options);
            prop_assert_eq!(Turn::from_code(turn.code()), Some(turn));
        }

        #[test]
        fn over_all_orders_each_option_has_each_letter_once(own in 2..24_usize) {
            let question = question(own, 0, true);
            for option in 0..own {
                let orders = (1..=own as u32).map(|number| Turn::of(&question, order(number)));
                let mut places: Vec<usize> = orders.map(|turn| turn.place_of(option)).collect();
                places.sort_unstable();
                prop_assert_eq!(places, (0..own).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn orders_begin_anew_after_the_own_options() {
        let question = question(3, 0, true);
        assert_eq!(Turn::of(&question, order(4)), Turn::of(&question, order(1)));
        assert_eq!(Turn::of(&question, order(1)).shown(&question), question);
        assert_eq!(Turn::of(&question, order(2)).orders(), 3);
    }

    #[test]
    fn options_that_refer_to_each_other_stay() {
        let mut both = question(4, 3, true);
        both.options[3] = "Both A and B".into();
        let turn = Turn::of(&both, order(3));
        assert!(turn.is_fixed() && turn.orders() == 1 && turn.own() == 4);
        assert_eq!(turn.shown(&both), both);
        assert_eq!(Turn::from_code(turn.code()), Some(turn));
    }

    #[test]
    fn an_own_none_of_the_above_is_no_abstention_option() {
        let mut none = question(4, 3, false);
        none.options[3] = "None of the above".into();
        let turn = Turn::of(&none, order(2));
        assert_eq!((turn.own(), turn.is_fixed()), (4, true));
        let added = question(4, 3, true);
        assert_eq!(Turn::of(&added, order(2)).own(), 4);
        // "None of the above" of its own, after which only "I don't know" was added.
        let turn = Turn::of(&none.with_abstention(), order(2));
        assert_eq!((turn.own(), turn.is_fixed()), (4, true));
    }

    #[test]
    fn other_codes_are_refused() {
        for code in [31 | 4 << 5, 1 | 4 << 5 | 1 << 10, 1 << 11, 0x3ff, u16::MAX] {
            assert_eq!(Turn::from_code(code), None, "{code}");
        }
    }
}
