"""Calibration errors against torchmetrics, scores and thresholds against TorchCP."""

from unittest import mock

import numpy as np
import torch
from torchcp.classification.predictor import SplitPredictor
from torchcp.classification.score import APS, LAC, RAPS, SAPS, Margin, TopK
from torchmetrics.functional.classification import multiclass_calibration_error

from sets import RAPS as RAPS_DEFAULT
from sets import SAPS as SAPS_DEFAULT
from sets import bits


def compare(report, label, model):
    p, y = torch.tensor(model.p[model.test]), torch.tensor(model.answers[model.test])
    for norm, field in [("l1", "ece"), ("max", "mce")]:
        theirs = multiclass_calibration_error(p, y, p.shape[1], n_bins=model.bins, norm=norm)
        report.check(f"{label} {field.upper()}, torchmetrics", model.figures["calibration"][field], theirs, 2e-6,
                     "they round confidences to float32, and count one on an edge, or of 1, above it")
    for name, ours in model.figures["scores"].items():
        torchcp(report, f"{label} {name}", name, ours, model)


def torchcp(report, label, name, ours, model):
    u = np.array(ours["u"]) if "u" in ours else None
    randomized = u is not None
    penalty, k_reg = RAPS_DEFAULT
    score = {
        "lac": lambda: LAC(score_type="softmax"),
        "aps": lambda: APS(score_type="softmax", randomized=False),
        "aps-randomized": lambda: APS(score_type="softmax", randomized=True),
        "raps": lambda: RAPS(score_type="softmax", randomized=True, penalty=penalty, kreg=k_reg),
        "saps": lambda: SAPS(score_type="softmax", randomized=True, weight=SAPS_DEFAULT),
        "margin": lambda: Margin(score_type="softmax"),
        "top-k": lambda: TopK(score_type="softmax", randomized=False),
    }[name]()
    untied = (np.diff(np.sort(model.p), axis=1) > 0).all(1)

    def scores(rows):
        """Of all options: TorchCP's scores of one label take another random number for SAPS."""
        # Theirs is the share that is taken off, ours the share that is kept.
        taken = np.broadcast_to(1 - u[rows, None] if randomized else 0.0, (len(rows), model.p.shape[1]))
        with mock.patch("torch.rand", lambda *_, **__: torch.tensor(taken.copy())):
            return score(torch.tensor(model.logits[rows])).numpy()

    rows = np.flatnonzero(untied)
    report.check(f"{label}: scores, TorchCP", np.array(ours["scores"])[rows], scores(rows))
    if untied.all():
        calibration = scores(model.calibration)[np.arange(len(model.calibration)), model.answers[model.calibration]]
        qhat = SplitPredictor(score)._calculate_conformal_value(torch.tensor(calibration), model.alpha)
        report.check(f"{label}: the script's threshold, TorchCP", ours["qhat_script"], qhat,
                     note="TorchCP has the published script's rank, one above the exact one")
        # A score that equals the threshold may differ from ours in its last bit.
        sets = scores(model.test) <= ours["qhat"] + 1e-12
        report.check(f"{label}: sets, TorchCP's scores", ours["sets"], bits(sets.astype(int)))
    else:
        report.note(f"{label}: threshold, TorchCP", "equal probabilities are ordered differently; not compared")
