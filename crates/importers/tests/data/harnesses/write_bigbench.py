"""Writes results with the data classes of bigbench 1.0.0 (`bigbench.api.results`), and a task in its layout
with log-probabilities, both made up: `python write_bigbench.py bigbench`."""

import dataclasses
import json
import math
import sys
from pathlib import Path

from bigbench.api import model, results, task

QUESTIONS = [
    ("Q: What barks?\nA: ", {"a dog": 1.0, "an oak tree": 0.0}, [-3.0, -6.5]),
    ("Q: What has leaves?\nA: ", {"a dog": 0.0, "an oak tree": 1.0}, [-4.0, -4.5]),
    ("Q: What floats?\nA: ", {"a stone": 0.0, "ice": 1.0, "a nail": 0.0}, [-6.0, -2.0, -6.0]),
]


def sample(text, grades, absolute):
    total = math.log(sum(map(math.exp, absolute)))
    targets = list(grades)
    return results.MultipleChoiceSample(
        input=text, targets=targets, scores=[value - total for value in absolute], target_values=grades,
        correct=grades[targets[absolute.index(max(absolute))]], absolute_scores=absolute,
        normalized_scores=[value - total for value in absolute])


def main(folder):
    samples = [sample(*question) for question in QUESTIONS]
    queries = [
        results.MultipleChoiceQuery("cond_log_prob", False, samples, shots=0, task="toy"),
        results.MultipleChoiceQuery("cond_log_prob", False, samples[:2], shots=1, task="toy"),
        results.GenerativeQuery("generate_text", None, None, None, [
            results.GenerativeSample("Q: Why?", "so")], shots=0, task="toy"),
    ]
    score = task.ScoreData({"multiple_choice_grade": 2 / 3}, "multiple_choice_grade", 0, 0.4, 1.0, "toy")
    data = model.ModelData("toy", "toy-small", 1, 1, 1, 1, 1, "", {}, "")
    whole = results.ResultsFileData([score], results.TaskData("toy"), data, queries)
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    (folder / "scores_toy.json").write_text(json.dumps(dataclasses.asdict(whole), indent=1))
    examples = [
        {"input": text, "target_scores": grades, "log_prob": dict(zip(grades, absolute))}
        for text, grades, absolute in QUESTIONS
    ]
    (folder / "task.json").write_text(json.dumps({"name": "toy", "examples": examples}, indent=1))


main(sys.argv[1])
