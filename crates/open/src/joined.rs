//! Meanings that a judge of equivalence joins.

use std::collections::BTreeMap;

/// How far the comparisons of a question's meanings have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joining {
    /// These pairs must be compared first, by index; the smaller index is first.
    Open(Vec<(usize, usize)>),
    /// All comparisons are made.
    Done(Joined),
}

/// Which meanings are one, and what it took to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// By meaning, the index of the first one that means the same; its own where there is none before.
    pub first: Vec<usize>,
    /// Pairs that were compared.
    pub compared: usize,
    /// Of these, pairs that mean the same.
    pub same: usize,
    /// Of these, pairs of which the judge did not tell; they count as different.
    pub undecided: usize,
    /// Meanings that were compared with fewer others than it takes, since the bound on pairs was reached.
    pub cut: usize,
}

/// What a judge says of two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They mean the same.
    Same,
    /// They mean different things.
    Different,
    /// It did not tell.
    Undecided,
}

/// Joins `count` meanings, the most frequent first, as Farquhar et al. (2024) cluster generations: each is
/// compared with the first member of every class, and joins the first class whose first member means the
/// same. `verdict` knows of a pair, or returns `None`; of each question at most `most` pairs are compared,
/// the classes of frequent meanings first.
///
/// Comparing class by class leaves the classes as they are and tells all pairs of a class at once.
pub fn join(
    count: usize,
    most: usize,
    mut verdict: impl FnMut(usize, usize) -> Option<Verdict>,
) -> Joining {
    let mut joined = Joined {
        first: (0..count).collect(),
        ..Joined::default()
    };
    let mut is_placed = vec![false; count];
    for class in 0..count {
        if std::mem::replace(&mut is_placed[class], true) {
            continue;
        }
        let mut open = Vec::new();
        for other in class + 1..count {
            if is_placed[other] {
                continue;
            }
            if joined.compared + open.len() == most {
                // Counted once, by the first class that it is not compared with.
                is_placed[other] = true;
                joined.cut += 1;
                continue;
            }
            match verdict(class, other) {
                None => open.push((class, other)),
                Some(found) => joined.add(class, other, found, &mut is_placed),
            }
        }
        if !open.is_empty() {
            return Joining::Open(open);
        }
    }
    Joining::Done(joined)
}

impl Joined {
    fn add(&mut self, class: usize, other: usize, found: Verdict, is_placed: &mut [bool]) {
        self.compared += 1;
        match found {
            Verdict::Same => {
                self.same += 1;
                self.first[other] = class;
                is_placed[other] = true;
            }
            Verdict::Different => {}
            Verdict::Undecided => self.undecided += 1,
        }
    }

    /// The members of each class, in order.
    pub(crate) fn classes(&self) -> impl Iterator<Item = Vec<usize>> {
        let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (member, &first) in self.first.iter().enumerate() {
            classes.entry(first).or_default().push(member);
        }
        classes.into_values()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Meanings;

    fn told(kinds: &[u8]) -> impl Fn(usize, usize) -> Option<Verdict> + '_ {
        |a, b| {
            Some(if kinds[a] == kinds[b] {
                Verdict::Same
            } else {
                Verdict::Different
            })
        }
    }

    fn done(joining: Joining) -> Joined {
        match joining {
            Joining::Done(joined) => joined,
            Joining::Open(pairs) => panic!("{pairs:?}"),
        }
    }

    proptest! {
        #[test]
        fn classes_are_those_of_an_equivalence(kinds in prop::collection::vec(0_u8..5, 0..12)) {
            let joined = done(join(kinds.len(), usize::MAX, told(&kinds)));
            for (index, kind) in kinds.iter().enumerate() {
                let first = kinds.iter().position(|other| other == kind);
                prop_assert_eq!(Some(joined.first[index]), first);
            }
            prop_assert_eq!((joined.undecided, joined.cut), (0, 0));
        }

        /// As the published procedure has it: meaning by meaning, each with the classes before it.
        #[test]
        fn verdicts_that_contradict_each_other_are_taken_in_the_published_order(
            table in prop::collection::vec(any::<bool>(), 64),
            count in 0_usize..8,
        ) {
            let same = |a: usize, b: usize| table[a * 8 + b];
            let joined = done(join(count, usize::MAX, |a, b| {
                Some(if same(a, b) { Verdict::Same } else { Verdict::Different })
            }));
            let mut classes: Vec<Vec<usize>> = Vec::new();
            for meaning in 0..count {
                match classes.iter_mut().find(|class| same(class[0], meaning)) {
                    Some(class) => class.push(meaning),
                    None => classes.push(vec![meaning]),
                }
            }
            prop_assert_eq!(joined.classes().collect::<Vec<_>>(), classes);
        }

        /// Told only what it asks for, it asks for no pair twice and ends with the same classes.
        #[test]
        fn asking_step_by_step_ends_in_the_same(
            kinds in prop::collection::vec(0_u8..4, 0..10),
            most in 0_usize..30,
        ) {
            let mut known: BTreeMap<(usize, usize), Verdict> = BTreeMap::new();
            let tell = told(&kinds);
            let joined = loop {
                match join(kinds.len(), most, |a, b| known.get(&(a, b)).copied()) {
                    Joining::Done(joined) => break joined,
                    Joining::Open(pairs) => for (a, b) in pairs {
                        prop_assert!(a < b);
                        prop_assert!(known.insert((a, b), tell(a, b).unwrap()).is_none());
                    },
                }
            };
            prop_assert_eq!(known.len(), joined.compared);
            prop_assert!(joined.compared <= most);
            prop_assert_eq!(joined, done(join(kinds.len(), most, tell)));
        }
    }

    #[test]
    fn a_bound_leaves_rare_meanings_alone() {
        let joined = done(join(4, 2, told(&[0, 1, 2, 0])));
        assert_eq!(joined.first, [0, 1, 2, 3]);
        assert_eq!((joined.compared, joined.cut), (2, 2));
    }

    #[test]
    fn joined_meanings_count_together() {
        let accepted = ["New York City".to_owned()];
        let answers = ["NYC", "Boston", "New York City", "NYC", "Boston"];
        let meanings = Meanings::of(answers, 6, &accepted);
        let joined = done(join(3, 10, told(&[0, 1, 0])));
        let meanings = meanings.joined(&joined);
        let counts: Vec<_> = meanings.groups().iter().map(|it| it.count).collect();
        assert_eq!(counts, [3, 2]);
        let top = meanings.top().unwrap();
        assert_eq!((top.text.as_str(), top.accepted), ("NYC", true));
        assert_eq!((meanings.given(), meanings.read()), (6, 5));
        assert!((meanings.share_accepted() - 0.5).abs() < 1e-12);
        let entropy = -(0.6 * 0.6_f64.ln() + 0.4 * 0.4_f64.ln());
        assert!((meanings.entropy() - entropy).abs() < 1e-12);
    }
}
