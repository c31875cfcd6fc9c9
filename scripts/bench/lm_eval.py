#!/usr/bin/env python3
"""lm-evaluation-harness on the same questions, for comparison: prints questions per second.

  lm_eval.py LM_EVAL BASE_URL TOKENIZER QUESTIONS [concurrency]

LM_EVAL is its program (pip install "lm-eval[api]" transformers), BASE_URL ends in /v1, TOKENIZER
is a folder with the model's tokenizer. QUESTIONS is our JSON lines, or a folder with MMLU: then
the five dev rows of its first subject go before each of 200 (or QUESTIONS in the environment)
test rows, evenly spaced. The harness asks for each option's continuation by itself.

The time is the one that the harness reports: with its model set up, without its own start.
"""

import csv
import glob
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

LETTERS = "ABCDEF"


def lay_out(stem, options):
    options = [*options, "I don't know", "None of the above"][: len(LETTERS)]
    lines = [f"{letter}. {text}" for letter, text in zip(LETTERS, options)]
    return "\n".join([f"Question: {stem}", "Choices:", *lines, "Answer:"])


def own(path):
    for line in open(path):
        row = json.loads(line)
        yield lay_out(row["question"], row["options"]), row["answer"]


def mmlu(folder, count):
    def rows(split):
        for path in sorted(glob.glob(f"{folder}/{split}/*.csv")):
            for stem, *options, answer in csv.reader(open(path, newline="")):
                yield stem, options, answer

    examples = [f"{lay_out(s, o)} {a}\n\n" for s, o, a in list(rows("dev"))[:5]]
    questions = list(rows("test"))
    for stem, options, answer in questions[:: max(1, len(questions) // count)][:count]:
        yield "".join(examples) + lay_out(stem, options), answer


def main():
    program, base, tokenizer, source, *rest = sys.argv[1:]
    concurrency = int(rest[0]) if rest else 16
    count = int(os.environ.get("QUESTIONS", 200))
    questions = list(mmlu(source, count) if os.path.isdir(source) else own(source))[:count]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with open(folder / "questions.json", "w") as file:
            for prompt, answer in questions:
                row = {"prompt": prompt, "answer": LETTERS.index(answer)}
                file.write(json.dumps(row) + "\n")
        (folder / "task.yaml").write_text(
            "task: same_questions\n"
            "dataset_path: json\n"
            f"dataset_kwargs: {{data_files: {{test: {folder}/questions.json}}}}\n"
            "test_split: test\n"
            "output_type: multiple_choice\n"
            "doc_to_text: '{{prompt}}'\n"
            f"doc_to_choice: {json.dumps(list(LETTERS))}\n"
            "doc_to_target: answer\n"
            "metric_list: [{metric: acc}]\n"
        )
        model = os.environ.get("MODEL", "smollm2")
        run = subprocess.run(
            [
                program, "run", "--model", "local-completions", "--model_args",
                f"model={model},base_url={base}/completions,num_concurrent={concurrency},"
                f"tokenizer={tokenizer},max_retries=1",
                "--tasks", "same_questions", "--include_path", str(folder),
                "--output_path", str(folder / "out"),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
        )  # fmt: skip
        found = list((folder / "out").rglob("results_*.json"))
        if run.returncode or not found:
            sys.exit(run.stderr[-3000:])
        results = json.load(open(found[0]))
        seconds = float(results["total_evaluation_time_seconds"])
        version = re.sub(r"\s", "", str(results.get("lm_eval_version", "")))
        accuracy = results["results"]["same_questions"]["acc,none"]
        print(
            f"lm-eval {version}: {len(questions) / seconds:.2f} questions/s "
            f"({len(questions)} in {seconds:.1f} s, {concurrency} at once, accuracy {accuracy:.3f})"
        )


main()
