"""Classifiers with a guarantee, in the habits of scikit-learn."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _sureness
from ._arrays import ArrayLike, Covers, Protocol, Score


class _Params:
    """`get_params`, `set_params` and a `repr`, as scikit-learn has them."""

    _names: tuple[str, ...]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name."""
        return {name: getattr(self, name) for name in self._names}

    def set_params(self, **params: Any) -> Any:
        """Changes settings; calibrate anew afterwards."""
        for name, value in params.items():
            if name not in self._names:
                raise ValueError(f"unknown setting {name!r}\nhint: choose among {', '.join(self._names)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({settings})"


def _check_share(name: str, value: float) -> float:
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} is {value}, but must lie between 0 and 1\nhint: give a fraction, such as 0.1")
    return float(value)


class ConformalClassifier(_Params):
    """Split conformal prediction for probabilities that a model has given.

    A prediction set holds the right option of a new question with a probability of at least
    `1 - alpha`, if calibration questions and new questions come from the same source.

    Args:
        score: nonconformity score. "lac" is `1 - p(option)` (Sadinle, Lei & Wasserman 2019), "aps" the
            probability of all options that are at least as probable (Romano, Sesia & Candès 2020,
            without randomisation).
        alpha: allowed share of sets without the right option.
        protocol: "standard" computes in float64 with the exact conformal rank; "paper" in float32 with
            the quantile of the published script (Ye et al. 2024), bit for bit.
        allow_empty: leaves empty sets empty, instead of filling them with the most probable option.
        covers: when a set covers a question with several right options: if it holds "any" or "all".
        seed: orders options of equal probability at random, together with the number of the question,
            counted from the first one of calibration over all calls ("standard"): asked one by one or
            together, questions get the same sets, and asked again, perhaps others.

    Attributes:
        threshold_: the largest score that a set admits; infinite where there are too few calibration
            questions, so that every set is full.
        n_calibration_: number of calibration questions.
        n_options_: number of options.
    """

    _names = ("score", "alpha", "protocol", "allow_empty", "covers", "seed")

    threshold_: float
    n_calibration_: int
    n_options_: int

    def __init__(
        self,
        score: Score = "lac",
        alpha: float = 0.1,
        protocol: Protocol = "standard",
        *,
        allow_empty: bool = False,
        covers: Covers = "any",
        seed: int = 42,
    ) -> None:
        self.score = score
        self.alpha = alpha
        self.protocol = protocol
        self.allow_empty = allow_empty
        self.covers = covers
        self.seed = seed

    def calibrate(self, probs: ArrayLike, labels: ArrayLike) -> ConformalClassifier:
        """Sets the threshold.

        Args:
            probs: probabilities, one row per question and one column per option.
            labels: the index of each question's right option, or booleans of the shape of `probs` that
                mark several.

        Raises:
            ValueError: a probability is NaN or negative, a row does not sum to 1, shapes do not match,
                or a label is not the index of an option.
        """
        alpha = _check_share("alpha", self.alpha)
        found, rows, options = _sureness.threshold(probs, labels, self._rule(), alpha, self.covers)
        self._compared = None if found is None else found[0]
        self.threshold_ = float("inf") if found is None else found[1]
        self.n_calibration_, self.n_options_ = rows, options
        self._calibrated = self._rule()
        self._seen = rows
        return self

    def predict_set(self, probs: ArrayLike) -> npt.NDArray[np.bool_]:
        """The prediction sets: one row per question, true where an option is in its set.

        Raises:
            ValueError: as `calibrate`; also before it, or for another number of options.
        """
        if not hasattr(self, "_calibrated"):
            raise ValueError("this classifier is not calibrated\nhint: call calibrate(probs, labels) first")
        sets = _sureness.sets(probs, self._calibrated, self._compared, not self.allow_empty, self._seen)
        if sets.shape[1] != self.n_options_:
            raise ValueError(
                f"probs has {sets.shape[1]} columns, but the calibration questions had {self.n_options_}"
                "\nhint: give one column per option, as for calibrate"
            )
        self._seen += len(sets)
        return sets

    def _rule(self) -> tuple[str, str, int]:
        return (self.score, self.protocol, self.seed)


class SelectiveClassifier(_Params):
    """Answers where the model is sure enough, with a promise about wrong answers.

    Args:
        wrong: allowed share of wrong answers.
        of: the promise. "answered": at most `wrong` of the *given* answers are wrong, in all but `delta`
            of the calibration sets (Learn then Test, Angelopoulos et al. 2022). "all": at most `wrong` of
            *all* questions get a wrong answer, on average over calibration sets (conformal risk control,
            Angelopoulos et al. 2024).
        delta: how often the promise about given answers may be broken.

    Attributes:
        threshold_: answers are given where the largest probability exceeds this; infinite where none is.
        n_options_: number of options.
    """

    _names = ("wrong", "of", "delta")

    threshold_: float
    n_options_: int

    def __init__(self, wrong: float = 0.1, of: Literal["answered", "all"] = "answered", *, delta: float = 0.1) -> None:
        self.wrong = wrong
        self.of = of
        self.delta = delta

    def calibrate(
        self,
        probs: ArrayLike,
        labels: ArrayLike,
        *,
        clusters: ArrayLike | None = None,
        largest_cluster: int | None = None,
    ) -> SelectiveClassifier:
        """Sets the threshold on labelled questions.

        Args:
            probs: probabilities, one row per question and one column per option.
            labels: the index of each question's right option, or booleans that mark several.
            clusters: what questions share that are not independent, such as a passage.
            largest_cluster: the number of questions that no cluster exceeds, new ones included. Without it
                the promise holds for new clusters no larger than the largest of these.

        Raises:
            ValueError: as `ConformalClassifier.calibrate`; also for a `largest_cluster` that one of these
                clusters exceeds.
        """
        from ._arrays import names_as_bytes

        wrong = _check_share("wrong", self.wrong)
        delta = _check_share("delta", self.delta)
        names = names_as_bytes(clusters)
        promise = (wrong, delta, self.of)
        found = _sureness.answer_threshold(probs, labels, names, largest_cluster, promise)
        self.threshold_, self.n_options_ = found
        self._seen = len(labels)
        return self

    def predict(self, probs: ArrayLike) -> npt.NDArray[np.int64]:
        """The index of the most probable option, or -1 where no answer is given.

        Raises:
            ValueError: as `ConformalClassifier.predict_set`.
        """
        if not hasattr(self, "threshold_"):
            raise ValueError("this classifier is not calibrated\nhint: call calibrate(probs, labels) first")
        found = _sureness.answers(probs, self.threshold_, self.n_options_, self._seen)
        self._seen += len(found)
        return found
