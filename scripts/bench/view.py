#!/usr/bin/env python3
"""What people who watch a run cost it, against the fault server, in turns.

    scripts/bench/view.py speed SURENESS FAULTSERVER [ROUNDS] [CLIENTS]     default: 6 rounds, 10 clients
    scripts/bench/view.py crowd SURENESS FAULTSERVER [CONNECTIONS]          default: 10000

`speed` times runs of 100,000 questions: alone, and beside `sureness view` with so many readers of its stream of
events. The order of the two changes from round to round, and the ratio is that of the rounds' own pairs.
`crowd` opens connections to the page of a run that goes on, and says what became of them and of the run.
"""

import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

QUESTIONS = 100_000


class Program:
    """A process, and the first line that it prints."""

    def __init__(self, *words, cwd=None):
        words = list(map(str, words))
        self.process = subprocess.Popen(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.line = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Reader(threading.Thread):
    """Reads a stream of events to its end, and counts."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.events, self.last = url, 0, None

    def run(self):
        host, port = self.url.split("/")[2].split(":")
        while True:
            try:
                with socket.create_connection((host, int(port))) as stream:
                    stream.sendall(f"GET /run/0/1/events HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
                    for line in stream.makefile("rb"):
                        if line.startswith(b"data:"):
                            self.events += 1
                            self.last = line[5:]
            except OSError:
                return
            time.sleep(0.2)


def questions(path, count):
    with open(path, "w") as file:
        for n in range(count):
            options = [str(n + k) for k in range(4)]
            row = {"id": n, "question": f"What is {n} plus {n % 7}?", "options": options}
            print(json.dumps({**row, "answer": "ABCD"[n % 4]}), file=file)


def command(program, base, data, out):
    words = [program, "run", "--api-base", base, "--max-workers", "32", "--data", f"mine={data}"]
    words += ["--shots", "0", "--prompt-strategies", "base", "--progress", "none", "--output-dir", out]
    return list(map(str, words))


def timed(program, faultserver, clients):
    """Questions a second of one run, and the events that each client saw."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        questions(folder / "mine.jsonl", QUESTIONS)
        (folder / "out").mkdir()
        with Program(faultserver) as server:
            run = command(program, server.line, folder / "mine.jsonl", folder / "out")
            page = Program(program, "view", folder / "out", "--port", 0) if clients else None
            readers = [Reader(page.line) for _ in range(clients)]
            for reader in readers:
                reader.start()
            done = subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if done.returncode:
                sys.exit(done.stderr.decode())
            if page:
                wait_for_last(readers)
                page.__exit__()
        timing = json.loads((folder / "out" / "results.json").read_text())["models"][0]["timing"]
        return timing["per_second"], [reader.events for reader in readers]


def wait_for_last(readers):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        last = [json.loads(reader.last) for reader in readers if reader.last]
        if len(last) == len(readers) and all(event["state"] == "finished" for event in last):
            return
        time.sleep(0.1)
    sys.exit("a reader was not told the end")


def speed(program, faultserver, rounds, clients):
    print(f"| round | alone | {clients} clients | ratio | events per client |")
    print("|--:|--:|--:|--:|--:|")
    ratios = []
    for number in range(1, rounds + 1):
        order = [0, clients] if number % 2 else [clients, 0]
        found = {count: timed(program, faultserver, count) for count in order}
        alone, (watched, events) = found[0][0], found[clients]
        ratios.append(watched / alone)
        mean = statistics.mean(events)
        print(f"| {number} | {alone:,.0f}/s | {watched:,.0f}/s | {ratios[-1]:.3f} | {mean:.0f} |", flush=True)
    error = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else float("nan")
    print(f"mean ratio {statistics.mean(ratios):.4f} ± {error:.4f} (standard error), median {statistics.median(ratios):.4f}")


def crowd(program, faultserver, connections):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, connections + 1000), hard))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        questions(folder / "mine.jsonl", QUESTIONS)
        (folder / "out").mkdir()
        with Program(faultserver) as server, Program(program, "view", folder / "out", "--port", 0) as page:
            run = subprocess.Popen(
                command(program, server.line, folder / "mine.jsonl", folder / "out"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            host, port = page.line.split("/")[2].split(":")
            open_ones, failed = [], 0
            for _ in range(connections):
                try:
                    open_ones.append(socket.create_connection((host, int(port)), timeout=5))
                except OSError:
                    failed += 1
            memory = pathlib.Path(f"/proc/{page.process.pid}/status").read_text()
            peak = next(line for line in memory.splitlines() if line.startswith("VmHWM"))
            handles = len(os.listdir(f"/proc/{page.process.pid}/fd"))
            told = sum(1 for stream in open_ones if answered(stream))
            code = run.wait()
            began = time.monotonic()
            page_again = urllib.request.urlopen(page.line, timeout=60).status
            waited = time.monotonic() - began
        group = json.loads((folder / "out" / "results.json").read_text())["models"][0]["groups"][0]
        print(f"{len(open_ones):,} connections opened, {failed:,} failed; {told:,} told to come back later")
        print(f"page: {peak}, {handles} handles; afterwards status {page_again} after {waited:.1f} s")
        print(f"run: exit code {code}, {group['answered']:,} of {group['planned']:,} answered")


def answered(stream):
    stream.settimeout(0.05)
    try:
        return b"503" in stream.recv(100)
    except OSError:
        return False
    finally:
        stream.close()


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    what, program, faultserver, *rest = sys.argv[1:]
    numbers = [int(n) for n in rest]
    if what == "speed":
        speed(program, faultserver, *(numbers + [6, 10][len(numbers) :]))
    elif what == "crowd":
        crowd(program, faultserver, *(numbers or [10_000]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
