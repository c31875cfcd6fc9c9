"""The same sets as MAPIE, crepes and TorchCP, where definitions agree."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from conftest import made_up

import sureness
from sureness import ConformalClassifier

ALPHA = 0.1


@pytest.fixture(params=[(4, 1), (6, 2), (15, 3)], ids=lambda shape: f"{shape[0]} options")
def rows(request):
    """Probabilities and labels for calibration, and probabilities for prediction."""
    options, seed = request.param
    logits, labels = made_up(1501, options, 1.5, seed)
    probs = sureness.softmax(logits)
    return probs[:700], labels[:700], probs[700:]


def test_lac_sets_are_those_of_crepes(rows):
    from crepes import ConformalClassifier as Theirs
    from crepes.extras import hinge

    probs, labels, new = rows
    theirs = Theirs()
    theirs.fit(hinge(probs)[np.arange(len(labels)), labels])
    sets = theirs.predict_set(hinge(new), confidence=1 - ALPHA, smoothing=False)
    ours = ConformalClassifier("lac", ALPHA, allow_empty=True).calibrate(probs, labels).predict_set(new)
    assert (np.asarray(sets).astype(bool) == ours).all()


class Given:
    """A fitted classifier for MAPIE: its input is row numbers."""

    _estimator_type = "classifier"

    def __init__(self, probs):
        self.probs, self.classes_ = probs, np.arange(probs.shape[1])
        self.is_fitted_, self.n_features_in_ = True, 1

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return self.probs[np.asarray(X, int).ravel()]

    def predict(self, X):
        return self.predict_proba(X).argmax(1)

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags("classifier", TargetTags(required=True), classifier_tags=ClassifierTags())


class Zero:
    """In place of MAPIE's random numbers: nothing is taken off a score."""

    def uniform(self, size):
        return np.zeros(size)


@pytest.mark.parametrize("score", ["lac", "aps"])
def test_sets_are_those_of_mapie(rows, score):
    """MAPIE calibrates APS with randomised scores; without the randomness its definition is ours."""
    from mapie.classification import SplitConformalClassifier
    from mapie.conformity_scores.sets import aps

    probs, labels, new = rows
    everything = np.concatenate([probs, new])
    theirs = SplitConformalClassifier(Given(everything), confidence_level=1 - ALPHA, conformity_score=score)
    with mock.patch.object(aps, "check_random_state", lambda _: Zero()):
        theirs.conformalize(np.arange(len(probs))[:, None], labels)
        numbers = np.arange(len(probs), len(everything))[:, None]
        _, sets = theirs.predict_set(numbers, {"include_last_label": False})
    # Their APS sets are never empty.
    ours = ConformalClassifier(score, ALPHA, allow_empty=score == "lac").calibrate(probs, labels).predict_set(new)
    assert (sets[..., 0].astype(bool) == ours).all()


@pytest.mark.parametrize("score", ["lac", "aps"])
def test_sets_are_those_of_torchcp(rows, score):
    torch = pytest.importorskip("torch")
    from torchcp.classification.predictor import SplitPredictor
    from torchcp.classification.score import APS, LAC

    probs, labels, new = rows
    score_function = LAC(score_type="identity") if score == "lac" else APS(score_type="identity", randomized=False)
    theirs = SplitPredictor(score_function, alpha=ALPHA)
    theirs.calculate_threshold(torch.from_numpy(probs), torch.from_numpy(labels), ALPHA)
    sets = theirs.predict_with_logits(torch.from_numpy(new)).numpy().astype(bool)
    ours = ConformalClassifier(score, ALPHA, allow_empty=True).calibrate(probs, labels).predict_set(new)
    assert (sets == ours).mean() > 0.999
