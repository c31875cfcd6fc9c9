#!/usr/bin/env python3
"""Drawn answers beside the letters of the same model.

A server of ours answers with the published logits of a model: by the letters' log-probabilities, or in
words, drawn from them. `--answers letters` and `--answers sampled` with several numbers of answers then
measure one and the same model. Prints a table for docs/benchmarks.md.

    scripts/bench/sampled.py SURENESS FAULTSERVER LOGITS.pkl MMLU_10K.json [QUESTIONS]

LOGITS.pkl and MMLU_10K.json are those of the paper (smartyfh/LLM-Uncertainty-Bench); NumPy reads them.
"""

import json
import pathlib
import pickle
import subprocess
import sys
import tempfile

NUMBERS = (10, 50, 200)


def prepare(folder, logits, key, count):
    """Writes the questions and the server's script."""
    answers = {row["id"]: row["answer"] for row in json.load(open(key))}
    rows = pickle.load(open(logits, "rb"))[:count]
    with open(folder / "own.jsonl", "w") as questions, open(folder / "logits.jsonl", "w") as law:
        for row in rows:
            stem = f"Which option is right in question {row['id']}?"
            options = [f"entry {row['id']}-{number}" for number in range(4)]
            question = {
                "id": row["id"],
                "question": stem,
                "options": options,
                "answer": answers[row["id"]],
            }
            print(json.dumps(question), file=questions)
            values = [float(value) for value in row["logits_options"]]
            print(json.dumps({"question": stem, "logits": values}), file=law)
    (folder / "script.toml").write_text(
        f'[server]\nlogits = "{folder}/logits.jsonl"\n\n[server.words]\nthoughts = 0.3\n'
    )


def main():
    sureness, faultserver, logits, key, *rest = sys.argv[1:]
    count = int(rest[0]) if rest else 2000
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder, logits, key, count)
        script = folder / "script.toml"
        server = subprocess.Popen(
            [faultserver, "--script", script], stdout=subprocess.PIPE, text=True
        )
        base = server.stdout.readline().strip()
        common = [
            *(sureness, "run", "--api-base", base, "--data", f"own={folder}/own.jsonl"),
            *("--prompt-strategies", "base", "--shots", "0", "--progress", "none"),
        ]
        try:
            print("| answers | accuracy | set size | coverage | UAcc | draws that chose an option |")
            print("|---|---|---|---|---|---|")
            measure(common, folder, "letters", [])
            for number in NUMBERS:
                flags = ["--chat", "--answers", "sampled", "--samples", str(number)]
                measure(common, folder, f"{number} drawn", flags)
        finally:
            server.terminate()


def measure(common, folder, name, flags):
    """Runs it and prints a row."""
    out = folder / name.replace(" ", "-")
    subprocess.run(
        [*common, *flags, "--output-dir", out], check=True, capture_output=True, text=True
    )
    model = json.loads((out / "results.json").read_text())["models"][0]
    mean = model["mean"]
    ends = model["intervals"]

    def figure(key, scale, digits):
        low, high = (scale * end for end in ends[key])
        return f"{scale * mean[key]:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    drawn = model["groups"][0].get("drawn")
    share = f"{drawn['chosen']:,} of {drawn['answers']:,}" if drawn else "–"
    figures = [
        figure("acc", 100, 1),
        figure("set_size", 1, 2),
        figure("coverage", 100, 1),
        figure("uacc", 100, 1),
    ]
    print(f"| {name} | {' | '.join(figures)} | {share} |", flush=True)


if __name__ == "__main__":
    main()
