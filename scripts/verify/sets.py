"""Nonconformity scores, thresholds and prediction sets, against NumPy, MAPIE and crepes."""

from unittest import mock

import numpy as np
from crepes import ConformalClassifier
from crepes.extras import hinge, margin
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores.sets import aps
from sklearn.utils import ClassifierTags, Tags, TargetTags

# With their default parameters: lambda and k_reg of RAPS, lambda of SAPS.
RAPS, SAPS = (0.01, 2), 0.2
NAMES = ["lac", "aps", "aps-randomized", "raps", "saps", "margin", "top-k"]


def reference(name, p, u):
    """The score of every option, as the papers define it."""
    order = np.argsort(-p, axis=1, kind="stable")
    ordered = np.take_along_axis(p, order, 1)
    above = np.cumsum(ordered, axis=1) - ordered
    rank = np.arange(1, p.shape[1] + 1)
    u = np.zeros(len(p)) if u is None else u
    share = above + u[:, None] * ordered
    others = np.where(rank == 1, ordered[:, 1:2], ordered[:, :1])
    in_order = {
        "lac": 1 - ordered,
        "aps": above + ordered,
        "aps-randomized": share,
        "raps": share + RAPS[0] * np.maximum(rank - RAPS[1], 0),
        "saps": np.where(rank == 1, u[:, None] * ordered[:, :1], ordered[:, :1] + (rank - 2 + u[:, None]) * SAPS),
        "margin": others - ordered,
        "top-k": np.broadcast_to(rank, p.shape),
    }[name]
    scores = np.empty_like(p)
    np.put_along_axis(scores, order, in_order, 1)
    return scores


def bits(sets):
    return sets @ (1 << np.arange(sets.shape[1]))


def compare(report, label, model):
    for name in NAMES:
        ours = model.figures["scores"].get(name)
        if ours is None:
            report.note(f"{label} {name}", "not among the figures; not compared")
            continue
        one(report, f"{label} {name}", name, ours, model)


def one(report, label, name, ours, model):
    scores, u = np.array(ours["scores"]), ours.get("u")
    u = None if u is None else np.array(u)
    untied = (np.diff(np.sort(model.p), axis=1) > 0).all(1)
    report.check(f"{label}: scores, NumPy", scores[untied], reference(name, model.p, u)[untied],
                 note=f"{(~untied).sum()} rows with equal probabilities left out")
    if u is not None:
        report.check(f"{label}: random numbers within 0..1", [u.min() >= 0, u.max() < 1], [1, 1])

    # From here on with our scores, so that the order of equal probabilities is ours.
    answers, alpha = model.answers, model.alpha
    calibration = scores[model.calibration, answers[model.calibration]]
    n = len(calibration)
    rank = int(np.ceil(round((n + 1) * (1 - alpha), 9)))
    qhat = np.sort(calibration)[rank - 1]
    report.check(f"{label}: threshold, NumPy", ours["qhat"], qhat)
    level = np.ceil((n + 1) * (1 - alpha)) / n
    report.check(f"{label}: the script's threshold, numpy.quantile", ours["qhat_script"],
                 np.quantile(calibration, level, method="higher"))
    test = scores[model.test]
    # APS is compared by the probability that is left over, which tells scores apart that are equal
    # once they are written as sums: rows with another score within rounding of the threshold say
    # nothing here.
    others = (np.abs(test - qhat) < 1e-15) & (np.arange(test.shape[1]) != answers[model.test][:, None])
    clear = ~others.any(1) if name == "aps" else np.ones(len(test), bool)
    report.check(f"{label}: sets, NumPy", np.array(ours["sets"])[clear], bits(test <= qhat)[clear],
                 note=f"{(~clear).sum()} rows at the threshold left out")
    if name in ("lac", "margin"):
        crepes(report, label, name, ours, model, untied)
    if name in ("lac", "aps", "aps-randomized", "top-k"):
        mapie(report, label, name, ours, model, u)


def crepes(report, label, name, ours, model, untied):
    score = {"lac": hinge, "margin": margin}[name]
    theirs = score(model.p)
    report.check(f"{label}: scores, crepes {score.__name__}", np.array(ours["scores"])[untied], theirs[untied])
    classifier = ConformalClassifier()
    classifier.fit(theirs[model.calibration, model.answers[model.calibration]])
    sets = classifier.predict_set(theirs[model.test], confidence=1 - model.alpha, smoothing=False)
    report.check(f"{label}: sets, crepes by p-values", ours["sets"], bits(np.asarray(sets).astype(int)))


class Answers:
    """A classifier that was fitted before: its input is row numbers."""

    _estimator_type = "classifier"

    def __init__(self, p):
        self.p, self.classes_ = p, np.arange(p.shape[1])
        self.is_fitted_, self.n_features_in_ = True, 1

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return self.p[np.asarray(X, int).ravel()]

    def predict(self, X):
        return self.predict_proba(X).argmax(1)

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        return Tags("classifier", TargetTags(required=True), classifier_tags=ClassifierTags())


def mapie(report, label, name, ours, model, u):
    class Given:
        """Takes the place of their random numbers: the share that is taken off, ours is what is kept."""

        rows = model.calibration

        def uniform(self, size):
            return np.zeros(size) if u is None else np.reshape(1 - u[self.rows], size)

    method = {"top-k": "top_k"}.get(name, name.split("-")[0])
    classifier = SplitConformalClassifier(Answers(model.p), confidence_level=1 - model.alpha, conformity_score=method)
    last = "randomized" if u is not None else False
    with mock.patch.object(aps, "check_random_state", lambda _: Given()):
        classifier.conformalize(model.calibration[:, None], model.answers[model.calibration])
        Given.rows = model.test
        _, sets = classifier.predict_set(model.test[:, None], {"include_last_label": last})
    mine = np.array(ours["scores"])[model.calibration, model.answers[model.calibration]]
    theirs = np.asarray(classifier.conformity_scores).ravel()
    untied = (np.diff(np.sort(model.p[model.calibration]), axis=1) > 0).all(1)
    report.check(f"{label}: scores, MAPIE", mine[untied], theirs[untied] + (name == "top-k"),
                 note="theirs counts ranks from 0" if name == "top-k" else "")
    if not untied.all() and name != "lac":
        report.note(f"{label}: threshold and sets, MAPIE", "equal probabilities are ordered differently; not compared")
        return
    theirs = classifier._mapie_classifier.conformity_score_function_.quantiles_[0] + (name == "top-k")
    report.check(f"{label}: threshold, MAPIE", ours["qhat"], theirs)
    # A score that equals the threshold may differ in its last bit; they allow for it as well.
    chosen = np.array(ours["scores"])[model.test] <= ours["qhat"] + 1e-12
    if name == "aps":
        # Theirs are never empty.
        chosen[np.arange(len(chosen)), model.top[model.test]] = True
    untied = (np.diff(np.sort(model.p[model.test]), axis=1) > 0).all(1)
    report.check(f"{label}: sets, MAPIE", bits(chosen.astype(int))[untied], bits(sets[:, :, 0].astype(int))[untied])
