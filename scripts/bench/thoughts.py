#!/usr/bin/env python3
"""How many answers it takes: letters after thoughts beside answers that are counted.

A server of ours has a few thoughts on each question, and probabilities of the letters after each. The law
of a question is the mixture. `--answers reasoned` averages the letters' probabilities over K thoughts,
`--answers sampled` counts letters that are drawn after a thought each. Both are compared with the law, at
the tokens that the server counts. Two laws: after a thought the letters are still uncertain, or one of
them is nearly certain. Prints tables for docs/benchmarks.md.

    scripts/bench/thoughts.py SURENESS FAULTSERVER [QUESTIONS]
"""

import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import urllib.request

import stored

LETTERS = 6
THOUGHTS = 5
WORDS = 40
REASONED = (1, 4, 16)
SAMPLED = (1, 4, 16, 64, 256)
# How far the letters' logits differ between questions and between thoughts, in nats.
LAWS = {
    "letters uncertain after a thought": (2.0, 1.5),
    "one letter nearly certain after a thought": (0.0, 100.0),
}


def softmax(logits):
    weights = [math.exp(logit) for logit in logits]
    return [weight / sum(weights) for weight in weights]


def law_of(number, shared, own):
    """The thoughts on a question, the mixture of the letters, and its two variances."""
    chance = random.Random(f"{number} {shared} {own}")
    common = [shared * chance.random() for _ in range(LETTERS)]
    thoughts = [
        {
            "text": " ".join([f"musing{number}x{index}"] * WORDS),
            "weight": 0.5 + chance.random(),
            "logits": [logit + own * chance.random() for logit in common],
        }
        for index in range(THOUGHTS)
    ]
    total = sum(thought["weight"] for thought in thoughts)
    weights = [thought["weight"] / total for thought in thoughts]
    after = [softmax(thought["logits"]) for thought in thoughts]
    mixture = [sum(w * p[letter] for w, p in zip(weights, after)) for letter in range(LETTERS)]
    square = sum(p * p for p in mixture)
    between = sum(w * q * q for w, p in zip(weights, after) for q in p) - square
    return thoughts, mixture, between, 1 - square


def prepare(folder, count, shared, own):
    """Writes the questions and the server's script; returns the law of each question."""
    laws = {}
    chance = random.Random(1)
    with open(folder / "own.jsonl", "w") as questions, open(folder / "law.jsonl", "w") as law:
        for number in range(count):
            stem = f"Which item has the number {number}?"
            thoughts, mixture, *variances = law_of(number, shared, own)
            answer = chance.choices("ABCD", mixture[:4])[0]
            options = [f"entry {number}-{option}" for option in range(4)]
            row = {"id": number, "question": stem, "options": options, "answer": answer}
            print(json.dumps(row), file=questions)
            print(json.dumps({"question": stem, "thoughts": thoughts}), file=law)
            laws[str(number)] = (mixture, *variances)
    (folder / "script.toml").write_text(
        f'[server]\nthoughts = "{folder}/law.jsonl"\n[server.words]\n'
    )
    return laws


def errors(folder, laws):
    """The mean squared error of a question's probabilities, summed over its letters, with its standard
    error."""
    found = stored.drawn(folder)
    all_errors = []
    for question, answers in found.items():
        means = stored.means(answers)
        mixture = laws[question][0]
        all_errors.append(sum((a - b) ** 2 for a, b in zip(means, mixture)))
    mean = math.fsum(all_errors) / len(all_errors)
    spread = math.fsum((error - mean) ** 2 for error in all_errors) / len(all_errors)
    return mean, math.sqrt(spread / len(all_errors))


def measure(sureness, faultserver, folder, laws, way, number):
    """One run on a fresh server; prints a row."""
    server = subprocess.Popen(
        [faultserver, "--script", folder / "script.toml"], stdout=subprocess.PIPE, text=True
    )
    base = server.stdout.readline().strip()
    out = folder / f"{way}-{number}"
    flags = ["--thoughts" if way == "reasoned" else "--samples", str(number)]
    try:
        subprocess.run(
            [sureness, "run", "--api-base", base, "--chat", "--answers", way, *flags]
            + ["--data", f"own={folder}/own.jsonl", "--prompt-strategies", "base", "--shots", "0"]
            + ["--progress", "none", "--output-dir", out],
            check=True,
            capture_output=True,
            text=True,
        )
        counts = json.load(urllib.request.urlopen(base.removesuffix("/v1") + "/counts"))
    finally:
        server.terminate()
        server.wait()
    mean, error = errors(out, laws)
    variance = 1 if way == "reasoned" else 2
    expected = math.fsum(law[variance] for law in laws.values()) / len(laws) / number
    model = json.loads((out / "results.json").read_text())["models"][0]["mean"]
    tokens = counts["tokens"]["answer"] / len(laws)
    print(
        f"| {way} | {number} | {tokens:,.0f} | {mean:.5f} ± {error:.5f} | {expected:.5f} "
        f"| {100 * model['acc']:.1f} | {model['set_size']:.2f} | {100 * model['coverage']:.1f} |",
        flush=True,
    )


def main():
    sureness, faultserver, *rest = sys.argv[1:]
    count = int(rest[0]) if rest else 1000
    for name, (shared, own) in LAWS.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            laws = prepare(folder, count, shared, own)
            between, one = (math.fsum(law[i] for law in laws.values()) / count for i in (1, 2))
            print(f"\n{name}: {one:.4f} / {between:.4f} = {one / between:.1f}\n")
            print("| way | answers | answer tokens per question | squared error | by theory "
                  "| accuracy | set size | coverage |")
            print("|---|--:|--:|--:|--:|--:|--:|--:|")
            for number in REASONED:
                measure(sureness, faultserver, folder, laws, "reasoned", number)
            for number in SAMPLED:
                measure(sureness, faultserver, folder, laws, "sampled", number)


if __name__ == "__main__":
    main()
