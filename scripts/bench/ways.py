#!/usr/bin/env python3
"""The three ways of asking beside each other: two small models, in this process and behind llama-server.

    scripts/bench/ways.py SURENESS LLAMA_SERVER_DIR MMLU MODEL.gguf[:chat] …

LLAMA_SERVER_DIR is the folder of scripts/servers/llama-server.sh. With `:chat` a model is asked through its
template, without examples; others continue five examples. Every run asks the same 60 questions, of a server
that was started for it. Times are CPU seconds of the program and of its server, by the kernel's count, loading
included; one thread each, since llama.cpp's threads wait for each other in busy loops. QUESTIONS=60 and
WAYS="letters reasoned sampled" by default. Prints a table for docs/benchmarks.md, then how far the letters' log-probabilities
are from those of `reasoned` without a thought.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import stored

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUESTIONS = int(os.environ.get("QUESTIONS", "60"))
WAYS = {
    "letters": [],
    "reasoned": ["--answers", "reasoned", "--thoughts", "2", "--think-tokens", "24"],
    "sampled": ["--answers", "sampled", "--samples", "5", "--answer-tokens", "12"],
}
WAYS = {way: WAYS[way] for way in os.environ.get("WAYS", " ".join(WAYS)).split()}
NO_THOUGHT = ["--answers", "reasoned", "--thoughts", "1", "--think-tokens", "0"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def seconds(process):
    """Waits for a process; the CPU time that it took, and its status."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def served(servers, model, log, times):
    """The model behind llama-server, whose arithmetic is that of the embedded one."""
    port = free_port()
    words = [ROOT / "scripts/servers/llama-server.sh", servers, port]
    words += ["--flash-attn", "off", "--batch-size", 512, "--ubatch-size", 512, "--parallel", 1, "--threads", 1]
    environment = {**os.environ, "SURENESS_TEST_GGUF": str(model)}
    with open(log, "w") as output:
        server = subprocess.Popen(
            list(map(str, words)), env=environment, stdout=output, stderr=output
        )
    base = f"http://127.0.0.1:{port}/v1"
    try:
        wait_for(f"{base}/models", server, log)
        yield ["--api-base", base, "--max-workers", "1", "--batch-size", "1"]
    finally:
        server.terminate()
        times.append(seconds(server))


def wait_for(url, server, log):
    for _ in range(240):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url).close()
            return
        if server.poll() is not None:
            break
        time.sleep(0.5)
    sys.exit(f"llama-server does not answer:\n{pathlib.Path(log).read_text()[-2000:]}")


def ask(sureness, mmlu, place, flags, out, times):
    """Runs it; the results of its only model."""
    words = [sureness, "run", *place, "--tasks", "qa", "--data", f"qa={mmlu}"]
    words += ["--sample-size", str(QUESTIONS), "--seed", "7", "--recheck", "0"]
    words += ["--prompt-strategies", "base", "--min-letter-mass", "0", "--progress", "none"]
    words += ["--allowed-failures", "1", "--output-dir", str(out), *flags]
    with open(f"{out}.log", "w") as log:
        run = subprocess.Popen(list(map(str, words)), stdout=log, stderr=log)
        times.append(seconds(run))
    if run.returncode:
        sys.exit(f"{pathlib.Path(f'{out}.log').read_text()}\n{words}")
    return json.loads((out / "results.json").read_text())["models"][0]


def row(model, where, way, result, cpu):
    mean, ends = result["mean"], result.get("intervals") or {}

    def figure(key, scale, digits):
        text = f"{scale * mean[key]:.{digits}f}"
        if not isinstance(ends.get(key), list):
            return text
        low, high = (scale * end for end in ends[key])
        return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"

    group = result["groups"][0]
    drawn = group.get("drawn") or {}
    if way == "sampled":
        read = f"{drawn['chosen']} of {drawn['answers']}"
    else:
        read = f"{group['answered']} of {group['planned']}"
    spent = result["timing"]["spent"]
    print(
        f"| {model} | {where} | {way} | {figure('acc', 100, 1)} | {figure('set_size', 1, 2)} "
        f"| {100 * mean['coverage']:.1f} | {read} | {spent['prompt_tokens']:,} "
        f"| {spent['answer_tokens']:,} | {cpu:.0f} |",
        flush=True,
    )


def apart(one, other):
    """The largest difference of a log-probability between a run of letters and one without thoughts."""
    letters, drawn = stored.letters(one), stored.drawn(other)
    assert letters.keys() == drawn.keys() and letters
    pairs = ((a, b) for q in letters for a, b in zip(letters[q], drawn[q][0]))
    return max(abs(a - b) for a, b in pairs), len(letters)


def main():
    sureness, servers, mmlu, *models = sys.argv[1:]
    print("| model | where | way | accuracy | set size | coverage | read | prompt tokens "
          "| answer tokens | CPU seconds |")
    print("|---|---|---|--:|--:|--:|--:|--:|--:|--:|")
    agreement = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for model in models:
            path, _, chat = model.partition(":")
            model, style = pathlib.Path(path), ["--chat", "--shots", "0"] if chat else []
            for where in ("embedded", "llama-server"):
                for way, flags in {**WAYS, "no thought": NO_THOUGHT}.items():
                    name = f"{model.stem}-{where}-{way}".replace(" ", "-")
                    times = []
                    if where == "embedded":
                        place = contextlib.nullcontext(["--gguf", str(model), "--threads", "1"])
                    else:
                        place = served(servers, model, folder / f"{name}.server", times)
                    with place as words:
                        words = [*words, *style]
                        result = ask(sureness, mmlu, words, flags, folder / name, times)
                    if way in WAYS:
                        row(model.stem, where, way, result, sum(times))
                if "letters" not in WAYS:
                    continue
                letters = folder / f"{model.stem}-{where}-letters"
                thoughtless = folder / f"{model.stem}-{where}-no-thought"
                agreement.append((model.stem, where, *apart(letters, thoughtless)))
    print()
    for model, where, largest, questions in agreement:
        print(f"{model}, {where}: letters and reasoned without a thought differ by at most "
              f"{largest:.1e} nats on {questions} questions")


if __name__ == "__main__":
    main()
