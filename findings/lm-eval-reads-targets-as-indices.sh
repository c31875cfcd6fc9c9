#!/usr/bin/env bash
# lm-evaluation-harness 0.4.13: in a multiple-choice task, the same right answers count differently by how
# the task names their column, without a warning.
#   - A column of texts that are numbers: `doc_to_target: answer` looks the text up among the choices, but
#     `doc_to_target: "{{answer}}"` makes an index of it.
#   - A column of truth values is an index, since True is 1 in Python: with the choices True and False, in
#     this order, every answer is the other one.
# A reader of the harness's samples cannot tell from `target` alone which option counted as right; only
# the verdict in `acc` does.
#
# Seen, for a model that gives the right option of each of eight questions the highest log-likelihood:
#   numbers by name     1.0
#   numbers by template 0.0
#   truth values        0.0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check lm-eval==0.4.13 datasets==5.2.0
cd "$work"
export HF_HOME=$work/hf HF_HUB_OFFLINE=1
"$work/venv/bin/python" - 2>"$work/log" <<'PYTHON' || { tail -20 "$work/log" >&2; exit 1; }
import json

import lm_eval
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager


class Right(LM):
    """Knows the right option, which the question ends with."""

    def loglikelihood(self, requests):
        asked = [(request.args[0].split()[-1], request.args[1].strip()) for request in requests]
        return [(0.0 if right == option else -5.0, right == option) for right, option in asked]

    def loglikelihood_rolling(self, requests):
        raise NotImplementedError

    def generate_until(self, requests):
        raise NotImplementedError


def accuracy(name, answers, choices, target):
    with open(f"{name}.jsonl", "w") as file:
        for number, answer in enumerate(answers):
            row = {"question": f"Question {number}, of which the answer is {answer}", "answer": answer}
            file.write(json.dumps(row) + "\n")
    task = {
        "task": name, "dataset_path": "json", "test_split": "test", "output_type": "multiple_choice",
        "dataset_kwargs": {"data_files": {"test": f"{name}.jsonl"}}, "doc_to_text": "{{question}}",
        "doc_to_choice": choices, "doc_to_target": target, "metric_list": [{"metric": "acc"}],
    }
    found = lm_eval.simple_evaluate(Right(), tasks=[task], task_manager=TaskManager(), bootstrap_iters=0)
    return found["results"][name]["acc,none"]


numbers, choices = ["1", "2", "3", "2"] * 2, ["3", "2", "4", "1"]
seen = {
    "numbers by name": accuracy("name", numbers, choices, "answer"),
    "numbers by template": accuracy("template", numbers, choices, "{{answer}}"),
    "truth values": accuracy("truth", [True, False] * 4, ["True", "False"], "answer"),
}
for name, found in seen.items():
    print(f"{name:<19} {found}")
assert seen == {"numbers by name": 1.0, "numbers by template": 0.0, "truth values": 0.0}, "this has changed"
PYTHON
