"""Builds the question pack: `main.py` writes the five files, `main.py --check` compares.

`--check` exits with 1 and says why when a file differs from what its sources give, or when
a rule of `rules.py` is broken. `--task NAME` limits either to one task.
"""

import argparse
import sys
from pathlib import Path

import ci
import drs
import ds
import qa
import rc
import rules
from item import SourceError, dump, records

PACK = Path(__file__).resolve().parent.parent
TASKS = {"qa": qa, "rc": rc, "ci": ci, "drs": drs, "ds": ds}


def main():
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description="Builds or checks the built-in question pack.")
    parser.add_argument("--check", action="store_true", help="write nothing, report differences")
    parser.add_argument("--task", choices=TASKS, action="append", help="only this task")
    arguments = parser.parse_args()
    messages, size = [], 0
    for name in arguments.task or TASKS:
        path = PACK / f"{name}.jsonl"
        try:
            lines = records(TASKS[name].items())
        except SourceError as error:
            messages.append(str(error))
            continue
        text = dump(lines)
        size += len(text.encode())
        messages.extend(rules.broken(name, lines))
        if not arguments.check:
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.is_file() or path.read_bytes() != text.encode():
            messages.append(f"{path.name} is not what its sources give; run main.py to rewrite it")
    if size > rules.MAX_BYTES:
        messages.append(f"the pack has {size} bytes, at most {rules.MAX_BYTES} are allowed")
    for message in messages:
        print(message, file=sys.stderr)
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
