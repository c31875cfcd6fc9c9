"""A scorer for Inspect.

For tasks with the solver `multiple_choice()`, asked with `logprobs=True` and `top_logprobs=20`:

    @task
    def mine():
        return Task(dataset=..., solver=multiple_choice(), scorer=sureness.inspect.option_probabilities())

It scores the letter that the model chose, keeps the log-probabilities of all letters at that place, and
its metrics are accuracy and the size and coverage of conformal prediction sets. Everything else that
sureness computes comes from the log: `sureness.from_inspect`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from inspect_ai.scorer import CORRECT, INCORRECT, Metric, SampleScore, Score, Scorer, Target, accuracy, metric, scorer
from inspect_ai.solver import TaskState

from ._evaluate import Evaluation, evaluate


@metric
def set_size(alpha: float = 0.1) -> Metric:
    """Mean size of the prediction sets, over LAC and APS; NaN where questions are too few."""
    return _metric("set_size", alpha)


@metric
def coverage(alpha: float = 0.1) -> Metric:
    """Share of these sets that hold the right option."""
    return _metric("coverage", alpha)


def _metric(figure: str, alpha: float) -> Metric:
    def of(scores: list[SampleScore]) -> float:
        found = _evaluated([score.score for score in scores], alpha)
        if found is None or found.lac.threshold is None:
            return math.nan
        return float(getattr(found, figure).value)

    return of


@scorer(metrics=[accuracy(), set_size(), coverage()])
def option_probabilities() -> Scorer:
    """The chosen letter, with the log-probability of every letter at its place.

    A letter that the server does not list there has the lowest listed log-probability as an upper bound
    (`bounded` in the score's metadata). Without log-probabilities of a letter, a question has none, and
    counts for accuracy alone.
    """

    async def score(state: TaskState, target: Target) -> Score:
        letters = [chr(ord("A") + index) for index in range(len(state.choices))]
        found = _at_the_letter(state, letters)
        right = [letters.index(letter) for letter in target.text.replace(",", "") if letter in letters]
        if found is None or len(right) != 1:
            return Score(value=INCORRECT, explanation="no log-probabilities of a letter")
        chosen, scores, bounded = found
        metadata = {"logprobs": scores, "right": right[0], "bounded": bounded}
        return Score(value=CORRECT if letters.index(chosen) == right[0] else INCORRECT, answer=chosen, metadata=metadata)

    return score


def _at_the_letter(state: TaskState, letters: list[str]) -> tuple[str, list[float], bool] | None:
    """The last token that is a letter: the letter, the log-probabilities of all, and whether one is an
    upper bound."""
    choices = state.output.choices
    logprobs = choices[0].logprobs if choices else None
    for token in reversed(logprobs.content if logprobs else []):
        chosen = token.token.strip()
        if chosen in letters:
            listed: dict[str, list[float]] = {}
            for other in token.top_logprobs or []:
                listed.setdefault(other.token.strip(), []).append(other.logprob)
            listed.setdefault(chosen, [token.logprob])
            lowest = min(min(values) for values in listed.values())
            scores = [_sum(listed[letter]) if letter in listed else lowest for letter in letters]
            return chosen, scores, any(letter not in listed for letter in letters)
    return None


def _sum(logprobs: Sequence[float]) -> float:
    """Of several spellings of a letter together."""
    return float(np.logaddexp.reduce(logprobs))


def _evaluated(scores: list[Score], alpha: float) -> Evaluation | None:
    rows: list[Any] = [score.metadata for score in scores if score.metadata and "logprobs" in score.metadata]
    if len(rows) < 2 or len({len(row["logprobs"]) for row in rows}) > 1:
        return None
    labels = np.array([row["right"] for row in rows])
    return evaluate(np.array([row["logprobs"] for row in rows]), labels, alpha=alpha, replicates=100)
