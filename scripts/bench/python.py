"""Speed of the Python package beside MAPIE, TorchCP and NumPy, in turns on one machine.

    python scripts/bench/python.py [ROUNDS]

Needs an environment with the wheel (`make wheel`), and for the comparison mapie==1.6.0 and
torchcp==1.2.1; what is missing is left out. NumPy in, NumPy out. Each figure is the median over
rounds, in which all take turns.

- 10,000 questions with six options, 100 random splits into halves: threshold and sets by LAC and APS.
  Choosing the halves is not timed.
- `predict_set` of a million questions with six options beside the softmax alone in NumPy, and the
  memory that it takes beside its input.
"""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc

import numpy as np

import sureness

ALPHA, ROWS, OPTIONS, SPLITS, MANY = 0.1, 10_000, 6, 100, 1_000_000


def made_up(rows):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, OPTIONS, rows)
    logits = rng.normal(size=(rows, OPTIONS))
    logits[np.arange(rows), labels] += 2
    return sureness.softmax(logits), labels


def halves(split):
    permuted = np.random.RandomState(split).permutation(ROWS)
    return permuted[: ROWS // 2], permuted[ROWS // 2 :]


def ours(score, calibration, labels, new):
    classifier = sureness.ConformalClassifier(score, ALPHA, allow_empty=True)
    return classifier.calibrate(calibration, labels).predict_set(new)


def mapie():
    from mapie.classification import SplitConformalClassifier
    from sklearn.utils import ClassifierTags, Tags, TargetTags

    class Given:
        """A fitted classifier whose input is its probabilities."""

        _estimator_type = "classifier"
        classes_, is_fitted_, n_features_in_ = np.arange(OPTIONS), True, OPTIONS

        def fit(self, X, y):
            return self

        def predict_proba(self, X):
            return X

        def predict(self, X):
            return X.argmax(1)

        def __sklearn_is_fitted__(self):
            return True

        def __sklearn_tags__(self):
            return Tags("classifier", TargetTags(required=True), classifier_tags=ClassifierTags())

    def sets(score, calibration, labels, new):
        # APS calibrates with random scores; the sets hold whole options.
        theirs = SplitConformalClassifier(Given(), confidence_level=1 - ALPHA, conformity_score=score)
        theirs.conformalize(calibration, labels)
        return theirs.predict_set(new, {"include_last_label": False})[1][..., 0]

    return sets


def torchcp():
    import torch
    from torchcp.classification.predictor import SplitPredictor
    from torchcp.classification.score import APS, LAC

    def sets(score, calibration, labels, new):
        function = LAC(score_type="identity") if score == "lac" else APS(score_type="identity", randomized=False)
        theirs = SplitPredictor(function, alpha=ALPHA)
        theirs.calculate_threshold(torch.from_numpy(calibration), torch.from_numpy(labels), ALPHA)
        return theirs.predict_with_logits(torch.from_numpy(new)).numpy()

    return sets


def of_splits(sets, score, probs, labels):
    """The seconds that threshold and sets of all splits take."""
    total = 0.0
    for split in range(SPLITS):
        a, b = halves(split)
        part = probs[a], labels[a], probs[b]
        total += seconds(lambda: sets(score, *part))
    return total


def seconds(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def splits(packages, rounds):
    probs, labels = made_up(ROWS)
    for score in ["lac", "aps"]:
        a, b = halves(0)
        agree(score, packages, (probs[a], labels[a], probs[b]))
        times = {name: [] for name in packages}
        for _ in range(rounds):
            for name, sets in packages.items():
                times[name].append(of_splits(sets, score, probs, labels))
        medians = {name: statistics.median(found) for name, found in times.items()}
        for name, median in medians.items():
            ratio = median / medians["sureness"]
            print(f"{score}, {SPLITS} splits of {ROWS:,} x {OPTIONS}: {name} {median:.3f} s ({ratio:.1f} times)")


def agree(score, packages, part):
    mine = packages["sureness"](score, *part)
    for name, sets in packages.items():
        equal = (np.asarray(sets(score, *part)).astype(bool) == mine).mean()
        print(f"{score}: {equal:.2%} of the memberships of {name} equal ours")


def softmax(logits):
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def memory_of(work):
    """The most memory during `work` beyond what was held before, in bytes: what NumPy counts, or what the
    process was given, whichever is more."""

    def status(field):
        line = next(line for line in open("/proc/self/status") if line.startswith(field))
        return int(line.split()[1]) * 1024

    open("/proc/self/clear_refs", "w").write("5")  # forgets the peak so far
    before = status("VmRSS")
    tracemalloc.start()
    work()
    counted = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return max(counted, status("VmHWM") - before)


def many(rounds):
    probs, labels = made_up(MANY)
    logits = np.log(probs)
    for score in ["lac", "aps"]:
        classifier = sureness.ConformalClassifier(score, ALPHA).calibrate(probs[:ROWS], labels[:ROWS])
        times = {"softmax in NumPy": [], "predict_set": []}
        for _ in range(rounds):
            times["softmax in NumPy"].append(seconds(lambda: softmax(logits)))
            times["predict_set"].append(seconds(lambda: classifier.predict_set(probs)))
        theirs, mine = (statistics.median(found) for found in times.values())
        beside = memory_of(lambda: classifier.predict_set(probs))
        print(
            f"{score}, {MANY:,} x {OPTIONS}: softmax in NumPy {theirs:.3f} s, predict_set {mine:.3f} s"
            f" ({mine / theirs:.2f} times); {beside / probs.nbytes:.2f} of the input's memory beside it"
        )


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    packages = {"sureness": ours}
    for name, make in [("MAPIE", mapie), ("TorchCP", torchcp)]:
        try:
            packages[name] = make()
        except ImportError as missing:
            print(f"without {name}: {missing}")
    many(rounds)
    splits(packages, rounds)


if __name__ == "__main__":
    main()
