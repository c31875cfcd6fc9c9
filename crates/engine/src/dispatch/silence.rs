//! Whether a server that leaves log-probabilities out of some answers is worth asking.

/// The verdict needs so many answers …
const LEAST: u64 = 50;
/// … of which fewer than one in so many has log-probabilities.
const HOPELESS: u64 = 50;
/// Counts are halved here, so that the last answers weigh most.
const REMEMBERED: u64 = 200;

/// The last answers of an endpoint, with and without log-probabilities.
#[derive(Debug, Default)]
pub(super) struct Silence {
    with: u64,
    without: u64,
    suspicion: Option<Suspicion>,
}

/// The share of answers with log-probabilities is too low. That may only mean that answers without
/// them are quicker, so the verdict waits for the requests that are under way.
#[derive(Debug)]
struct Suspicion {
    /// Requests sent until then, and those of them that have no reply yet.
    sent: u64,
    under_way: usize,
}

impl Silence {
    /// Counts a reply to the endpoint's request `number`.
    pub(super) fn replied(&mut self, number: u64, with: usize, without: usize) {
        self.with += with as u64;
        self.without += without as u64;
        if with > 0 {
            self.suspicion = None;
        } else if let Some(suspicion) = &mut self.suspicion
            && number <= suspicion.sent
        {
            suspicion.under_way = suspicion.under_way.saturating_sub(1);
        }
        if self.with + self.without > REMEMBERED {
            self.with /= 2;
            self.without /= 2;
        }
    }

    /// Whether hardly any answer has log-probabilities, those to the requests under way included.
    /// The endpoint has `sent` so many, of which so many are `under_way`.
    pub(super) fn is_hopeless(&mut self, sent: u64, under_way: usize) -> bool {
        let all = self.with + self.without;
        if all < LEAST || self.with * HOPELESS >= all {
            self.suspicion = None;
            return false;
        }
        let new = Suspicion { sent, under_way };
        self.suspicion.get_or_insert(new).under_way == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_under_way_are_waited_for() {
        let mut silence = Silence::default();
        for number in 1..100 {
            silence.replied(number, 0, 1);
            // Later requests come back before the first ones.
            assert!(!silence.is_hopeless(200, 64));
        }
        silence.replied(150, 1, 0);
        assert!(!silence.is_hopeless(300, 2));
        silence.replied(301, 0, 1);
        assert!(!silence.is_hopeless(301, 2));
        silence.replied(299, 0, 1);
        silence.replied(300, 0, 1);
        assert!(silence.is_hopeless(400, 64));
    }

    #[test]
    fn one_in_ten_is_enough_and_a_good_past_is_not() {
        let mut silence = Silence::default();
        for n in 0..5000 {
            let good = n % 10 == 9;
            silence.replied(n, usize::from(good), usize::from(!good));
            assert!(!silence.is_hopeless(n, 0), "{n}");
        }
        for n in 5000..10_000 {
            silence.replied(n, 1, 0);
        }
        let mut refusals = 0;
        while !silence.is_hopeless(10_000 + refusals, 0) {
            silence.replied(10_000 + refusals, 0, 1);
            refusals += 1;
        }
        assert!((200..1000).contains(&refusals), "{refusals}");
    }
}
