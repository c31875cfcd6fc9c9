#!/usr/bin/env python3
"""The paper's figures, written down in Python as the paper describes them: for speed beside ours.

  paper_reference.py PAPER MODEL…     such as: paper_reference.py ../shared/paper internlm-7b

PAPER is the folder with the published logits and mmlu_10k.json. Needs NumPy and scikit-learn.
Row by row, as one would write it to be read; this is not the authors' script. Prints the
figures of each model, averaged as in the main table, and the seconds that they took.
"""

import json
import pickle
import sys
import time

import numpy as np
from sklearn.model_selection import train_test_split

ALPHA = 0.1
STRATEGIES = ("base", "shared", "task")


def softmax(logits):
    shifted = np.exp(logits - np.max(logits))
    return shifted / np.sum(shifted)


def descending(probabilities):
    return np.argsort(probabilities, kind="stable")[::-1]


def threshold(scores):
    n = len(scores)
    return np.quantile(scores, np.ceil((n + 1) * (1 - ALPHA)) / n, method="higher")


def figures(rows, answers):
    rows = [row for row in rows if row["id"] not in (1, 3, 5, 7, 9)]
    calibration, test = train_test_split(rows, train_size=0.5, random_state=42)
    lac, aps = [], []
    for row in calibration:
        probabilities = softmax(row["logits_options"])
        truth = answers[row["id"]]
        lac.append(1 - probabilities[truth])
        total = np.float32(0)
        for option in descending(probabilities):
            total = total + probabilities[option]
            if option == truth:
                break
        aps.append(total)
    lac_limit, aps_limit = threshold(lac), threshold(aps)
    correct, sizes, covered = 0, [0, 0], [0, 0]
    for row in test:
        probabilities = softmax(row["logits_options"])
        truth = answers[row["id"]]
        order = descending(probabilities)
        # The first of equal probabilities is the answer.
        top = int(np.argmax(probabilities))
        correct += top == truth
        by_lac = [option for option in range(6) if probabilities[option] >= 1 - lac_limit]
        by_aps, total = [], np.float32(0)
        for option in order:
            total = total + probabilities[option]
            if total > aps_limit:
                break
            by_aps.append(option)
        for score, chosen in enumerate((by_lac, by_aps)):
            chosen = chosen or [top]
            sizes[score] += len(chosen)
            covered[score] += truth in chosen
    n = len(test)
    accuracy = correct / n
    size = [total / n for total in sizes]
    uacc = [accuracy * np.sqrt(6) / one for one in size]
    return accuracy, np.mean(size), np.mean(covered) / n, np.mean(uacc)


def main():
    paper, *models = sys.argv[1:]
    key = {row["id"]: "ABCDEF".index(row["answer"]) for row in json.load(open(f"{paper}/mmlu_10k.json"))}
    for model in models:
        begin = time.monotonic()
        means = []
        for strategy in STRATEGIES:
            with open(f"{paper}/logits/{model}_mmlu_10k_{strategy}_icl1.pkl", "rb") as file:
                means.append(figures(pickle.load(file), key))
        accuracy, size, coverage, uacc = np.mean(means, axis=0)
        seconds = time.monotonic() - begin
        print(
            f"{model}: Acc {100 * accuracy:.2f}, SS {size:.2f}, CR {100 * coverage:.2f}, "
            f"UAcc {100 * uacc:.2f}, {seconds:.2f} s"
        )


main()
