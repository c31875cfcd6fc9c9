"""What `sureness` makes of real servers, beside an independent computation: docs/servers.md.

    matrix.py SURENESS DIR [ROW...]     measures these servers, or all, and writes the page's table

Starts each server from DIR, where scripts/servers/llama-server.sh and vllm.sh keep theirs, and asks
it 20 of the built-in questions through a proxy that notes the prompts. The reference knows nothing
of `sureness`: the distribution over the whole vocabulary of a second llama-server without settings
of its own, or a forward pass in transformers. A row whose software is absent is skipped, and keeps
its line on the page. Needs pyarrow; DIR/litellm-venv, DIR/lcp-venv and DIR/vllm-venv hold what their
rows need (litellm[proxy], llama-cpp-python[server], vLLM with transformers[serving]).
"""

import contextlib
import functools
import http.client
import http.server
import json
import math
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/servers.md"
SAMPLE = 20
LETTERS = "ABCDEF"
# Of llama-server: each of them alone bends what the server samples from.
SAMPLERS = {
    "repeat penalty": ["--repeat-penalty", "1.1"],
    "presence penalty": ["--presence-penalty", "0.5"],
    "dynamic temperature": ["--dynatemp-range", "0.5"],
    "DRY": ["--dry-multiplier", "0.8"],
    "XTC": ["--xtc-probability", "0.5", "--xtc-threshold", "0.05"],
    "Mirostat": ["--mirostat", "2"],
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def post(url, body, timeout=300):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)


class Absent(Exception):
    """Software that a row needs is not here."""


@contextlib.contextmanager
def running(command, port, ready="/v1/models", env=None):
    """A server for as long as the block lasts; gives its address."""
    if shutil.which(str(command[0])) is None:
        raise Absent(command[0])
    log = tempfile.TemporaryFile("w+")
    server = subprocess.Popen(
        [str(part) for part in command],
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(env or {})},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            if server.poll() is not None:
                log.seek(0)
                raise Absent(f"{command[0]} ended: {log.read()[-300:]}")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(address + ready, timeout=2).close()
                break
            time.sleep(0.5)
        else:
            raise Absent(f"{command[0]} does not answer")
        yield address
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        server.kill()


@contextlib.contextmanager
def noting(address):
    """A proxy in front of `address` that notes what is posted; gives its address and the notes."""
    host = address.removeprefix("http://")
    notes = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if body:
                notes.append(json.loads(body))
            server = http.client.HTTPConnection(host, timeout=300)
            server.request(self.command, self.path, body, dict(self.headers))
            answer = server.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = forward

        def log_message(self, *_):
            pass

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}", notes
    finally:
        proxy.shutdown()


def sum_of_spellings(tokens):
    """The log-probability of each letter, over the tokens that are it with or without a space."""
    sums = dict.fromkeys(LETTERS, 0.0)
    for text, logprob in tokens:
        letter = text.removeprefix(" ")
        if letter in sums and math.isfinite(logprob):
            sums[letter] += math.exp(logprob)
    return [math.log(sums[letter]) if sums[letter] else -math.inf for letter in LETTERS]


class WholeVocabulary:
    """llama-server without settings of its own, asked for every token."""

    def __init__(self, address):
        self.address = address
        self.size = json.load(urllib.request.urlopen(address + "/v1/models"))["data"][0]["meta"][
            "n_vocab"
        ]

    def render(self, messages, template):
        return post(f"{template or self.address}/apply-template", {"messages": messages})["prompt"]

    def __call__(self, prompt, cached=False):
        answer = post(
            f"{self.address}/completion",
            {
                "prompt": prompt,
                "n_predict": 1,
                "n_probs": self.size,
                "temperature": 0,
                "cache_prompt": cached,
            },
        )
        top = answer["completion_probabilities"][0]["top_logprobs"]
        return sum_of_spellings((token["token"], token["logprob"]) for token in top)


class ForwardPass:
    """The same weights in transformers, in float32."""

    def __init__(self, python, folder):
        program = """
import json, sys, torch, transformers
tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
texts = [tokenizer.decode([token]) for token in range(len(tokenizer))]
for line in sys.stdin:
    wanted = json.loads(line)
    if isinstance(wanted, list):
        wanted = tokenizer.apply_chat_template(wanted, tokenize=False, add_generation_prompt=True)
    tokens = tokenizer(wanted, add_special_tokens=False, return_tensors="pt")
    with torch.no_grad():
        logprobs = model(**tokens).logits[0, -1].log_softmax(-1).tolist()
    print(json.dumps([[t, p] for t, p in zip(texts, logprobs) if t.strip(" ") in set("ABCDEF")]), flush=True)
"""
        if not pathlib.Path(folder).is_dir():
            raise Absent(folder)
        self.process = subprocess.Popen(
            [python, "-c", program, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def render(self, messages, _):
        return messages

    def __call__(self, prompt):
        self.process.stdin.write(json.dumps(prompt) + "\n")
        self.process.stdin.flush()
        return sum_of_spellings(json.loads(self.process.stdout.readline()))


def questions(folder):
    """The first of the built-in questions, and what a prompt with each of them contains."""
    with open(ROOT / "crates/questions/pack/qa.jsonl") as pack:
        rows = [json.loads(line) for line in pack][-SAMPLE:]
    rows = [{key: row[key] for key in ("id", "question", "options", "answer")} for row in rows]
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path, {str(row["id"]): row["question"] for row in rows}


def prompts_of(note):
    """The prompts of one request as messages, which have a role on the chat route alone."""
    if "messages" in note:
        return [note["messages"]]
    prompts = note.get("prompt") or []
    return [[{"content": text}] for text in ([prompts] if isinstance(prompts, str) else prompts)]


def measure(sureness, address, flags, reference):
    """The cells of one row: what `doctor` says, and how far scores are from the reference."""
    with tempfile.TemporaryDirectory() as name, noting(address) as (proxy, notes):
        folder = pathlib.Path(name)
        data, texts = questions(folder)
        base = ["--api-base", f"{proxy}/v1", *flags]
        doctor = subprocess.run(
            [sureness, "doctor", "--quick", "--output", "json", *base],
            capture_output=True,
            text=True,
        )
        found = verdict(doctor)
        notes.clear()
        run = subprocess.run(
            [sureness, "run", *base, "--data", f"own={data}", "--tasks", "own", "--shots", "0"]
            + ["--prompt-strategies", "base", "--max-workers", "1", "--progress", "none"]
            + ["--output-dir", str(folder / "run")],
            capture_output=True,
            text=True,
        )
        if run.returncode:
            return [*found, f"refused: {first_error(run.stderr)}", "", "", ""]
        marked = [line for line in run.stderr.splitlines() if line.startswith("warning")]
        subprocess.run(
            [sureness, "analyze", str(folder / "run"), "--modes", "basic", "--formats", "parquet"]
            + ["--output-dir", str(folder / "out")],
            capture_output=True,
            check=True,
        )
        rows = pyarrow.parquet.read_table(folder / "out/questions.parquet").to_pylist()
        prompts = [prompt for note in notes for prompt in prompts_of(note)]
        own = WholeVocabulary(address) if found[0].endswith("logit bias") else None
        exact, above, below, noise = 0.0, 0.0, 0.0, 0.0
        for row in rows:
            prompt = next(p for p in prompts if texts[row["id"]] in p[-1]["content"])
            prompt = reference.render(prompt, address) if len(prompt[0]) > 1 else prompt[0]["content"]
            truths = reference(prompt)
            if own:
                again = zip(own(prompt, cached=True), truths)
                noise = max([noise, *(abs(one - other) for one, other in again)])
            for letter, truth in zip(LETTERS, truths):
                ours = row[f"logprob_{letter}"]
                if ours is None:
                    continue
                if not row["bounded"]:
                    exact = max(exact, abs(ours - truth))
                # The bound of an option that was not observed may lie above the truth, not below.
                above, below = max(above, ours - truth), max(below, truth - ours)
        bounded = sum(row["bounded"] for row in rows)
        says = f"bounds for {bounded} of {len(rows)}" if bounded else "exact"
        return [
            *found,
            "; ".join([says, *sorted({mark(line) for line in marked})]),
            f"{exact:.3f}" if bounded < len(rows) else "",
            f"{noise:.3f}" if own else "",
            f"+{above:.2f}, −{below:.3f}" if bounded else "",
        ]


def mark(warning):
    """A warning without the model and the task in front."""
    return re.sub(r"^warning: ([^:]+: )?(own/base: )?", "", warning).split(": the figures")[0]


def verdict(doctor):
    """What `doctor` found: the way of scoring and what it says of it."""
    if doctor.returncode not in (0, 1):
        return ["", first_error(doctor.stderr)]
    found = json.loads(doctor.stdout)
    if found.get("obstacle"):
        return ["", found["obstacle"]["message"]]
    said = [f"trial: letters {100 * trial['mass']:.2g} %, begins with {trial['first']!r}"
            for trial in [found.get("trial")] if trial]
    if own := found.get("own_settings"):
        said.append(f"switched off: {own}")
    return [found["scoring"]["tier"], "; ".join(said)]


def first_error(stderr):
    lines = [line for line in stderr.splitlines() if line.startswith("error")]
    return (lines or [stderr.strip()[-200:]])[0].removeprefix("error: ")


def main():
    sureness, home, *wanted = sys.argv[1:]
    home = pathlib.Path(home).resolve()
    llama = ROOT / "scripts/servers/llama-server.sh"
    vllm = ROOT / "scripts/servers/vllm.sh"
    bin_of = lambda name: home / f"{name}-venv/bin"

    def llama_server(*options):
        port = free_port()
        return running([llama, home, port, "--ctx-size", "4096", "--threads", "1", *options], port, "/health")

    gguf = subprocess.run(
        [llama, home, "--fetch-model"], capture_output=True, text=True, check=True
    ).stdout.strip()

    @contextlib.contextmanager
    def litellm():
        port = free_port()
        with llama_server() as behind, tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            config.write(
                "model_list:\n- model_name: smollm2\n  litellm_params:\n"
                f"    model: text-completion-openai/smollm2\n    api_base: {behind}/v1\n    api_key: none\n"
                "general_settings:\n  dangerously_permit_weak_or_unset_master_key: true\n"
            )
            config.flush()
            command = [bin_of("litellm") / "litellm", "--config", config.name, "--port", port]
            with running(command, port, "/health/liveliness") as address:
                yield address

    def llama_cpp_python():
        port = free_port()
        command = [bin_of("lcp") / "python", "-m", "llama_cpp.server", "--model", gguf]
        command += ["--model_alias", "smollm2", "--n_ctx", "2048", "--logits_all", "true"]
        return running([*command, "--port", port], port)

    def vllm_server(*options):
        port = free_port()
        return running([vllm, home, port, "--dtype", "float32", *options], port)

    def transformers_serve():
        port = free_port()
        command = [bin_of("vllm") / "transformers", "serve", home / "vllm-model"]
        # Where the hub's cache folder does not exist, its list of models ends with HTTP 500.
        cache = tempfile.mkdtemp()
        command += ["--host", "127.0.0.1", "--port", port]
        return running(command, port, "/health", {"HF_HUB_CACHE": cache})

    rows = {"llama-server": (llama_server, [], "vocabulary")}
    for name, options in SAMPLERS.items():
        rows[f"llama-server, {name}"] = (
            lambda options=options: llama_server(*options),
            [],
            "vocabulary",
        )
    rows["llama-server, chat"] = (llama_server, ["--chat"], "vocabulary")
    rows["llama-server, thinking template"] = (
        lambda: llama_server("--chat-template-file", ROOT / "scripts/servers/thinking.jinja"),
        ["--chat"],
        "vocabulary",
    )
    rows["vLLM"] = (vllm_server, [], "transformers")
    rows["vLLM, processed, repetition penalty"] = (
        lambda: vllm_server(
            "--logprobs-mode",
            "processed_logprobs",
            "--override-generation-config",
            '{"repetition_penalty": 1.2}',
        ),
        [],
        "transformers",
    )
    rows["llama-cpp-python"] = (llama_cpp_python, [], "vocabulary")
    rows["LiteLLM before llama-server"] = (litellm, [], "vocabulary")
    rows["transformers serve"] = (transformers_serve, ["--model", str(home / "vllm-model")], "transformers")

    with llama_server("--parallel", "1") as plain:
        reference = functools.cache(
            lambda kind: WholeVocabulary(plain)
            if kind == "vocabulary"
            else ForwardPass(bin_of("vllm") / "python", home / "vllm-model")
        )
        for name, (start, flags, kind) in rows.items():
            if wanted and not any(part in name for part in wanted):
                continue
            try:
                with start() as address:
                    cells = measure(sureness, address, flags, reference(kind))
            except Absent as missing:
                print(f"skipped: {name}: {missing}", file=sys.stderr)
                continue
            write(name, cells)


def write(name, cells):
    """Puts a row into the page's table, in place of the one of that name."""
    cells = [re.sub(r"http://127\.0\.0\.1:\d+", "URL", cell) for cell in cells]
    row = "| " + " | ".join([name, *(cell.replace("|", "/").replace("\n", " ") for cell in cells)]) + " |"
    print(row, flush=True)
    before, begin, rest = PAGE.read_text().partition("<!-- matrix -->\n")
    table, end, after = rest.partition("<!-- /matrix -->")
    lines = [line for line in table.splitlines() if not line.startswith(f"| {name} |")]
    PAGE.write_text(before + begin + "\n".join([*lines, row]) + "\n" + end + after)


if __name__ == "__main__":
    main()
