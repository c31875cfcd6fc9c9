"""Calibration errors, selective answering and entropy, against scikit-learn, SciPy and MAPIE."""

import numpy as np
import pandas as pd
from mapie.metrics.calibration import expected_calibration_error
from scipy import stats
from scipy.special import expit, log_softmax, logit
from sklearn import metrics


def compare(report, name, model):
    ours = model.figures
    p, y = model.p[model.test], model.answers[model.test]
    top = model.top[model.test]
    confidence, right = p[np.arange(len(p)), top], top == y
    calibration, selective = ours["calibration"], ours["selective"]

    tied = np.sort(model.p)[:, -1] == np.sort(model.p)[:, -2]
    report.check(f"{name} top option, numpy.argmax", model.top[~tied], model.p.argmax(1)[~tied],
                 note=f"{tied.sum()} tied rows left out: argmax takes the first, we draw by the key")
    report.check(f"{name} Brier score, scikit-learn", calibration["brier"],
                 metrics.brier_score_loss(y, p, labels=np.arange(p.shape[1])))
    surprise = -log_softmax(model.logits[model.test], axis=1)[np.arange(len(y)), y]
    report.check(f"{name} log loss, SciPy", calibration["log_loss"], surprise.mean())
    clipped = p[np.arange(len(y)), y] < np.finfo(float).eps
    if clipped.any():
        report.note(f"{name} log loss, scikit-learn", f"clips {clipped.sum()} probabilities at 2.2e-16")
    else:
        report.check(f"{name} log loss, scikit-learn", calibration["log_loss"],
                     metrics.log_loss(y, p, labels=np.arange(p.shape[1])))
    report.check(f"{name} AUROC, scikit-learn", selective["auroc"], metrics.roc_auc_score(right, confidence))
    risks = expected_risks(confidence, right)
    report.check(f"{name} AURC, pandas", selective["aurc"], risks.mean(), note="ties averaged")
    wrong = int((~right).sum())
    best = np.arange(1, wrong + 1) / np.arange(len(y) - wrong + 1, len(y) + 1)
    report.check(f"{name} E-AURC, pandas", selective["e_aurc"], risks.mean() - best.sum() / len(y))
    r = wrong / len(y)
    report.note(f"{name} E-AURC", f"with the published approximation {risks.mean() - r - (1 - r) * np.log(1 - r):.6f}, "
                f"exact {selective['e_aurc']:.6f}")
    kept = [len(y) - int(len(y) * share + 1e-9) for share, _ in selective["accuracy_after_rejecting"]]
    report.check(f"{name} accuracy after rejecting, pandas",
                 [accuracy for _, accuracy in selective["accuracy_after_rejecting"]], 1 - risks[np.array(kept) - 1])
    curve = selective["curve"]
    answered = [round(point["answered"] * len(y)) for point in curve]
    report.check(f"{name} risk-coverage curve, pandas", [point["risk"] for point in curve],
                 risks[np.array(answered) - 1])
    entropy = stats.entropy(p, axis=1)
    report.check(f"{name} entropy, SciPy", ours["entropy"]["entropy"], entropy.mean())
    report.check(f"{name} perplexity, SciPy", ours["entropy"]["perplexity"], np.exp(entropy).mean())
    bins(report, name, calibration, confidence, right, model.bins)
    brier = ((p - np.eye(p.shape[1])[y]) ** 2).sum(1)
    intervals(report, name, ours["intervals"], brier, surprise, confidence, right)


def intervals(report, name, ours, brier, surprise, confidence, right):
    """Student's on a scale where each figure is nearly normal, with the jackknife over 100 groups."""
    rows = np.arange(len(right))
    groups = min(len(right), 100)
    kept = [rows, *(rows[rows % groups != group] for group in range(groups))]
    rarer = min(right.sum(), (~right).sum())
    figures = {
        "brier": (lambda at: brier[at].mean(), np.log, np.exp, len(right)),
        "log_loss": (lambda at: surprise[at].mean(), np.log, np.exp, len(right)),
        "aurc": (lambda at: expected_risks(confidence[at], right[at]).mean(), np.log, np.exp, rarer),
        "auroc": (lambda at: metrics.roc_auc_score(right[at], confidence[at]), logit, expit, rarer),
    }
    for figure, (of, there, back, units) in figures.items():
        values = np.array([of(at) for at in kept])
        places = there(values)
        half = stats.t.ppf(0.975, units - 1) * error(places[1:])
        theirs = [back(places[0] - half), back(places[0] + half), error(values[1:])]
        report.check(f"{name} interval of {figure}, NumPy and SciPy", [ours[figure][end] for end in ("low", "high", "se")],
                     theirs)


def error(without):
    return np.sqrt((len(without) - 1) * without.var())


def expected_risks(confidence, right):
    """Risk of answering the first k: a row's error counts as the mean of its equals' errors."""
    rows = pd.DataFrame({"confidence": confidence, "wrong": (~right).astype(float)})
    mean = rows.groupby("confidence")["wrong"].transform("mean")
    ordered = mean.iloc[np.argsort(-confidence, kind="stable")].to_numpy()
    return np.cumsum(ordered) / np.arange(1, len(ordered) + 1)


def bins(report, name, calibration, confidence, right, count):
    edges = np.arange(count + 1) / count
    # right=True: an edge belongs to the bin below it.
    index = np.clip(np.digitize(confidence, edges, right=True), 1, count)
    rows = pd.DataFrame({"bin": index, "confidence": confidence, "right": right.astype(float)})
    table = rows.groupby("bin").agg(n=("right", "size"), confidence=("confidence", "mean"), accuracy=("right", "mean"))
    for field in ["n", "confidence", "accuracy"]:
        report.check(f"{name} bins: {field}, pandas", [row[field] for row in calibration["bins"]], table[field])
    gap = (table.confidence - table.accuracy).abs()
    report.check(f"{name} ECE, pandas", calibration["ece"], (gap * table.n).sum() / len(right))
    report.check(f"{name} MCE, pandas", calibration["mce"], gap.max())
    # Their number of bins is that of the edges, 0 and 1 included.
    theirs = expected_calibration_error(right.astype(int), confidence, num_bins=count + 1, split_strategy="uniform")
    report.check(f"{name} ECE, MAPIE", calibration["ece"], theirs, note="their num_bins is one more")
    mass = calibration["mass_bins"]
    order = np.argsort(confidence, kind="stable")
    if len(np.unique(confidence)) == len(confidence):
        ends = [len(order) * i // count for i in range(count + 1)]
        parts = [order[a:b] for a, b in zip(ends, ends[1:]) if b > a]
        theirs = sum(abs((confidence[part] - right[part]).sum()) for part in parts) / len(order)
        report.check(f"{name} ECE of equal mass, NumPy", calibration["ece_mass"], theirs)
    else:
        own = sum(row["n"] * abs(row["confidence"] - row["accuracy"]) for row in mass) / len(order)
        report.check(f"{name} ECE of equal mass from its bins", calibration["ece_mass"], own)
        inside = [((confidence >= row["low"]) & (confidence <= row["high"])) for row in mass]
        report.check(f"{name} bins of equal mass: n, NumPy", [row["n"] for row in mass], [rows.sum() for rows in inside])
        report.check(f"{name} bins of equal mass: accuracy, NumPy", [row["accuracy"] for row in mass],
                     [right[rows].mean() for rows in inside])
        report.note(f"{name} ECE of equal mass", "equal confidences stay together here; other packages part them")
