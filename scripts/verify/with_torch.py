"""Confidence figures against torchmetrics; scores, thresholds and sets against TorchCP."""

import functools
from unittest import mock

import numpy as np
import torch
from torchcp.classification.predictor import SplitPredictor
from torchcp.classification.score import APS, LAC, RAPS, SAPS, TOPK, Margin
from torchcp.classification.utils.metrics import CovGap, SSCV, average_size, coverage_rate, singleton_hit_ratio
from torchmetrics.functional.classification import binary_auroc, multiclass_accuracy, multiclass_calibration_error
from torchmetrics.functional.regression import mean_squared_error

from sets import RAPS as RAPS_DEFAULT
from sets import SAPS as SAPS_DEFAULT
from sets import bits


def compare(report, label, model):
    p, y = torch.tensor(model.p[model.test]), torch.tensor(model.answers[model.test])
    ours, moved = as_ours(p, torch.tensor(model.top[model.test]), model.bins)
    note = f"they work in float32; {moved} rows nudged to our rules for equal options and for edges"
    for norm, field in [("l1", "ece"), ("max", "mce")]:
        error = functools.partial(multiclass_calibration_error, target=y, num_classes=p.shape[1], n_bins=model.bins,
                                  norm=norm)
        report.check(f"{label} {field.upper()}, torchmetrics", model.figures["calibration"][field], error(ours), 2e-6,
                     note)
        if moved:
            report.note(f"{label} {field.upper()}", f"by torchmetrics' rules it is {error(p):.6g}")
    options = p.shape[1]
    # A mean of squares over all entries; Brier's is their sum over options, its mean over rows.
    brier = options * mean_squared_error(p.ravel(), torch.nn.functional.one_hot(y, options).to(p).ravel())
    report.check(f"{label} Brier score, torchmetrics", model.figures["calibration"]["brier"], brier, 1e-6,
                 "they work in float32" if brier.dtype == torch.float32 else "")
    loss = torch.nn.functional.cross_entropy(torch.tensor(model.logits[model.test]), y)
    report.check(f"{label} log loss, PyTorch", model.figures["calibration"]["log_loss"], loss)
    top = torch.tensor(model.top[model.test])
    auroc = binary_auroc(p.max(1).values, (top == y).int())
    report.check(f"{label} AUROC, torchmetrics", model.figures["selective"]["auroc"], auroc, 2e-6,
                 "they work in float32")
    accuracy = multiclass_accuracy(top, y, options, average="micro")
    report.check(f"{label} accuracy, torchmetrics", model.figures["scores"]["lac"]["metrics"]["acc"], accuracy, 1e-7,
                 "they work in float32")
    for name, ours in model.figures["scores"].items():
        metrics(report, f"{label} {name}", ours, model)
        torchcp(report, f"{label} {name}", name, ours, model)


def as_ours(p, top, bins):
    """Probabilities by which torchmetrics comes to our answers and bins, and how many rows changed.

    It answers with the first of equally probable options, where we draw one, and counts a
    confidence on an edge, or of 1, into the bin above.
    """
    rows, step = torch.arange(len(p)), 2e-7
    confidence = p[rows, top]
    tied = (p == confidence[:, None]).sum(1) > 1
    on_edge = torch.isin(confidence.float(), torch.linspace(0, 1, bins + 1))
    moved = torch.where(tied[:, None] & (p == confidence[:, None]), p - 2 * step, p)
    moved[rows, top] = confidence - step * on_edge
    return moved, int((tied | on_edge).sum())


def metrics(report, label, ours, model):
    """What is counted of our sets, with empty ones filled as they are before we count."""
    y, options = torch.tensor(model.answers[model.test]), model.p.shape[1]
    sets = np.array(ours["sets"])
    sets = np.where(sets == 0, 1 << model.top[model.test], sets)
    sets = torch.tensor(sets[:, None] >> np.arange(options) & 1).bool()
    of_ours, alpha = ours["metrics"], model.alpha
    each = [[size, size] for size in range(1, options + 1)]
    for name, theirs, note in [
        ("coverage", coverage_rate(sets, y), ""),
        ("set_size", average_size(sets), ""),
        ("sscv", SSCV(sets, y, alpha, each), "with a stratum per size"),
        ("class_gap", CovGap(sets, y, alpha, options) / 100, "theirs in percent"),
    ]:
        report.check(f"{label}: {name}, TorchCP", of_ours[name], theirs, 1e-6, note)
    right = of_ours["singleton_rate"] * (of_ours["singleton_accuracy"] or 0)
    report.check(f"{label}: singletons that are right, TorchCP", right, singleton_hit_ratio(sets, y))


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
        "top-k": lambda: TOPK(score_type="softmax", randomized=False),
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
        report.check(f"{label}: threshold, TorchCP", ours["qhat"], qhat)
        # A score that equals the threshold may differ from ours in its last bit.
        sets = scores(model.test) <= ours["qhat"] + 1e-12
        report.check(f"{label}: sets, TorchCP's scores", ours["sets"], bits(sets.astype(int)))
    else:
        report.note(f"{label}: threshold, TorchCP", "equal probabilities are ordered differently; not compared")
