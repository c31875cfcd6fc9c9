#!/usr/bin/env python3
"""Compares the figures of open questions with lm-polygraph and uqlm on the same answers.

    open.py [RUN.sqlite]

Draws answers from a law of its own, or takes those of a run's store (its newest). The packages'
wheels are fetched without their dependencies (torch), and only the modules with the definitions are
loaded: lm-polygraph's empirical semantic entropy, ROC AUC, risk-coverage AUC and prediction-rejection
area, uqlm's discrete semantic entropy. They order equal values as they come; the figures here are means
over all such orders, so that theirs are averaged over many shuffles.
"""

import importlib
import json
import math
import os
import re
import sqlite3
import string
import subprocess
import sys
import tempfile
import types
import zipfile
from pathlib import Path

import numpy as np

WHEELS = ["lm-polygraph==0.7.0", "uqlm==0.6.7"]
ROOT = Path(__file__).resolve().parents[2]
SHUFFLES = 3000


def load(folder):
    """Their modules, without what the packages import when they are imported whole."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", folder,
                    *WHEELS], check=True)
    for wheel in Path(folder).glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder)
    for name in ["lm_polygraph", "lm_polygraph.ue_metrics", "lm_polygraph.estimators", "uqlm",
                 "uqlm.nli"]:
        package = types.ModuleType(name)
        package.__path__ = [str(Path(folder, *name.split(".")))]
        sys.modules[name] = package
    # All that the estimators take from it is a hook at their construction.
    common = types.ModuleType("lm_polygraph.utils.common")
    common.polygraph_module_init = lambda init: init
    sys.modules["lm_polygraph.utils"] = types.ModuleType("lm_polygraph.utils")
    sys.modules["lm_polygraph.utils.common"] = common
    return importlib.import_module


def normalised(text):
    """The four steps of SQuAD's evaluate-v1.1.py."""
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    form = " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())
    # Where nothing is left, less is taken away.
    return form or " ".join(kept.split()) or " ".join(text.lower().split())


def drawn(rng, questions=400, answers=10):
    """Questions whose answers come from Dirichlet laws; the truth is one of the names, or none."""
    dresses = ["{}", "The {}.", " {} ", "{}!", "a {}"]
    for number in range(questions):
        law = rng.dirichlet(np.full(6, 0.4))
        truth = rng.choice(7, p=[*(0.85 * law), 0.15])
        names = [f"Name {number}-{k}" for k in rng.choice(6, size=answers, p=law)]
        yield {"answers": [rng.choice(dresses).format(name) for name in names],
               "accepted": [f"name {number}-{truth}"]}


def stored(path):
    """The answers of a run's store, and the accepted ones of its data."""
    import zstandard

    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    run, record = store.execute("SELECT id, record FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    source = json.loads(record)["tasks"][0]["source"]
    rows = [json.loads(line) for line in Path(source).read_text().splitlines()]
    accepted = {str(row["id"]): row["answers"] for row in rows}
    for pos, question in store.execute(
        "SELECT pos, question FROM items WHERE run = ? AND options = 0 AND grp = 0", [run]
    ).fetchall():
        said = store.execute(
            "SELECT text FROM draws JOIN words ON answer = draws.reply WHERE run = ? AND grp = 0"
            " AND pos = ? AND reading = 5 ORDER BY draw", [run, pos])
        texts = [json.loads(zstandard.ZstdDecompressor().stream_reader(text).read())[0]
                 for (text,) in said]
        lines = [[line.strip() for line in text.splitlines() if line.strip()][0] for text in texts]
        yield {"answers": lines, "accepted": accepted[question]}


def main():
    rng = np.random.default_rng(5)
    questions = list(stored(sys.argv[1]) if len(sys.argv) > 1 else drawn(rng))
    questions = [question for question in questions if question["answers"]]
    built = os.environ.get("SURENESS_EXAMPLES")
    run = ["cargo", "run", "--quiet", "--package", "sureness-open", "--example", "verify_open"]
    ours = json.loads(subprocess.run(
        [os.path.join(built, "verify_open")] if built else run,
        cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE,
        input="".join(json.dumps(question) + "\n" for question in questions)).stdout)
    with tempfile.TemporaryDirectory() as folder:
        module = load(folder)
        compare(questions, ours, module, rng)


def compare(questions, ours, module, rng):
    entropy_of = module("uqlm.nli.entropy_utils").compute_semantic_entropy
    estimator = module("lm_polygraph.estimators.semantic_entropy").SemanticEntropy(
        class_probability_estimation="frequency")
    metrics = "lm_polygraph.ue_metrics."
    roc = module(metrics + "roc_auc").ROCAUC()
    risk = module(metrics + "risk_cov_curve").RiskCoverageCurveAUC()
    area = module(metrics + "pred_rej_area").PredictionRejectionArea()

    texts = [question["answers"] for question in questions]
    forms = [[normalised(text) for text in answers] for answers in texts]
    assert forms == [it["normalised"] for it in ours["questions"]], "normalisation"
    classes = [sorted({form: None for form in of}) for of in forms]
    members = [[[i for i, form in enumerate(of) if form == name] for name in names]
               for of, names in zip(forms, classes)]
    shares = [[len(it) / len(of) for it in groups] for of, groups in zip(forms, members)]
    own = np.array([it["entropy"] for it in ours["questions"]])
    theirs = {"uqlm": np.array([entropy_of(it) for it in shares])}
    theirs["lm-polygraph"] = np.asarray(estimator({
        "sample_texts": texts,
        "semantic_classes_entail": {
            "class_to_sample": members,
            "sample_to_class": [[names.index(form) for form in of]
                                for of, names in zip(forms, classes)],
        },
    }))
    print(f"{len(questions)} questions, {sum(map(len, texts))} answers")
    for name, values in theirs.items():
        off = np.abs(values - own).max()
        print(f"semantic entropy, {name}: largest difference {off:.1e}")
        assert off < 1e-9

    right = np.array([float(it["right"]) for it in ours["questions"]])
    signs = {
        "semantic_entropy": own,
        "frequency": np.array([-it["frequency"] for it in ours["questions"]]),
        "meanings": np.array([float(it["meanings"]) for it in ours["questions"]]),
    }
    n = len(right)
    for sign in ours["signs"]:
        uncertain = np.round(signs[sign["name"]], 12)
        # Its target is what the estimator should be high for.
        auroc = roc(uncertain, 1 - right)
        curves, areas, perfect = [], [], []
        for _ in range(SHUFFLES):
            order = rng.permutation(n)
            curves.append(risk(list(uncertain[order]), list(right[order])))
            areas.append(area(uncertain[order], right[order]))
        best, chance = area(-right, right), right.mean()
        prr = (np.mean(areas) - chance) / (best - chance)
        found = {
            "auroc": (sign["auroc"], auroc, 1e-9),
            "aurc": (sign["aurc"], np.mean(curves), 5 * np.std(curves) / math.sqrt(SHUFFLES) + 1e-9),
            "prr": (sign["prr"], prr, 5 * np.std(areas) / (best - chance) / math.sqrt(SHUFFLES) + 1e-9),
        }
        for figure, (mine, other, within) in found.items():
            print(f"{sign['name']}, {figure}: {mine:.5f}, lm-polygraph {other:.5f} (±{within:.1e})")
            assert abs(mine - other) <= within, (sign["name"], figure)
    print("all figures agree")


if __name__ == "__main__":
    main()
