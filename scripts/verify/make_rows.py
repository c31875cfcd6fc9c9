"""Writes questions with the logits of two models, for the verification: A.csv and B.csv.

    make_rows.py OUT                 2,000 questions from a seeded generator
    make_rows.py OUT LOGITS ANSWERS  those of the published benchmark

LOGITS is the folder with the benchmark's pickles, ANSWERS its JSON file of answers.
"""

import csv
import json
import pickle
import sys
from pathlib import Path

import numpy as np

# Two models that differ, on the benchmark's base prompts.
PUBLISHED = ["internlm-7b", "Llama-2-7b-hf"]


def generated(n=2000, options=6):
    """Half of what makes a question hard is common to both models. No two logits of a row are
    equal, but the rows of the last tenth repeat those before them, so that confidences are."""
    rng = np.random.default_rng(7)
    answers = rng.integers(0, 4, n)
    common = rng.normal(0, 1, (n, options))
    models = []
    for strength in (2.6, 1.8):
        logits = common + rng.normal(0, 1, (n, options))
        logits[np.arange(n), answers] += strength
        logits[-n // 10 :] = logits[: n // 10]
        models.append(1.7 * logits)
    return [f"q{i}" for i in range(n)], np.arange(n) % 4, answers, models


def published(logits, answers):
    rows = json.loads(Path(answers).read_text())
    key = np.array(["ABCDEF".index(row["answer"]) for row in rows])
    models = []
    for model in PUBLISHED:
        with open(Path(logits) / f"{model}_mmlu_10k_base_icl1.pkl", "rb") as file:
            answered = {row["id"]: row["logits_options"] for row in pickle.load(file)}
        models.append(np.array([answered[row["id"]] for row in rows], dtype=np.float64))
    return [str(row["id"]) for row in rows], np.zeros(len(rows), int), key, models


def write(out, keys, categories, answers, models):
    out.mkdir(parents=True, exist_ok=True)
    for name, logits in zip("AB", models):
        with open(out / f"{name}.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["key", "category", "answer"] + [f"logit{i}" for i in range(logits.shape[1])])
            for row in zip(keys, categories, answers, logits.tolist()):
                writer.writerow([*row[:3], *map(repr, row[3])])


if __name__ == "__main__":
    out, *source = sys.argv[1:]
    write(Path(out), *(published(*source) if source else generated()))
