#!/usr/bin/env python3
"""What an answer in words costs the client beside a letter, and what a million of them take in memory.

    scripts/bench/drawn_cost.py cost SURENESS FAULTSERVER [ROUNDS]      10,000 requests each, in turns
    scripts/bench/drawn_cost.py memory SURENESS FAULTSERVER [ANSWERS …] default: 100000 1000000

CPU time and memory are those of the whole `sureness` process, by the kernel's count: reading questions,
asking 64 at once, writing, the figures at the end. The server answers at once.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

AT_ONCE = 64
REQUESTS = 10_000
# Each makes 10,000 requests. One answer to each question has figures of as many questions as letters have.
WAYS = {
    "letters, completions": (REQUESTS, []),
    "letters, chat": (REQUESTS, ["--chat"]),
    "1 answer × 10,000, completions": (REQUESTS, ["--answers", "sampled", "--samples", "1"]),
    "1 answer × 10,000, chat": (REQUESTS, ["--chat", "--answers", "sampled", "--samples", "1"]),
    "10 answers × 1,000, Responses": (
        REQUESTS // 10,
        ["--answers", "sampled", "--api", "responses", "--samples", "10"],
    ),
    "10 answers × 1,000, Messages": (
        REQUESTS // 10,
        ["--answers", "sampled", "--api", "messages", "--samples", "10"],
    ),
}


class Server:
    """A fault server that answers in words, one answer per request."""

    def __init__(self, program, folder):
        script = folder / "script.toml"
        script.write_text("[server]\ncache_slots = 0\n[server.words]\nat_once = 1\n")
        self.process = subprocess.Popen(
            [program, "--script", script], stdout=subprocess.PIPE, text=True
        )
        self.base = self.process.stdout.readline().strip()

    def counts(self):
        return json.load(urllib.request.urlopen(self.base.removesuffix("/v1") + "/counts"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def questions(path, count):
    with open(path, "w") as file:
        for n in range(count):
            options = [str(n + k) for k in range(4)]
            row = {"id": n, "question": f"What is {n} plus {n % 7}?", "options": options}
            print(json.dumps({**row, "answer": "ABCD"[n % 4]}), file=file)


def run(program, base, data, out, flags):
    """Runs the program; its CPU seconds, wall seconds and peak memory in MiB."""
    words = [program, "run", "--api-base", base, "--max-workers", str(AT_ONCE)]
    words += ["--data", f"mine={data}", "--shots", "0", "--prompt-strategies", "base"]
    words += ["--progress", "none", "--output-dir", out, *flags]
    began = time.monotonic()
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{words}: status {status}\n{said}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024


def cost(program, faultserver, rounds):
    print("| round | way | requests | CPU per request | requests/s | peak memory |")
    print("|--:|---|--:|--:|--:|--:|")
    for number in range(1, rounds + 1):
        for name, (count, flags) in WAYS.items():
            with tempfile.TemporaryDirectory() as temporary:
                folder = pathlib.Path(temporary)
                questions(folder / "mine.jsonl", count)
                with Server(faultserver, folder) as server:
                    data, out = folder / "mine.jsonl", folder / "out"
                    cpu, wall, memory = run(program, server.base, data, out, flags)
                    requests = server.counts()["requests"]
                print(
                    f"| {number} | {name} | {requests:,} | {1e6 * cpu / requests:.0f} µs "
                    f"| {requests / wall:,.0f} | {memory:.0f} MiB |",
                    flush=True,
                )


def memory(program, faultserver, numbers):
    print("| answers | CPU per answer | seconds | peak memory |")
    print("|--:|--:|--:|--:|")
    for answers in numbers:
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            questions(folder / "mine.jsonl", REQUESTS)
            flags = ["--chat", "--answers", "sampled", "--samples", str(answers // REQUESTS)]
            with Server(faultserver, folder) as server:
                data, out = folder / "mine.jsonl", folder / "out"
                cpu, wall, peak = run(program, server.base, data, out, flags)
            print(
                f"| {answers:,} | {1e6 * cpu / answers:.0f} µs | {wall:.0f} | {peak:.0f} MiB |",
                flush=True,
            )


def main():
    what, program, faultserver, *rest = sys.argv[1:]
    if what == "cost":
        cost(program, faultserver, int(rest[0]) if rest else 3)
    elif what == "memory":
        memory(program, faultserver, [int(n) for n in rest] or [100_000, 1_000_000])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
