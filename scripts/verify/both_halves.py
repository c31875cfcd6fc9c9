"""Holds the intervals of both halves against a bootstrap of our own in NumPy.

    both_halves.py PAPER SURENESS

PAPER is the folder with the published logits and mmlu_10k.json, SURENESS the binary. Draws
calibration and test questions of two models anew, whole (all strategies, scores and models share
the draws), sets the threshold of each draw by the published rule, and compares percentile intervals
of set size, coverage and UAcc with those of `sureness analyze --protocol paper`: per strategy and
score, averaged, and of the paired differences. Exits with 1 where an end is off.

What may differ, in standard deviations of the replicates:

- Monte Carlo. A 2.5 % quantile of B normal replicates has a standard error of 2.67 / sqrt(B). With
  ours and theirs that is MONTE_CARLO; an end may be off by four of these to either side.
- Widening. Theirs also holds the interval of the mean over the law of the threshold, Student's
  tails, an imagined cluster, and, for coverage, Wilson's interval. So it may reach further out by
  WIDER, but not less far.
"""

import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MODELS = ["Yi-34B", "internlm-7b"]
STRATEGIES = {"base": "base", "shared": "shared_instruction", "task": "task_specific"}
ALPHA, OPTIONS, EXAMPLES = 0.1, 6, {1, 3, 5, 7, 9}
OURS, THEIRS = 4000, 1000
MONTE_CARLO = 2.67 * np.hypot(OURS**-0.5, THEIRS**-0.5)
WIDER = 0.15
FIGURES = ["set_size", "coverage", "uacc"]


def read(paper):
    """Logits by model and strategy, answers, and which rows calibrate and are tested."""
    key = {q["id"]: "ABCDEF".index(q["answer"]) for q in json.loads((paper / "mmlu_10k.json").read_text())}
    logits = {}
    for model in MODELS:
        for strategy in STRATEGIES:
            with open(paper / "logits" / f"{model}_mmlu_10k_{strategy}_icl1.pkl", "rb") as file:
                rows = [row for row in pickle.load(file) if row["id"] not in EXAMPLES]
            ids = [row["id"] for row in rows]
            logits[model, strategy] = np.array([row["logits_options"] for row in rows], np.float32)
    rows = np.random.RandomState(42).permutation(len(ids))
    tested = len(ids) - len(ids) // 2
    return logits, np.array([key[i] for i in ids]), rows[tested:], rows[:tested]


class Cell:
    """One model in one strategy by one score: sizes and coverage of all test rows at any threshold."""

    def __init__(self, logits, answers, score):
        e = np.exp(logits - logits.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        rows = np.arange(len(p))
        self.score, self.answers, self.top = score, answers, p.argmax(1)
        self.correct = self.top == answers
        if score == "lac":
            self.options = p
            self.own = 1 - p[rows, answers]
        else:
            # Equal probabilities: the later option first.
            order = p.argsort(1, kind="stable")[:, ::-1]
            sums = np.take_along_axis(p, order, 1).cumsum(1, dtype=np.float32)
            self.options = np.empty_like(p)
            np.put_along_axis(self.options, order, sums, 1)
            self.own = self.options[rows, answers]

    def sets(self, threshold, rows):
        """Size and coverage of each row's set; an empty one becomes the top option."""
        if self.score == "lac":
            inside = self.options[rows] >= np.float32(1) - threshold
        else:
            inside = self.options[rows] <= threshold
        size = inside.sum(1)
        covered = inside[np.arange(len(rows)), self.answers[rows]]
        return np.maximum(size, 1), np.where(size == 0, self.correct[rows], covered)


def threshold(scores):
    n = len(scores)
    return np.quantile(scores, min(1, np.ceil((n + 1) * (1 - ALPHA)) / n), method="higher")


def figures(cell, calibration, test, known):
    """Set size, coverage and UAcc of a draw; `known` remembers the sets at each threshold."""
    drawn, counts = test
    q = threshold(cell.own[calibration])
    if q not in known:
        known[q] = cell.sets(q, drawn)
    size, covered = known[q]
    n = counts.sum()
    size, covered, acc = counts @ size / n, counts @ covered / n, counts @ cell.correct[drawn] / n
    return size, covered, acc * np.sqrt(OPTIONS) / size


def bootstrap(cells, calibration, test):
    """Replicates by cell: draws, figures."""
    random = np.random.default_rng(1)
    known = {name: {} for name in cells}
    replicates = {name: np.empty((OURS, len(FIGURES))) for name in cells}
    for draw in range(OURS):
        drawn = random.choice(calibration, len(calibration))
        counts = np.bincount(random.integers(len(test), size=len(test)), minlength=len(test))
        for name, cell in cells.items():
            replicates[name][draw] = figures(cell, drawn, (test, counts), known[name])
    return replicates


def theirs(paper, sureness):
    """Intervals of the binary: by (what, figure), value, low and high."""
    with tempfile.TemporaryDirectory() as folder:
        files = [str(paper / "logits" / f"{m}_mmlu_10k_{s}_icl1.pkl") for m in MODELS for s in STRATEGIES]
        subprocess.run(
            [sureness, "analyze", "--protocol", "paper", "--questions", str(paper / "mmlu_10k.json"), *files,
             "--modes", "basic", "comparative", "--splits", "1", "--replicates", str(THEIRS),
             "--output-dir", folder, "--formats", "json"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        document = json.loads((Path(folder) / "report.json").read_text())
    found = {}

    def keep(what, figure, cell):
        found[what, figure] = [cell["figure"][part] for part in ("value", "low", "high")]

    strategies = {name: short for short, name in STRATEGIES.items()}
    for table in (table for section in document["sections"] for table in section["tables"]):
        keys = [column["key"] for column in table["columns"]]
        for row in (dict(zip(keys, row)) for row in table["rows"]):
            for figure in FIGURES:
                if table["id"] == "leaderboard":
                    keep(row["model"]["text"], figure, row[figure])
                elif table["id"] == "differences":
                    keep((row["first"]["text"], row["second"]["text"]), figure, row[figure])
                elif table["id"].startswith("figures-"):
                    for score in ("lac", "aps"):
                        strategy = strategies[row["strategy"]["text"]]
                        keep((table["title"], strategy, score), figure, row[f"{score}_{figure}"])
    return found


def main():
    paper, sureness = Path(sys.argv[1]), sys.argv[2]
    logits, answers, calibration, test = read(paper)
    cells = {(*name, score): Cell(of, answers, score) for name, of in logits.items() for score in ("lac", "aps")}
    replicates = bootstrap(cells, calibration, test)
    once = np.ones(len(test))
    points = {name: np.array(figures(cell, calibration, (test, once), {})) for name, cell in cells.items()}
    for of in (replicates, points):
        means = {model: np.mean([of[name] for name in cells if name[0] == model], 0) for model in MODELS}
        of.update(means)
        for a, b in ((0, 1), (1, 0)):
            of[MODELS[a], MODELS[b]] = means[MODELS[a]] - means[MODELS[b]]

    failed, worst, ends = 0, [0.0, 0.0], 0
    intervals = theirs(paper, sureness)
    for (what, figure), (value, low, high) in intervals.items():
        column = FIGURES.index(figure)
        drawn = replicates[what][:, column]
        sd = drawn.std()
        name = what if isinstance(what, str) else " ".join(what)
        if abs(value - points[what][column]) > 1e-9:
            failed += 1
            print(f"FAIL {name}: {figure} is {value}, ours {points[what][column]}")
        our_low, our_high = np.quantile(drawn, [0.025, 0.975])
        for end, outwards in (("low", (our_low - low) / sd), ("high", (high - our_high) / sd)):
            ends += 1
            worst = [min(worst[0], outwards), max(worst[1], outwards)]
            if not -4 * MONTE_CARLO <= outwards <= 4 * MONTE_CARLO + WIDER:
                failed += 1
                print(f"FAIL {name}: {end} end of {figure} is {outwards:+.2f} standard deviations further out than ours")
    if not intervals:
        failed += 1
        print("FAIL: the binary gave no interval")
    print(
        f"both halves: {ends} ends of {len(intervals)} intervals, {worst[0]:+.2f} to {worst[1]:+.2f} standard deviations "
        f"further out than ours; allowed {-4 * MONTE_CARLO:+.2f} to {4 * MONTE_CARLO + WIDER:+.2f}"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
