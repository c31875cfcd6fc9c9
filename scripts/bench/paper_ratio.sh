#!/usr/bin/env bash
# The paper's figures of four models, by us and by paper_reference.py, in turns.
#
#   paper_ratio.sh PAPER [ROUNDS]
#
# PAPER is the folder with the published logits and mmlu_10k.json. Prints wall and CPU seconds of
# each process, and of the Python one also those of its work alone, without starting Python and
# importing its packages; CPU seconds count where other work is going on. The figures of both are
# compared first. Needs the release binary (make build; SURENESS names another) and a Python with
# NumPy and scikit-learn (PYTHON names it; else that of scripts/verify/run.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

exec "${PYTHON:-.tools/verify/venv/bin/python}" - "$1" "${2:-5}" \
    "${SURENESS:-${CARGO_TARGET_DIR:-target}/release/sureness}" <<'PYTHON'
import json
import os
import re
import statistics
import subprocess
import sys
import time

paper, rounds, sureness = sys.argv[1], int(sys.argv[2]), sys.argv[3]
models = ["Yi-34B", "Llama-2-7b-hf", "internlm-7b", "falcon-7b"]
logits = [f"{paper}/logits/{m}_mmlu_10k_{s}_icl1.pkl" for m in models for s in ("base", "shared", "task")]
ours = [sureness, "score", "--protocol", "paper", "--questions", f"{paper}/mmlu_10k.json", "--output", "json",
        "--logits", *logits]
theirs = [sys.executable, "scripts/bench/paper_reference.py", paper, *models]


def measured(command):
    """Wall seconds, CPU seconds, and what was printed."""
    before, begin = os.times(), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    wall, after = time.monotonic() - begin, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, done.stdout


def same(mine, printed):
    """Whether each model's figures are those that Python printed, to its last digit."""
    files = json.loads(mine)["files"]
    for line in printed.splitlines():
        name, acc, size, cover, uacc = re.match(
            r"(\S+): Acc ([\d.]+), SS ([\d.]+), CR ([\d.]+), UAcc ([\d.]+)", line).groups()
        rows = [file for file in files if file["model"] == name]
        assert len(rows) == 3, name
        both = [row[score] for row in rows for score in ("lac", "aps")]
        for mean, text in [
            (100 * statistics.mean(row["acc"] for row in rows), acc),
            (statistics.mean(score["set_size"] for score in both), size),
            (100 * statistics.mean(score["coverage"] for score in both), cover),
            (100 * statistics.mean(score["uacc"] for score in both), uacc),
        ]:
            assert abs(mean - float(text)) <= 0.00501, (name, mean, text)


ratios = {"wall": [], "cpu": []}
for turn in range(rounds):
    wall, cpu, mine = measured(ours)
    their_wall, their_cpu, printed = measured(theirs)
    same(mine, printed)
    work = sum(float(seconds) for seconds in re.findall(r", ([\d.]+) s$", printed, re.M))
    ratios["wall"].append(their_wall / wall)
    ratios["cpu"].append(their_cpu / cpu)
    print(f"round {turn + 1}: sureness {wall:.3f} s wall, {cpu:.3f} s CPU; "
          f"Python {their_wall:.2f} s wall, {their_cpu:.2f} s CPU, {work:.2f} s without its start")
for what, values in ratios.items():
    print(f"Python / sureness, {what}: {min(values):.0f} to {max(values):.0f}, median {statistics.median(values):.0f}")
PYTHON
