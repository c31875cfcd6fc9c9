#!/usr/bin/env python3
"""Plays pairs of saved logits with `sureness compare --until settled`, and checks every verdict; plays
each alone with `--until width`, and checks every interval.

  settled.py SURENESS QUESTIONS LOGITS… [--seeds N]

Accuracy and LAC set size of each file over all questions are worked out here, with NumPy and the
paper's rules. Prints, for each figure, the share of questions that verdicts took, and exits with 1
if more than one in twenty contradicts the truth or an interval misses it that often.
"""

import argparse
import itertools
import json
import pickle
import subprocess

import numpy as np

ERROR_RATE = 0.1
EXAMPLES = {1, 3, 5, 7, 9}


class Plain(pickle.Unpickler):
    """Reads lists of NumPy arrays and nothing else."""

    def find_class(self, module, name):
        if module.split(".")[0] == "numpy" and name in {"_reconstruct", "ndarray", "dtype", "scalar"}:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not read")


def truth(path, key):
    """(accuracy, set size) over all questions, which also set the threshold."""
    with open(path, "rb") as file:
        rows = [row for row in Plain(file).load() if row["id"] not in EXAMPLES]
    logits = np.array([row["logits_options"] for row in rows], dtype=np.float64)
    right = np.array([ord(key[row["id"]]) - ord("A") for row in rows])
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    scores = np.sort(1 - p[np.arange(len(p)), right])
    rank = int(np.ceil((len(p) + 1) * (1 - ERROR_RATE)))
    sizes = (1 - p <= scores[rank - 1]).sum(axis=1).clip(min=1)
    correct = p.argmax(axis=1) == right
    return (correct.mean(), sizes.mean()), correct


def fixed_design(first, second):
    """Share of the questions that McNemar's test takes at two-sided 5 % and 80 % power, if the difference
    is known beforehand (Connor 1987), at most all."""
    alone = first.astype(int) - second.astype(int)
    difference, discordant = abs(alone.mean()), (alone != 0).mean()
    root = 1.96 * discordant**0.5 + 0.84 * (discordant - difference**2) ** 0.5
    return min(1.0, root**2 / difference**2 / len(alone))


def narrow(args, truths):
    """Plays each file until its intervals are narrow; returns whether too many miss the truth."""
    widths = {"acc": 0.06, "size": 0.4}
    asked = {metric: [] for metric in widths}
    missed = 0
    for path in args.logits:
        for seed in range(1, args.seeds + 1):
            command = [args.sureness, "compare", "--logits", path, "--questions", args.questions]
            command += ["--protocol", "standard", "--until", "width", "acc=6pp", "size=0.4"]
            command += ["--seed", str(seed), "--output", "json"]
            found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            bad = False
            for figure in found["figures"]:
                metric = figure["metric"]
                low, high = figure["interval"]
                truth = truths[path][0 if metric == "acc" else 1]
                bad |= high - low > widths[metric] or not low - 1e-6 <= truth <= high + 1e-6
                asked[metric].append(figure["asked"] / figure["of"])
            missed += bad
    runs = len(args.logits) * args.seeds
    shares = ", ".join(f"{metric} {np.median(of):.1%}" for metric, of in asked.items())
    print(f"width: {runs} runs, median share asked {shares}; any interval missed in {missed}")
    return missed > max(1, runs / 10)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sureness")
    parser.add_argument("questions")
    parser.add_argument("logits", nargs="+")
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    with open(args.questions, encoding="utf-8") as file:
        key = {row["id"]: row["answer"] for row in json.load(file)}
    found = {path: truth(path, key) for path in args.logits}
    truths = {path: figures for path, (figures, _) in found.items()}
    designs = [fixed_design(found[a][1], found[b][1]) for a, b in itertools.combinations(args.logits, 2)]
    print(f"acc: a fixed design takes {np.median(designs):.2%} in the median, {np.mean(designs):.2%} on average")
    shares = {"acc": [], "size": []}
    wrong = {"acc": 0, "size": 0}
    missed = {"acc": 0, "size": 0}
    for a, b in itertools.combinations(args.logits, 2):
        for seed in range(1, args.seeds + 1):
            command = [args.sureness, "compare", "--logits", a, b, "--questions", args.questions]
            command += ["--protocol", "standard", "--until", "settled", "--metric", "acc,size"]
            command += ["--seed", str(seed), "--output", "json"]
            found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            # The files' order decides which is a.
            for pair in found["pairs"]:
                metric = pair["metric"]
                index = 0 if metric == "acc" else 1
                first, second = (a, b) if pair["a"] in a.rsplit("/", 1)[-1] else (b, a)
                difference = truths[first][index] - truths[second][index]
                better = difference if metric == "acc" else -difference
                if pair["verdict"] in "ab" and (pair["verdict"] == "a") != (better > 0):
                    wrong[metric] += 1
                low, high = pair["interval"]
                missed[metric] += not low - 1e-6 <= difference <= high + 1e-6
                shares[metric].append(pair["asked"] / pair["of"])
    failed = narrow(args, truths)
    for metric, of in shares.items():
        print(
            f"{metric}: {len(of)} comparisons, median {np.median(of):.2%}, mean {np.mean(of):.2%}, "
            f"{wrong[metric]} wrong, {missed[metric]} intervals missed"
        )
        failed |= max(wrong[metric], missed[metric]) > len(of) / 20
    raise SystemExit(failed)


main()
