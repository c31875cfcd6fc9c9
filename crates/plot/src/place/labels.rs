//! Labels beside points: near their point, clear of other labels, points and lines.

use super::geometry::{Rect, Segment, cross};

/// Distances between a point's edge and its label, in units of the label's height.
const RINGS: [f64; 8] = [0.15, 0.6, 1.2, 2.0, 3.0, 4.2, 5.6, 7.2];
/// From this ring on a label needs a line to its point.
const LED_FROM: usize = 1;
/// Directions around a point (x, y; y grows downwards), the best first: to the right, as one reads.
const DIRECTIONS: [(f64, f64); 12] = [
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
    (0.7, -0.7),
    (0.7, 0.7),
    (-0.7, -0.7),
    (-0.7, 0.7),
    (0.9, -0.4),
    (0.9, 0.4),
    (-0.9, -0.4),
    (-0.9, 0.4),
];
const SWEEPS: usize = 5;

// What a choice costs. A label over another, or over a point, must not be.
const FORBIDDEN: f64 = 1000.0;
const RING: f64 = 4.0;
const DIRECTION: f64 = 0.4;
const OVER_LINE: f64 = 4.0;
const LEADER_OVER_LABEL: f64 = 60.0;
const LEADER_OVER_POINT: f64 = 25.0;
const LEADER_OVER_LEADER: f64 = 12.0;

/// A label that wants a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The point that it names.
    pub at: (f64, f64),
    /// The radius of the point's mark.
    pub radius: f64,
    /// How far to the sides and up and down the point's own lines reach; no less than the radius.
    pub reach: (f64, f64),
    /// Width and height of the label.
    pub size: (f64, f64),
}

/// Where a label is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placed {
    pub rect: Rect,
    /// A line between the point and the label, where they are far apart.
    pub leader: Option<Segment>,
}

struct Ground<'a> {
    wanted: &'a [Wanted],
    marks: Vec<Rect>,
    bounds: Rect,
    lines: &'a [Segment],
}

/// Finds a place for each label within `bounds`. `lines` are avoided where that costs little.
/// Nothing for a label that has no free place.
pub(crate) fn place(wanted: &[Wanted], bounds: Rect, lines: &[Segment]) -> Vec<Option<Placed>> {
    let ground = Ground {
        wanted,
        marks: wanted
            .iter()
            .map(|label| Rect::around(label.at, (2.0 * label.radius, 2.0 * label.radius)))
            .collect(),
        bounds,
        lines,
    };
    let candidates: Vec<Vec<(Placed, f64)>> =
        (0..wanted.len()).map(|i| ground.candidates(i)).collect();
    let mut chosen: Vec<Option<Placed>> = vec![None; wanted.len()];
    for _ in 0..SWEEPS {
        let mut changed = false;
        for i in ground.crowded_first() {
            let best = candidates[i]
                .iter()
                .map(|(placed, cost)| (*placed, cost + ground.conflicts(i, placed, &chosen)))
                .min_by(|(_, a), (_, b)| a.total_cmp(b))
                .map(|(placed, _)| placed);
            changed |= best != chosen[i];
            chosen[i] = best;
        }
        if !changed {
            break;
        }
    }
    // A label that is still over something looks for any free place, and is else left out.
    for i in 0..wanted.len() {
        let bad = chosen[i].is_none_or(|placed| ground.conflicts(i, &placed, &chosen) >= FORBIDDEN);
        if bad {
            chosen[i] = ground.anywhere(i, &chosen);
        }
    }
    chosen
}

impl Ground<'_> {
    /// Points in crowds choose first: they have the least choice.
    fn crowded_first(&self) -> Vec<usize> {
        let near = |i: usize| {
            let label = self.wanted[i];
            let reach = Rect::around(label.at, (3.0 * label.size.0, 6.0 * label.size.1));
            self.marks.iter().filter(|mark| reach.meets(mark)).count()
        };
        let mut order: Vec<(usize, usize)> = (0..self.wanted.len()).map(|i| (near(i), i)).collect();
        order.sort_by_key(|&(near, i)| (std::cmp::Reverse(near), i));
        order.into_iter().map(|(_, i)| i).collect()
    }

    /// The places around a point that lie within bounds and over no mark, with what does not
    /// depend on other labels.
    fn candidates(&self, i: usize) -> Vec<(Placed, f64)> {
        let label = self.wanted[i];
        let (width, height) = label.size;
        let mut out = Vec::new();
        for (ring, far) in RINGS.into_iter().enumerate() {
            for (rank, (x, y)) in DIRECTIONS.into_iter().enumerate() {
                // Level and upright labels begin where the point's own lines end; between these
                // there is room nearer to it.
                let (aside, away) = match (x == 0.0, y == 0.0) {
                    (_, true) => (label.reach.0, label.radius),
                    (true, _) => (label.radius, label.reach.1),
                    _ => (label.radius, label.radius),
                };
                let (aside, away) = (aside + far * height, away + far * height);
                let middle = (
                    label.at.0 + x * aside + f64::signum(x) * f64::from(x != 0.0) * width / 2.0,
                    label.at.1 + y * (away + height / 2.0),
                );
                let rect = Rect::around(middle, label.size);
                if let Some(placed) = self.free(i, rect, ring >= LED_FROM) {
                    let over = self
                        .lines
                        .iter()
                        .filter(|line| rect.crossed(**line))
                        .count();
                    let cost = RING * ring as f64 * (1.0 + 0.25 * ring as f64)
                        + DIRECTION * rank as f64
                        + OVER_LINE * over.min(6) as f64;
                    out.push((placed, cost));
                }
            }
        }
        out
    }

    fn free(&self, i: usize, rect: Rect, led: bool) -> Option<Placed> {
        let free = self.bounds.holds(&rect) && !self.marks.iter().any(|mark| rect.meets(mark));
        free.then(|| Placed {
            rect,
            leader: led.then(|| self.leader(i, &rect)).flatten(),
        })
    }

    /// From the edge of the mark to the label.
    fn leader(&self, i: usize, rect: &Rect) -> Option<Segment> {
        let label = self.wanted[i];
        let end = rect.nearest(label.at);
        let (dx, dy) = (end.0 - label.at.0, end.1 - label.at.1);
        let length = dx.hypot(dy);
        (length > label.radius).then(|| {
            let share = label.radius / length;
            ((label.at.0 + dx * share, label.at.1 + dy * share), end)
        })
    }

    /// What a place costs because of where the others are.
    fn conflicts(&self, i: usize, placed: &Placed, chosen: &[Option<Placed>]) -> f64 {
        let mut cost = 0.0;
        for (j, other) in chosen.iter().enumerate() {
            if i == j {
                continue;
            }
            if let (Some(leader), Some(mark)) = (placed.leader, self.marks.get(j))
                && mark.crossed(leader)
            {
                cost += LEADER_OVER_POINT;
            }
            let Some(other) = other else { continue };
            if placed.rect.meets(&other.rect) {
                cost += FORBIDDEN;
            }
            if placed
                .leader
                .is_some_and(|leader| other.rect.crossed(leader))
            {
                cost += LEADER_OVER_LABEL;
            }
            if let Some(leader) = other.leader {
                if placed.rect.crossed(leader) {
                    cost += LEADER_OVER_LABEL;
                }
                if placed.leader.is_some_and(|own| cross(own, leader)) {
                    cost += LEADER_OVER_LEADER;
                }
            }
        }
        cost
    }

    /// The free place nearest to the point, on a grid over all of the field.
    fn anywhere(&self, i: usize, chosen: &[Option<Placed>]) -> Option<Placed> {
        let label = self.wanted[i];
        let (width, height) = label.size;
        let (across, down) = (width / 2.0, height / 2.0);
        let count =
            |room: f64, step: f64| (room / step.max(1.0)).floor().clamp(0.0, 400.0) as usize;
        let mut best: Option<(f64, Placed)> = None;
        for row in 0..=count(self.bounds.height() - height, down) {
            for column in 0..=count(self.bounds.width() - width, across) {
                let left = self.bounds.left + column as f64 * across.max(1.0);
                let top = self.bounds.top + row as f64 * down.max(1.0);
                let rect = Rect {
                    left,
                    top,
                    right: left + width,
                    bottom: top + height,
                };
                let end = rect.nearest(label.at);
                let far = (end.0 - label.at.0).hypot(end.1 - label.at.1);
                if best.is_some_and(|(nearest, _)| nearest <= far) {
                    continue;
                }
                let Some(placed) = self.free(i, rect, true) else {
                    continue;
                };
                let over = chosen
                    .iter()
                    .enumerate()
                    .any(|(j, other)| j != i && other.is_some_and(|other| rect.meets(&other.rect)));
                if !over {
                    best = Some((far, placed));
                }
            }
        }
        best.map(|(_, placed)| placed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELD: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 500.0,
        bottom: 400.0,
    };

    fn label(at: (f64, f64)) -> Wanted {
        Wanted {
            at,
            radius: 4.0,
            reach: (4.0, 4.0),
            size: (60.0, 14.0),
        }
    }

    #[test]
    fn a_label_alone_is_to_the_right_and_needs_no_line() {
        let placed = place(&[label((100.0, 100.0))], FIELD, &[])[0].unwrap();
        assert!(placed.rect.left > 104.0 && placed.rect.left < 110.0);
        assert!(placed.leader.is_none());
    }

    #[test]
    fn a_label_at_the_right_edge_goes_left() {
        let placed = place(&[label((495.0, 100.0))], FIELD, &[])[0].unwrap();
        assert!(placed.rect.right < 495.0);
    }

    #[test]
    fn points_on_one_place_all_have_a_label() {
        let wanted = vec![label((250.0, 200.0)); 12];
        let placed = place(&wanted, FIELD, &[]);
        assert!(placed.iter().all(Option::is_some));
        assert!(
            placed
                .iter()
                .flatten()
                .any(|placed| placed.leader.is_some())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_label_lies_over_another_or_over_a_point(points in prop::collection::vec((0.0..500.0_f64, 0.0..400.0_f64), 1..40)) {
            let wanted: Vec<Wanted> = points.into_iter().map(label).collect();
            let placed = place(&wanted, FIELD, &[]);
            let rects: Vec<Rect> = placed.iter().flatten().map(|placed| placed.rect).collect();
            for (i, a) in rects.iter().enumerate() {
                prop_assert!(FIELD.holds(a));
                prop_assert!(rects[..i].iter().all(|b| !a.meets(b)));
                for point in &wanted {
                    prop_assert!(!a.meets(&Rect::around(point.at, (8.0, 8.0))));
                }
            }
        }
    }
}
