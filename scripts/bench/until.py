#!/usr/bin/env python3
"""Lets workers ask two models until a comparison is settled: whole, killed and resumed, with four workers.

  until.py SURENESS URL_A URL_B [flags of `sureness compare`]

The servers behind URL_A and URL_B are asked as the models `a` and `b`, whatever they call themselves.
Needs nats-server. The flags name the questions and the goal, such as

  --data qa=mmlu --prompt-strategies base --shots 0 --until settled --metric acc --margin acc=10pp

Runs the comparison with one worker for each model; again, with the coordinator killed at a third of the
questions and a worker at two thirds; and with two workers for each. Prints questions asked, seconds, what
all questions would take at that pace, and exits with 1 if a verdict differs or an answer that was kept is
asked for again.
"""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class Runs:
    def __init__(self, sureness, servers, flags, folder):
        self.sureness, self.servers, self.flags, self.folder = sureness, servers, flags, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = ["nats-server", "-js", "-a", "127.0.0.1", "-p", str(self.port), "-sd", folder / "nats"]
        self.processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL)]
        time.sleep(1)

    def start(self, name, log, *words):
        command = [self.sureness, *words, "--nats", f"nats://127.0.0.1:{self.port}", "--run-name", name]
        with open(self.folder / log, "ab") as file:
            process = subprocess.Popen(command, cwd=self.folder, stdout=file, stderr=file)
        self.processes.append(process)
        return process

    def worker(self, name, model):
        return self.start(name, f"{name}-worker.txt", "worker", "--any-model", "--model", model,
                          "--api-base", self.servers[model], "--timeout", "600")

    def coordinator(self, name):
        return self.start(name, f"{name}.txt", "compare", "--models", "a", "b", "--output-dir", name,
                          "--progress", "none", "--unit-timeout", "30", *self.flags)

    def answers(self, name):
        """Answers that are kept."""
        store = self.folder / name / "sureness.sqlite"
        try:
            with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
                return database.execute("SELECT count(*) FROM answers").fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    def until(self, name, process, enough):
        while process.poll() is None and self.answers(name) < enough:
            time.sleep(0.05)
        return process.poll() is None

    def play(self, name, workers, thirds=None):
        """Returns what was settled, the seconds it took, and the answers that were asked for again."""
        running = [self.worker(name, model) for model in workers]
        begin = time.monotonic()
        process = self.coordinator(name)
        killed = 0
        if thirds and self.until(name, process, thirds):
            process.send_signal(signal.SIGKILL)
            process.wait()
            process, killed = self.coordinator(name), 1
            if self.until(name, process, 2 * thirds):
                running[0].send_signal(signal.SIGKILL)
                running[0] = self.worker(name, workers[0])
                killed = 2
        code = process.wait()
        took = time.monotonic() - begin
        said = (self.folder / f"{name}.txt").read_text(errors="replace")
        if code:
            raise SystemExit(f"{name}: exit code {code}: {said}")
        for worker in running:
            worker.wait()
        results = json.loads((self.folder / name / "results.json").read_text())
        twice = sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) questions? answered twice", said))
        return results["settled"], took, twice, killed

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def main():
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    servers = dict(zip("ab", sys.argv[2:4]))
    folder = Path(tempfile.mkdtemp(prefix="sureness-until-"))
    # Paths of the flags are those of the caller.
    flags = [re.sub(r"^(\w+=)?(?=\.*/|\w)(.*)$",
                    lambda m: (m[1] or "") + os.path.abspath(m[2]) if os.path.exists(m[2]) else m[0], flag)
             for flag in sys.argv[4:]]
    runs = Runs(Path(sys.argv[1]).resolve(), servers, flags, folder)
    failed = False
    try:
        whole, took, twice, _ = runs.play("whole", "ab")
        asked = sum(whole["asked"].values())
        full = took / asked * 2 * whole["of"]
        print(f"{whole['asked']} of {whole['of']} questions, {took:.0f} s; at this pace all take {full / 60:.0f} min")
        for pair in whole["pairs"]:
            print(json.dumps(pair))
        killed = runs.play("killed", "ab", max(asked // 3, 1))
        four = runs.play("four", "abab")
        for name, (settled, seconds, twice, kills) in [("killed", killed), ("four workers", four)]:
            verdicts = [[pair["verdict"] for pair in it["pairs"]] for it in (whole, settled)]
            same = "the same verdicts" if verdicts[0] == verdicts[1] else "OTHER VERDICTS"
            exact = ", to the last digit" if settled == whole else f", asked {settled['asked']}"
            print(f"{name}: {seconds:.0f} s, {kills} killed, {same}{exact}; {twice} answered twice")
            failed |= verdicts[0] != verdicts[1]
        failed |= four[2] > 0
    finally:
        runs.end()
    shutil.rmtree(folder)
    raise SystemExit(failed)


main()
