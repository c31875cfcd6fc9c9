#!/usr/bin/env bash
# inspect_ai 0.3.285 with google-genai 3.6.1: of an answer by one of Google's models, a token of whose
# choice the model is certain is missing from the log-probabilities in the log. A log-probability of 0,
# which is a probability of 1, counts as none at all (`completion_choice_from_candidate` in its provider
# `google`), among the tokens of the answer as in the lists beside them. So the letter of an answer is
# missing where the model is surest, and the tokens of the log no longer spell its text.
#
# Seen, for "ANSWER: B" with the log-probabilities -0.5, -0.25 and 0.0:
#   text    ANSWER: B
#   tokens  ANSWER:
#   listed  [['ANSWER'], [':']]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check inspect_ai==0.3.285 google-genai==3.6.1
cd "$work"
"$work/venv/bin/python" - 2>"$work/log" <<'PYTHON' || { tail -20 "$work/log" >&2; exit 1; }
from google.genai import types
from inspect_ai.model._providers.google import completion_choice_from_candidate

tokens = [("ANSWER", -0.5), (":", -0.25), (" B", 0.0)]


def listed(token, logprob):
    return types.LogprobsResultCandidate(token=token, log_probability=logprob)


candidate = types.Candidate(
    content=types.Content(role="model", parts=[types.Part(text="ANSWER: B")]),
    finish_reason=types.FinishReason.STOP,
    logprobs_result=types.LogprobsResult(
        chosen_candidates=[listed(*each) for each in tokens],
        top_candidates=[
            types.LogprobsResultTopCandidates(candidates=[listed(*each), listed(" C", -9.0)]) for each in tokens
        ],
    ),
)
choice = completion_choice_from_candidate("gemini", candidate)
seen = {
    "text": choice.message.text,
    "tokens": "".join(token.token for token in choice.logprobs.content),
    "listed": [[top.token for top in token.top_logprobs if top.token != " C"] for token in choice.logprobs.content],
}
for name, value in seen.items():
    print(f"  {name:<7} {value}")
assert seen == {"text": "ANSWER: B", "tokens": "ANSWER:", "listed": [["ANSWER"], [":"]]}, seen
PYTHON
