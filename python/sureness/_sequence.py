"""Confidence sequences: intervals that hold at all times at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _sureness
from ._arrays import ArrayLike
from ._classifier import _check_share

#: Times of which intervals are computed where none are named.
_TIMES = 50


@dataclass(frozen=True)
class ConfidenceSequence:
    """The mean of values so far, with an interval, at some times.

    Attributes:
        at: numbers of values.
        mean: their means.
        low: lower ends of the intervals.
        high: upper ends of the intervals.
        confidence: the probability that the true mean lies in all of them, at all times.
    """

    at: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    confidence: float

    def __len__(self) -> int:
        return len(self.at)


def confidence_sequence(
    values: ArrayLike,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    of: int | None = None,
    confidence: float = 0.95,
    at: Sequence[int] | None = None,
) -> ConfidenceSequence:
    """An interval of the mean of bounded values at each time, exact however often one looks.

    The mean lies in all intervals, at all times at once, with a probability of at least `confidence`
    (Waudby-Smith & Ramdas 2024): look after each value, and stop whenever you like.

    Args:
        values: in the random order in which they were drawn, such as whether each answer is right.
        bounds: the smallest and the largest possible value.
        of: size of the finite set that values are drawn from without replacement; None for a source
            without end.
        confidence: probability that all intervals hold.
        at: numbers of values to look at; 50 between 1 and all if not given.

    Raises:
        ValueError: a value is NaN or outside the bounds, or there are more values than `of`.
    """
    level = _check_share("confidence", confidence)
    if np.ma.is_masked(values):
        raise ValueError("values has masked values\nhint: leave them out")
    drawn = np.ascontiguousarray(values, dtype=np.float64)
    if drawn.ndim != 1 or len(drawn) == 0:
        raise ValueError("values is not a list of numbers\nhint: give one value per question")
    if of is not None and of < 0:
        raise ValueError(f"of is {of}, but there are {len(drawn)} values\nhint: give the size of the whole set")
    times = np.unique(np.geomspace(1, len(drawn), _TIMES).round().astype(int)) if at is None else np.unique(at)
    if len(times) == 0 or times[0] < 1 or times[-1] > len(drawn):
        raise ValueError(f"at names a time outside 1..{len(drawn)}\nhint: there are {len(drawn)} values")
    found = _sureness.sequence(drawn, (float(bounds[0]), float(bounds[1])), of, 1.0 - level, times.tolist())
    return ConfidenceSequence(times.astype(np.int64), found[:, 0], found[:, 1], found[:, 2], level)
