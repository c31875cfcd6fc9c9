#!/usr/bin/env python3
"""Reads the same Parquet file with sureness, pyarrow and lm-evaluation-harness, in turns.

  parquet.py SURENESS [ROWS] [ROUNDS]

SURENESS is a release binary; ROWS (1,000,000) are of MMLU's shape and made here; ROUNDS (3) give a
median. Needs pyarrow and lm-eval. Prints a table for docs/benchmarks.md, and exits with 1 if a claim
of that page does not hold.

sureness is timed as a whole process: `data check` reads and checks every row and chooses few-shot
examples. The others are timed from inside, after their imports: pyarrow from the file to Python
lists, the harness from the file to documents with prompt, choices and target, its cache empty. Memory
is the peak of each process.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYARROW = """
import sys, time
import pyarrow.parquet
begin = time.perf_counter()
rows = pyarrow.parquet.read_table(sys.argv[1]).to_pylist()
print("seconds", time.perf_counter() - begin, len(rows))
"""

HARNESS = """
import sys, time
from lm_eval.tasks import TaskManager, get_task_dict
manager = TaskManager(include_path=sys.argv[2], include_defaults=False)
begin = time.perf_counter()
task = get_task_dict(["rows"], manager)["rows"]
built = [
    (task.doc_to_text(doc), task.doc_to_choice(doc), task.doc_to_target(doc))
    for doc in task.test_docs()
]
print("seconds", time.perf_counter() - begin, len(built))
"""

TASK = """task: rows
dataset_path: parquet
dataset_kwargs:
  data_files:
    test: {file}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{question.strip()}}}}\\nA. {{{{choices[0]}}}}\\nB. {{{{choices[1]}}}}\\nC. {{{{choices[2]}}}}\\nD. {{{{choices[3]}}}}\\nAnswer:"
doc_to_choice: ["A", "B", "C", "D"]
doc_to_target: answer
metric_list:
  - metric: acc
"""


def make(path, count):
    """Writes the rows in groups, so that their number does not matter for memory."""
    import pyarrow
    import pyarrow.parquet

    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnoprstuvwy", k=draw.randint(2, 9))) for _ in range(5000)]
    schema = pyarrow.schema(
        [
            ("question", pyarrow.string()),
            ("subject", pyarrow.string()),
            ("choices", pyarrow.list_(pyarrow.string())),
            ("answer", pyarrow.int64()),
        ]
    )

    def text(most):
        return " ".join(draw.choices(words, k=draw.randint(1, most)))

    def row(number):
        return {
            "question": f"{text(60)} {number}?",
            "subject": f"subject_{number % 57}",
            "choices": [f"{text(10)} {letter}" for letter in "abcd"],
            "answer": draw.randrange(4),
        }

    group = 10_000
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for begin in range(0, count, group):
            rows = [row(number) for number in range(begin, min(begin + group, count))]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))


def measure(command, environment=None):
    """Seconds and the peak of memory in MiB; the seconds that the process prints count, if any."""
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{said[-3000:]}")
    for line in said.splitlines():
        if line.startswith("seconds "):
            seconds = float(line.split()[1])
    return seconds, usage.ru_maxrss / 1024


def main():
    if sys.argv[1:2] == ["--make"]:
        make(sys.argv[2], int(sys.argv[3]))
        return
    binary = Path(sys.argv[1]).resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        # In a process of its own: a child's peak begins with the memory of the process that starts it.
        subprocess.run([sys.executable, __file__, "--make", file, str(count)], check=True)
        tasks = Path(folder) / "tasks"
        tasks.mkdir()
        (tasks / "rows.yaml").write_text(TASK.format(file=file), encoding="utf-8")
        found = {"sureness": [], "pyarrow": [], "lm-evaluation-harness": []}
        for number in range(rounds):
            cache = str(Path(folder) / f"cache-{number}")
            offline = {"HF_HOME": cache, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
            found["sureness"].append(measure([binary, "data", "check", file]))
            found["pyarrow"].append(measure([sys.executable, "-c", PYARROW, file]))
            harness = [sys.executable, "-c", HARNESS, file, tasks]
            found["lm-evaluation-harness"].append(measure(harness, offline))
    speed = {name: statistics.median(count / seconds for seconds, _ in runs) for name, runs in found.items()}
    memory = {name: max(peak for _, peak in runs) for name, runs in found.items()}
    print(f"{count:,} rows, median of {rounds} rounds:\n")
    print("| reader | rows/s | beside sureness | peak memory |")
    print("|---|--:|--:|--:|")
    for name in found:
        share = speed["sureness"] / speed[name]
        print(f"| {name} | {speed[name]:,.0f} | {share:.2f} × | {memory[name]:,.0f} MiB |")
    claims = {
        "less than 150 MiB": memory["sureness"] < 150,
        "at least 0.3 of pyarrow's rows/s": speed["sureness"] >= 0.3 * speed["pyarrow"],
        "at least 5 times the harness's rows/s": speed["sureness"]
        >= 5 * speed["lm-evaluation-harness"],
    }
    print()
    for claim, holds in claims.items():
        print(f"- {claim}: {'holds' if holds else 'does NOT hold'}")
    sys.exit(not all(claims.values()))


if __name__ == "__main__":
    main()
