"""Metrics for tasks of lm-evaluation-harness.

For a task with `output_type: multiple_choice`, beside its accuracy: the mean size of conformal
prediction sets, their coverage and UAcc, of the log-likelihoods that the harness has computed.

    task = {
        "task": "mine", "output_type": "multiple_choice", ...
        "process_results": sureness.lm_eval.process_results(gold="answer"),
        "metric_list": sureness.lm_eval.METRICS,
    }

In YAML, a file `utils.py` beside it says
`process_results = sureness.lm_eval.process_results(gold="answer")`, and the task
`process_results: !function utils.process_results`. Everything else that sureness computes comes from
the samples: `sureness.from_lm_eval`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ._evaluate import Evaluation, evaluate

#: Log-likelihoods of a question's options, and the index of the right one.
Item = tuple[list[float], int]

Gold = str | Callable[[Mapping[str, Any]], int]


def process_results(gold: Gold = "answer") -> Callable[[Mapping[str, Any], Sequence[Any]], dict[str, Any]]:
    """The function that the harness calls with each question and its results.

    Args:
        gold: the field of a question that has the index of the right option, or a function of the
            question.
    """

    def process(doc: Mapping[str, Any], results: Sequence[Any]) -> dict[str, Any]:
        right = int(doc[gold]) if isinstance(gold, str) else int(gold(doc))
        scores = [float(result[0] if isinstance(result, tuple) else result) for result in results]
        item = (scores, right)
        return {
            "acc": float(np.argmax(scores) == right),
            "sureness_set_size": item,
            "sureness_coverage": item,
            "sureness_uacc": item,
        }

    return process


def set_size(items: Sequence[Item]) -> float:
    """Mean size of the prediction sets at an error rate of 10 %, over LAC and APS; NaN where questions
    are too few for a threshold."""
    return _of(items, "set_size")


def coverage(items: Sequence[Item]) -> float:
    """Share of these sets that hold the right option."""
    return _of(items, "coverage")


def uacc(items: Sequence[Item]) -> float:
    """Accuracy times the square root of the number of options over the set size."""
    return _of(items, "uacc")


def _of(items: Sequence[Item], figure: str) -> float:
    found = _evaluated(items)
    if found is None or found.lac.threshold is None:
        return float("nan")
    return float(getattr(found, figure).value)


def _evaluated(items: Sequence[Item]) -> Evaluation | None:
    """The figures of the questions; None for fewer than two. All need the same number of options."""
    if len(items) < 2:
        return None
    scores = [item[0] for item in items]
    widths = {len(of_question) for of_question in scores}
    if len(widths) > 1:
        raise ValueError(
            f"questions have {min(widths)} to {max(widths)} options"
            "\nhint: use sureness.from_lm_eval, which takes questions of different widths"
        )
    labels = np.array([item[1] for item in items])
    return evaluate(np.array(scores), labels, replicates=100)


#: `metric_list` of a task.
METRICS: list[dict[str, Any]] = [
    {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
    {"metric": "sureness_set_size", "aggregation": set_size, "higher_is_better": False},
    {"metric": "sureness_coverage", "aggregation": coverage, "higher_is_better": True},
    {"metric": "sureness_uacc", "aggregation": uacc, "higher_is_better": True},
]
