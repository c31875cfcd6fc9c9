//! Rectangles and straight lines.

/// A rectangle in pixels; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

/// A straight line between two places.
pub(super) type Segment = ((f64, f64), (f64, f64));

impl Rect {
    /// A rectangle around its middle.
    pub(crate) fn around((x, y): (f64, f64), (width, height): (f64, f64)) -> Self {
        Self {
            left: x - width / 2.0,
            top: y - height / 2.0,
            right: x + width / 2.0,
            bottom: y + height / 2.0,
        }
    }

    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Whether two have more than an edge in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether another lies within.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.left >= self.left
            && other.right <= self.right
            && other.top >= self.top
            && other.bottom <= self.bottom
    }

    /// The place in it that is nearest to another.
    pub(super) fn nearest(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            x.max(self.left).min(self.right),
            y.max(self.top).min(self.bottom),
        )
    }

    /// Whether a line passes through.
    pub(super) fn crossed(&self, (from, to): Segment) -> bool {
        clip(from, to, self).is_some()
    }
}

/// The part of a straight line that lies in a rectangle (Liang and Barsky, 1984).
pub(crate) fn clip(from: (f64, f64), to: (f64, f64), area: &Rect) -> Option<Segment> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let edges = [
        (-dx, from.0 - area.left),
        (dx, area.right - from.0),
        (-dy, from.1 - area.top),
        (dy, area.bottom - from.1),
    ];
    for (pace, distance) in edges {
        if pace == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if pace < 0.0 {
            enter = enter.max(distance / pace);
        } else {
            leave = leave.min(distance / pace);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |t: f64| {
        if t <= 0.0 {
            from
        } else if t >= 1.0 {
            to
        } else {
            (from.0 + t * dx, from.1 + t * dy)
        }
    };
    Some((at(enter), at(leave)))
}

/// Whether two lines cross.
pub(super) fn cross((a, b): Segment, (c, d): Segment) -> bool {
    let side = |p: (f64, f64), q: (f64, f64), r: (f64, f64)| {
        (q.0 - p.0) * (r.1 - p.1) - (q.1 - p.1) * (r.0 - p.0)
    };
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 10.0,
        bottom: 10.0,
    };

    #[test]
    fn lines_end_at_the_edge() {
        assert_eq!(
            clip((-5.0, 5.0), (15.0, 5.0), &FIELD),
            Some(((0.0, 5.0), (10.0, 5.0)))
        );
        assert_eq!(clip((-5.0, 0.0), (0.0, -5.0), &FIELD), None);
        assert_eq!(clip((20.0, 1.0), (20.0, 2.0), &FIELD), None);
        assert_eq!(
            clip((1.0, 1.0), (2.0, 2.0), &FIELD),
            Some(((1.0, 1.0), (2.0, 2.0)))
        );
    }

    #[test]
    fn crossing_lines_cross() {
        assert!(cross(((0.0, 0.0), (2.0, 2.0)), ((0.0, 2.0), (2.0, 0.0))));
        assert!(!cross(((0.0, 0.0), (1.0, 1.0)), ((2.0, 0.0), (3.0, 9.0))));
    }
}
