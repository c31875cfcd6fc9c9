"""Writes the samples of docs/notebooks/two-models.ipynb with lm-evaluation-harness 0.4.13.

    python scripts/python/two_models.py ../shared/paper docs/notebooks/data

The harness asks two models that answer with the log-probabilities which Ye et al. (2024) published for
MMLU (repository smartyfh/LLM-Uncertainty-Bench, MIT), a thousand questions of their ten thousand. The
texts of the questions are not among what they published, so that prompts hold numbers. The harness's
description of the machine is taken out.
"""

import gzip
import json
import pickle
import sys
from pathlib import Path

import lm_eval
import numpy as np
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

LETTERS, QUESTIONS = "ABCD", 1000
KEPT = ["results", "groups", "group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples", "config", "date",
        "model_source", "model_name", "model_name_sanitized", "task_hashes", "lm_eval_version"]


class Published(LM):
    """Answers with published log-probabilities."""

    def __init__(self, file):
        super().__init__()
        rows = pickle.loads(file.read_bytes())
        logits = np.array([row["logits_options"] for row in rows], float)
        logprobs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        self.found = {row["id"]: of_row for row, of_row in zip(rows, logprobs, strict=True)}

    def loglikelihood(self, requests):
        return [self.one(*request.args) for request in requests]

    def one(self, context, option):
        of_row = self.found[int(context.split("question ")[1].split(".")[0])]
        option = LETTERS.index(option.strip())
        return float(of_row[option]), bool(of_row.argmax() == option)

    def loglikelihood_rolling(self, requests):
        raise NotImplementedError

    def generate_until(self, requests):
        raise NotImplementedError


def task(folder, answers):
    rows = [row for row in answers if row["answer"] in LETTERS and row["id"] > 9][:QUESTIONS]
    file = folder / "questions.jsonl"
    lines = (json.dumps({"id": row["id"], "answer": LETTERS.index(row["answer"])}) + "\n" for row in rows)
    file.write_text("".join(lines))
    return {
        "task": "mmlu_paper", "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(file)}},
        "test_split": "test", "output_type": "multiple_choice",
        "doc_to_text": "MMLU, question {{id}}.\nAnswer:", "doc_to_choice": list(LETTERS), "doc_to_target": "answer",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }  # fmt: skip


def main(paper, out):
    answers = json.loads((paper / "mmlu_10k.json").read_text())
    for model in ["internlm-7b", "Llama-2-7b-hf"]:
        folder = out / model
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        asked = Published(paper / "logits" / f"{model}_mmlu_10k_base_icl1.pkl")
        one = task(folder, answers)
        results = lm_eval.simple_evaluate(asked, tasks=[one], task_manager=TaskManager(), log_samples=True,
                                          bootstrap_iters=0)
        samples = results.pop("samples")
        results["config"] = {"model": model, "model_args": {}}
        tracker = EvaluationTracker(output_path=str(folder / "raw"))
        tracker.general_config_tracker.model_name = tracker.general_config_tracker.model_name_sanitized = model
        tracker.save_results_aggregated(results=results, samples=samples)
        tracker.save_results_samples(task_name="mmlu_paper", samples=samples["mmlu_paper"])
        tidy(folder)


def tidy(folder):
    """Leaves the results without the machine, and the samples compressed."""
    for file in sorted((folder / "raw").rglob("*.json*")):
        if file.name.startswith("results_"):
            results = json.loads(file.read_text())
            kept = {key: results[key] for key in KEPT if key in results}
            (folder / file.name).write_text(json.dumps(kept, indent=1) + "\n")
        else:
            with open(folder / f"{file.name}.gz", "wb") as out, gzip.GzipFile("", "wb", 9, out, 0) as packed:
                packed.write(file.read_bytes())
        file.unlink()
    for empty in sorted((folder / "raw").rglob("*"), reverse=True):
        empty.rmdir()
    (folder / "raw").rmdir()
    (folder / "questions.jsonl").unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
