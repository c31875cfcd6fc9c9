"""Measures how sure a language model is, and whether it should be.

Conformal prediction sets and their figures from arrays:

    >>> import numpy as np, sureness
    >>> rng = np.random.default_rng(1)
    >>> labels = rng.integers(0, 4, 1000)
    >>> logits = rng.normal(size=(1000, 4)) + 2 * np.eye(4)[labels]
    >>> probs = sureness.softmax(logits)
    >>> classifier = sureness.ConformalClassifier(score="lac", alpha=0.1)
    >>> sets = classifier.calibrate(probs[:500], labels[:500]).predict_set(probs[500:])
    >>> sets.shape, sets.dtype
    ((500, 4), dtype('bool'))

Every figure with its interval, as `sureness score` and `sureness analyze` compute them: `evaluate`;
two models on the same questions: `compare`, and `settle` for how many of these it takes.
"""

from ._arrays import softmax
from ._classifier import ConformalClassifier, SelectiveClassifier
from ._document import Analysis, Figure, Section, Table
from ._evaluate import Evaluation, SetFigures, evaluate
from ._pairs import Comparison, Difference, Verdict, compare, settle
from ._import import from_inspect, from_lm_eval, import_results
from ._run import run
from ._runs import Runs, read
from ._sequence import ConfidenceSequence, confidence_sequence
from ._sureness import Questions, __version__

__all__ = [
    "Analysis",
    "Comparison",
    "ConfidenceSequence",
    "ConformalClassifier",
    "Difference",
    "Evaluation",
    "Figure",
    "Questions",
    "Runs",
    "Section",
    "SelectiveClassifier",
    "SetFigures",
    "Table",
    "Verdict",
    "__version__",
    "compare",
    "confidence_sequence",
    "evaluate",
    "from_inspect",
    "from_lm_eval",
    "import_results",
    "read",
    "run",
    "settle",
    "softmax",
]
