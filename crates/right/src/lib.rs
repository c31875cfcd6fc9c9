#![doc = include_str!("../README.md")]

use std::fmt;
use std::num::NonZeroU32;

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// The indices of a question's right options, at least one of up to 26.
///
/// In JSON, one is a number, as it was before questions could have several; several are a list.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RightOptions(NonZeroU32);

/// The largest index that the mask holds. No question has so many options.
const LAST: usize = 31;

impl RightOptions {
    /// One right option. An index above 31 counts as 31, which is beyond any question's options.
    pub const fn one(option: usize) -> Self {
        let shift = if option > LAST { LAST } else { option };
        match NonZeroU32::new(1 << shift) {
            Some(mask) => Self(mask),
            // A shifted 1 is never 0.
            None => Self(NonZeroU32::MIN),
        }
    }

    /// These options. `None` without any.
    pub fn of(options: impl IntoIterator<Item = usize>) -> Option<Self> {
        let masks = options.into_iter().map(|option| Self::one(option).mask());
        Self::from_mask(masks.fold(0, |all, mask| all | mask))
    }

    /// The options whose bits are set. `None` for 0.
    pub fn from_mask(mask: u32) -> Option<Self> {
        NonZeroU32::new(mask).map(Self)
    }

    /// Bit `i` is set if option `i` is right.
    pub const fn mask(self) -> u32 {
        self.0.get()
    }

    /// Whether this option is right.
    pub const fn contains(self, option: usize) -> bool {
        option <= LAST && (self.0.get() >> option) & 1 == 1
    }

    /// The number of right options, at least 1.
    pub const fn count(self) -> usize {
        self.0.get().count_ones() as usize
    }

    /// The right option, if there is one alone.
    pub const fn only(self) -> Option<usize> {
        if self.0.is_power_of_two() {
            Some(self.first())
        } else {
            None
        }
    }

    /// The lowest index.
    pub const fn first(self) -> usize {
        self.0.trailing_zeros() as usize
    }

    /// The highest index.
    pub const fn last(self) -> usize {
        LAST - self.0.leading_zeros() as usize
    }

    /// The indices, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (self.first()..=self.last()).filter(move |&option| self.contains(option))
    }

    /// The same options at their places in another list. `None` if one of them has no place there.
    pub fn moved(self, place: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let places: Option<Vec<usize>> = self.iter().map(place).collect();
        Self::of(places?)
    }
}

impl From<usize> for RightOptions {
    fn from(option: usize) -> Self {
        Self::one(option)
    }
}

/// The letters: `B`, or `A, D`.
impl fmt::Display for RightOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, option) in self.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}", char::from(b'A' + (option % 26) as u8))?;
        }
        Ok(())
    }
}

impl fmt::Debug for RightOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for RightOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.only() {
            Some(option) => serializer.serialize_u64(option as u64),
            None => serializer.collect_seq(self.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for RightOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

/// Reads a number, or a list of numbers.
#[derive(Clone, Copy)]
struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = RightOptions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the index of an option, or a list of different ones")
    }

    fn visit_u64<E: serde::de::Error>(self, option: u64) -> Result<RightOptions, E> {
        let index = usize::try_from(option).ok().filter(|&index| index < LAST);
        let index =
            index.ok_or_else(|| E::custom(format_args!("no question has option {option}")))?;
        Ok(RightOptions::one(index))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RightOptions, A::Error> {
        let mut mask = 0;
        while let Some(option) = items.next_element::<u64>()? {
            let one = self.visit_u64::<A::Error>(option)?.mask();
            if mask & one != 0 {
                return Err(A::Error::custom(format_args!(
                    "option {option} occurs twice"
                )));
            }
            mask |= one;
        }
        RightOptions::from_mask(mask).ok_or_else(|| A::Error::custom("no option is right"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_is_written_as_a_number_and_several_as_a_list() {
        let json = |right: RightOptions| serde_json::to_string(&right).unwrap();
        assert_eq!(json(RightOptions::one(3)), "3");
        assert_eq!(json(RightOptions::of([3, 0]).unwrap()), "[0,3]");
        for bad in ["[]", "[1,1]", "26000", "-1", "\"A\"", "[31]", "null"] {
            assert!(serde_json::from_str::<RightOptions>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_index_beyond_all_options_stays_beyond_them() {
        for beyond in [31, 32, 255, usize::MAX] {
            assert_eq!(RightOptions::one(beyond).last(), LAST);
            assert!(!RightOptions::one(beyond).contains(26));
        }
    }

    proptest! {
        #[test]
        fn a_set_is_what_it_was_made_of(mask in 1_u32..1 << 26) {
            let right = RightOptions::from_mask(mask).unwrap();
            let options: Vec<usize> = right.iter().collect();
            prop_assert_eq!(RightOptions::of(options.iter().copied()), Some(right));
            prop_assert_eq!(options.len(), right.count());
            prop_assert_eq!(options.first(), Some(&right.first()));
            prop_assert_eq!(options.last(), Some(&right.last()));
            prop_assert_eq!(right.only().is_some(), options.len() == 1);
            for option in 0..40 {
                prop_assert_eq!(right.contains(option), options.contains(&option));
            }
            let text = serde_json::to_string(&right).unwrap();
            prop_assert_eq!(serde_json::from_str::<RightOptions>(&text).unwrap(), right);
        }

        #[test]
        fn moving_follows_each_option(mask in 1_u32..1 << 26, by in 0_usize..26) {
            let right = RightOptions::from_mask(mask).unwrap();
            let moved = right.moved(|option| Some((option + by) % 26)).unwrap();
            for option in 0..26 {
                prop_assert_eq!(moved.contains((option + by) % 26), right.contains(option));
            }
            prop_assert_eq!(right.moved(|option| (option != right.last()).then_some(option)), None);
        }
    }
}
