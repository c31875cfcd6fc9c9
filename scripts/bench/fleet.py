#!/usr/bin/env python3
"""Workers on NATS: how throughput grows with them, a run over a bad network, and a long one.

    fleet.py scale [WORKERS …]     default: 1 2 4 8
    fleet.py network               two hosts as network namespaces, 20 ms away, 1 % of segments late
    fleet.py memory [QUESTIONS]    what each process holds while a million questions pass

For the first two, each worker has an endpoint of its own (sureness-faultserver) of a fixed capacity: two requests at
a time, 50 ms each, so 40 questions a second. Reported is the throughput of the whole run, as the
coordinator sees it, beside as many times that of one worker.

Needs nats-server, and the release binaries: cargo build --release -p sureness -p sureness-faultserver.
`network` needs root (ip netns). The kernel here may lack netem: the delay and the losses are made by
a relay between the hosts, which holds every piece of a TCP stream back for 10 ms each way, and one in
a hundred for 200 ms more, as long as TCP takes to send a lost one again.
"""

import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
EACH = 40.0
SECONDS = 30


class Processes:
    """What was started ends with the script."""

    def __init__(self, folder):
        self.folder = folder
        self.all = []

    def start(self, name, words, within=()):
        log = open(self.folder / f"{name}.log", "w")
        process = subprocess.Popen([*within, *map(str, words)], stdout=log, stderr=log)
        self.all.append(process)
        return process

    def end(self):
        for process in self.all:
            process.kill()
        for process in self.all:
            process.wait()
        self.all.clear()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def questions(folder, count):
    path = folder / f"q{count}.jsonl"
    with open(path, "w") as file:
        for n in range(count):
            row = {"id": n, "question": f"What is {n} plus {n % 7}?",
                   "options": [str(n + k) for k in range(4)], "answer": "ABCD"[n % 4]}
            file.write(json.dumps(row) + "\n")
    return path


def endpoint(processes, name, within=(), capacity="workers = 2\nbase_ms = 50\n"):
    script = processes.folder / f"{name}.toml"
    script.write_text(f"[capacity]\n{capacity}")
    processes.start(name, [TARGET / "sureness-faultserver", "--script", script], within)
    log = processes.folder / f"{name}.log"
    while not log.read_text().startswith("http"):
        time.sleep(0.02)
    return log.read_text().split()[0]


def figures(folder):
    results = json.loads((folder / "results.json").read_text())
    for model in results["models"]:
        timing = model.pop("timing")
        model.pop("run")
        model.pop("noise", None)
    return timing, json.dumps(results, indent=1)


def asking(data, out):
    return ["run", "--tasks", "sums", "--data", f"sums={data}", "--shots", "0", "--no-abstention",
            "--prompt-strategies", "base", "--progress", "plain", "--output-dir", out]


def scale(counts):
    print(f"{'workers':>7} {'questions':>9} {'a second':>9} {'of linear':>9} {'asked twice':>11}")
    first = None
    for workers in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            processes = Processes(folder)
            try:
                port = free_port()
                processes.start("nats", ["nats-server", "-js", "-a", "127.0.0.1", "-p", port, "-sd", folder / "js"])
                nats = ["--nats", f"nats://127.0.0.1:{port}"]
                for n in range(workers):
                    base = endpoint(processes, f"server{n}")
                    processes.start(f"worker{n}", [TARGET / "sureness", "worker", *nats, "--api-base", base])
                time.sleep(2)
                data = questions(folder, int(EACH * SECONDS * workers))
                out = folder / "out"
                done = processes.start("coordinator", [TARGET / "sureness", *asking(data, out), *nats]).wait()
                log = (folder / "coordinator.log").read_text()
                if done:
                    sys.exit(log)
                timing, _ = figures(out)
                twice = [line for line in log.splitlines() if "answered twice" in line]
                rate = timing["per_second"]
                first = first or rate / workers
                print(f"{workers:>7} {timing['asked']:>9} {rate:>9.1f} {rate / workers / first:>9.3f} "
                      f"{twice[0] if twice else 0:>11}", flush=True)
            finally:
                processes.end()


def resident(process):
    """The memory a process holds, in MiB, or nothing once it has ended."""
    try:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) // 1024


def memory(count):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        processes = Processes(folder)
        try:
            port = free_port()
            held = {"nats-server": processes.start(
                "nats", ["nats-server", "-js", "-a", "127.0.0.1", "-p", port, "-sd", folder / "js"])}
            nats = ["--nats", f"nats://127.0.0.1:{port}"]
            for n in (1, 2):
                base = endpoint(processes, f"server{n}", capacity="")
                held[f"worker {n}"] = processes.start(
                    f"worker{n}", [TARGET / "sureness", "worker", *nats, "--api-base", base])
            out = folder / "out"
            data = questions(folder, count)
            started = time.monotonic()
            run = processes.start("coordinator", [TARGET / "sureness", *asking(data, out), *nats])
            held = {"coordinator": run, **held}
            print(f"{'seconds':>7} {'on disk':>8} " + " ".join(f"{who:>11}" for who in held) + "   (MiB)")
            most = dict.fromkeys(held, 0)
            while run.poll() is None:
                now = time.monotonic() - started
                for _ in range(20):
                    time.sleep(0.5)
                    most = {who: max(most[who], resident(process)) for who, process in held.items()}
                stored = sum(f.stat().st_size for f in (folder / "js").rglob("*") if f.is_file()) >> 20
                print(f"{now:>7.0f} {stored:>8} " + " ".join(f"{resident(p):>11}" for p in held.values()), flush=True)
            if run.returncode:
                sys.exit((folder / "coordinator.log").read_text())
            timing, _ = figures(out)
            print(f"{'most':>16} " + " ".join(f"{m:>11}" for m in most.values()))
            print(f"{timing['asked']} asked, {timing['per_second']:.0f} a second")
        finally:
            processes.end()


def relay(listen, connect):
    """Passes TCP on, late."""
    server = socket.create_server(listen)

    def pump(source, target):
        try:
            while data := source.recv(16384):
                late = 0.010 + (0.2 if random.random() < 0.01 else 0.0)
                time.sleep(late)
                target.sendall(data)
        except OSError:
            pass
        for side in (source, target):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    while True:
        near, _ = server.accept()
        far = socket.create_connection(connect)
        for pair in ((near, far), (far, near)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


def network():
    hosts = ["sureness-a", "sureness-b"]

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        processes = Processes(folder)
        try:
            for n, host in enumerate(hosts, 1):
                ip("netns", "add", host)
                ip("link", "add", f"sure{n}", "type", "veth", "peer", "name", "eth0", "netns", host)
                ip("addr", "add", f"10.77.{n}.1/24", "dev", f"sure{n}")
                ip("link", "set", f"sure{n}", "up")
                for words in (["addr", "add", f"10.77.{n}.2/24", "dev", "eth0"],
                              ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):
                    ip("-n", host, *words)
            processes.start("nats", ["nats-server", "-js", "-a", "127.0.0.1", "-p", 4299, "-sd", folder / "js"])
            time.sleep(0.5)
            for n in (1, 2):
                threading.Thread(target=relay, args=((f"10.77.{n}.1", 4222), ("127.0.0.1", 4299)), daemon=True).start()
            for n, host in enumerate(hosts, 1):
                within = ["ip", "netns", "exec", host]
                for m in (1, 2):
                    base = endpoint(processes, f"server{n}{m}", within)
                    processes.start(f"worker{n}{m}", [TARGET / "sureness", "worker", "--nats",
                                    f"nats://10.77.{n}.1:4222", "--api-base", base], within)
            time.sleep(3)
            data = questions(folder, int(4 * EACH * SECONDS))
            near = folder / "together"
            done = processes.start("coordinator", [TARGET / "sureness", *asking(data, near),
                                   "--nats", "nats://127.0.0.1:4299"]).wait()
            if done:
                sys.exit((folder / "coordinator.log").read_text())
            base = endpoint(processes, "quick", capacity="")
            alone = folder / "alone"
            processes.start("single", [TARGET / "sureness", *asking(data, alone), "--api-base", base]).wait()
            timing, together = figures(near)
            _, one = figures(alone)
            print(f"four workers on two hosts: {timing['per_second']:.1f} a second, "
                  f"{timing['per_second'] / (4 * EACH):.3f} of their capacity; "
                  f"the same figures as on one machine: {together == one}")
            log = (folder / "coordinator.log").read_text()
            print("asked twice:", [line for line in log.splitlines() if "answered twice" in line] or 0)
        finally:
            processes.end()
            for n, host in enumerate(hosts, 1):
                subprocess.run(["ip", "netns", "del", host], check=False)
                subprocess.run(["ip", "link", "del", f"sure{n}"], check=False, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin"
    for program in [shutil.which("nats-server"), TARGET / "sureness", TARGET / "sureness-faultserver"]:
        if not program or not os.path.exists(program):
            sys.exit(f"fleet.py: nats-server and the release binaries are needed\n{__doc__}")
    if sys.argv[1:2] == ["scale"]:
        scale([int(n) for n in sys.argv[2:]] or [1, 2, 4, 8])
    elif sys.argv[1:] == ["network"]:
        network()
    elif sys.argv[1:2] == ["memory"]:
        memory(int(sys.argv[2]) if sys.argv[2:] else 1_000_000)
    else:
        sys.exit(__doc__)
