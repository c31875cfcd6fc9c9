#!/usr/bin/env bash
# What a question costs the client: `sureness run` beside `wrk`, in turns, against a canned answer
# that nginx serves on loopback with one worker.
#
#   client-cost.sh [questions] [rounds]        default: 200000 questions, 3 rounds
#
# Needs nginx and wrk (apt-get install nginx-light wrk) and the release binary (make build).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

questions=${1:-200000}
rounds=${2:-3}
concurrency=64
port=${PORT:-8390}
sureness=${CARGO_TARGET_DIR:-target}/release/sureness

for tool in nginx wrk python3; do
    command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || {
        printf 'client-cost.sh: %s is missing\nhint: apt-get install nginx-light wrk\n' "$tool" >&2
        exit 1
    }
done
PATH=$PATH:/usr/sbin
[[ -x $sureness ]] || {
    printf 'client-cost.sh: no %s\nhint: make build\n' "$sureness" >&2
    exit 1
}

work=$(mktemp -d)
chmod 755 "$work" # nginx's worker may be another user
trap 'kill "$(cat "$work/nginx.pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$work"' EXIT

# The canned answer, the questions, and a request as `sureness` sends it, for wrk.
python3 - "$work" "$questions" <<'PYTHON'
import json, os, sys
work, questions = sys.argv[1], int(sys.argv[2])
letters = {f" {letter}": -2.0 - i / 4 for i, letter in enumerate("ABCDEF")}
others = {f" word{i}": -5.5 - i / 8 for i in range(14)}
answer = {
    "id": "cmpl-0", "object": "text_completion", "created": 1, "model": "canned",
    "choices": [{"index": 0, "text": " A", "finish_reason": "length", "logprobs": {
        "tokens": [" A"], "token_logprobs": [-2.0], "text_offset": [0],
        "top_logprobs": [{**letters, **others}]}}],
    "usage": {"prompt_tokens": 120, "completion_tokens": 1, "total_tokens": 121},
}
root = os.path.join(work, "root", "v1")
os.makedirs(root)
body = json.dumps(answer)
body += " " * max(0, 900 - len(body))
open(os.path.join(root, "completions"), "w").write(body)
open(os.path.join(root, "models"), "w").write(
    json.dumps({"object": "list", "data": [{"id": "canned", "object": "model"}]}))
with open(os.path.join(work, "questions.jsonl"), "w") as file:
    for n in range(questions):
        file.write(json.dumps({"id": n, "question": f"What is {n} plus {n % 7}?",
            "options": [str(n + k) for k in range(4)], "answer": "ABCD"[n % 4]}) + "\n")
prompt = ("Question: What is 12345 plus 4?\nChoices:\nA. 12345\nB. 12346\nC. 12347\nD. 12348\n"
          "E. I don't know\nF. None of the above\nAnswer:")
request = json.dumps({"model": "canned", "prompt": prompt, "max_tokens": 1, "temperature": 0,
                      "logprobs": 100})
open(os.path.join(work, "wrk.lua"), "w").write(
    f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[{request}]==]\n')
print(f"answer: {len(body)} bytes, request: {len(request)} bytes")
PYTHON

cat >"$work/nginx.conf" <<NGINX
worker_processes 1;
pid $work/nginx.pid;
error_log $work/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    open_file_cache max=10;
    server {
        listen 127.0.0.1:$port;
        root $work/root;
        default_type application/json;
        # A file is for GET; asked with POST it is served all the same.
        error_page 405 =200 \$uri;
    }
}
NGINX
nginx -c "$work/nginx.conf"
python3 - "$port" <<'PYTHON'
import sys, urllib.request
url = f"http://127.0.0.1:{sys.argv[1]}/v1/completions"
assert len(urllib.request.urlopen(url, data=b"{}").read()) >= 900, "not the canned answer"
PYTHON

for ((round = 1; round <= rounds; round++)); do
    wrk --threads 1 --connections $concurrency --duration 5s --script "$work/wrk.lua" \
        "http://127.0.0.1:$port/v1/completions" | awk '/Requests\/sec/ { printf "wrk       %8d requests/s\n", $2 }'
    python3 - "$sureness" "$work" "$port" $concurrency "$round" ${FLAGS:-} <<'PYTHON'
import json, resource, subprocess, sys
sureness, work, port, concurrency, round, *flags = sys.argv[1:]
out = f"{work}/out{round}"
run = subprocess.run(
    [sureness, "run", "--api-base", f"http://127.0.0.1:{port}/v1", "--max-workers", concurrency,
     "--tasks", "mine", "--data", f"mine={work}/questions.jsonl", "--shots", "0",
     "--prompt-strategies", "base", "--progress", "none", "--output-dir", out, *flags],
    capture_output=True, text=True)
if run.returncode:
    sys.exit(run.stderr)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
timing = json.load(open(f"{out}/results.json"))["models"][0]["timing"]
cpu = (usage.ru_utime + usage.ru_stime) / timing["asked"] * 1e6
print(f"sureness  {timing['per_second']:8.0f} questions/s, {cpu:.0f} µs of CPU per question "
      f"(loading and statistics included), {usage.ru_maxrss / 1024:.0f} MiB at the peak")
PYTHON
done

# lm-evaluation-harness on the first of the same questions, where its program is named in LM_EVAL
# and a tokenizer in TOKENIZER.
if [[ -n ${LM_EVAL:-} ]]; then
    MODEL=canned QUESTIONS=300 scripts/bench/lm_eval.py "$LM_EVAL" "http://127.0.0.1:$port/v1" \
        "$TOKENIZER" "$work/questions.jsonl" "$concurrency"
fi
