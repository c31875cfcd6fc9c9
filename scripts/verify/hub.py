"""Holds the hub of the tests, and the cache that the binary writes, against Python's huggingface_hub.

    hub.py SURENESS

`huggingface_hub` downloads files from scripts/servers/hub.py, and the binary finds them in the cache
offline; then the other way round. Both name the same commit, paths and errors.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SURENESS = Path(sys.argv[1]).resolve()
REPO, COMMIT = "own/set", "0123456789abcdef0123456789abcdef01234567"
CARD = """---
configs:
- config_name: all
  data_files:
  - split: test
    path: "all/test 1.jsonl"
  - split: dev
    path: all/dev.csv
---
"""


def sureness(line, cache, **env):
    folder = {"PATH": os.environ["PATH"], "SURENESS_HOME": str(cache.parent / "home")}
    env = {**folder, "HF_ENDPOINT": ENDPOINT, "HF_HUB_CACHE": str(cache), **env}
    done = subprocess.run([SURENESS, *line.split()], env=env, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def tree(cache):
    """What a cache holds, but for locks."""
    files = [path for path in cache.rglob("*") if not path.is_dir() and path.suffix != ".lock"]
    names = [str(path.relative_to(cache)) for path in files]
    return sorted(name for name in names if not name.startswith((".locks", "CACHEDIR")))


def fails(kind, call):
    try:
        call()
    except kind:
        return
    sys.exit(f"{kind.__name__} expected")


with tempfile.TemporaryDirectory() as top:
    top = Path(top)
    rows = [
        json.dumps({"question": f"{n}?", "choices": ["a", "b", "c", "d"], "answer": n % 4})
        for n in range(20)
    ]
    files = {
        "README.md": CARD,
        "all/test 1.jsonl": "\n".join(rows[5:]),
        "all/dev.csv": "question,A,B,C,D,answer\n" + "".join(f"{n}!,a,b,c,d,A\n" for n in range(5)),
    }
    for commit in (COMMIT, "1" * 40):
        for name, text in files.items():
            path = top / "hub" / REPO / commit / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    about = {"refs": {"main": COMMIT, "v1": "1" * 40}, "lfs": [".jsonl"]}
    sets = {REPO: about, "own/gated": {**about, "gated": "manual"}}
    (top / "hub/own/gated").symlink_to(top / "hub" / REPO)
    (top / "hub/hub.json").write_text(json.dumps(sets))
    script = HERE.parent / "servers/hub.py"
    hub = subprocess.Popen(
        [sys.executable, script, top / "hub"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        ENDPOINT = hub.stdout.readline().strip()
        os.environ.update(HF_ENDPOINT=ENDPOINT, HF_HUB_DISABLE_PROGRESS_BARS="1")
        os.environ["HF_HUB_DISABLE_XET"] = "1"
        import huggingface_hub
        from huggingface_hub import errors, hf_hub_download

        def python(name, cache, repo=REPO, **more):
            path = hf_hub_download(repo, name, repo_type="dataset", cache_dir=cache, **more)
            return Path(path)

        # From Python to the binary.
        first = top / "first"
        for name, text in files.items():
            path = python(name, first)
            assert path.read_text() == text, name
            assert path.relative_to(first).parts[:3] == ("datasets--own--set", "snapshots", COMMIT)
        log = top / "hub/requests.log"
        before = log.read_text()
        code, out, err = sureness("data fetch own/set:all/test", first, HF_HUB_OFFLINE="1")
        assert code == 0, err
        assert str(first / "datasets--own--set/snapshots" / COMMIT / "all/test 1.jsonl") in out, out
        assert log.read_text() == before, "requests were made"

        # From the binary to Python.
        second = top / "second"
        code, out, err = sureness("data fetch own/set:all/test", second)
        assert code == 0, err
        python("all/dev.csv", second)
        before = log.read_text()
        for name, text in files.items():
            path = python(name, second, local_files_only=True)
            assert path.read_text() == text, name
        assert log.read_text() == before, "requests were made"
        assert tree(first) == tree(second), (tree(first), tree(second))
        cached = huggingface_hub.scan_cache_dir(second)
        assert not cached.warnings, cached.warnings
        (repo,) = cached.repos
        assert set(repo.refs) == {"main"}, repo.refs
        info = huggingface_hub.HfApi().dataset_info(REPO, files_metadata=True)
        assert info.sha == COMMIT and len(info.siblings) == len(files)

        # The same errors for the same reasons.
        third = top / "third"
        fails(errors.RevisionNotFoundError, lambda: python("README.md", third, revision="v9"))
        assert "no revision v9" in sureness("data fetch own/set@v9", third)[2]
        fails(errors.RepositoryNotFoundError, lambda: python("README.md", third, repo="own/none"))
        assert "no such data set" in sureness("data fetch own/none", third)[2]
        fails(errors.GatedRepoError, lambda: python("README.md", third, repo="own/gated"))
        assert "restricted" in sureness("data fetch own/gated", third)[2]
        python("README.md", third, repo="own/gated", token="hf_right")
        code, out, err = sureness("data fetch own/gated:all/test", third, HF_TOKEN="hf_right")
        assert code == 0 and "hf_right" not in out + err, err
    finally:
        hub.terminate()
print(f"the hub's cache: huggingface_hub {huggingface_hub.__version__} and the binary find each other's files")
