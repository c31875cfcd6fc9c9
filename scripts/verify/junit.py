#!/usr/bin/env python3
"""Holds the gate's JUnit output against the schema that Jenkins reads reports by.

    junit.py SURENESS FOLDER
    junit.py --fetch FOLDER      only brings the schema

The schema is that of Jenkins' xUnit plugin (junit-10.xsd), which pytest's own tests use; it is taken from
pytest's source package into FOLDER. What it does not say is checked here: that the numbers of a suite are
those of its tests, and that the failures agree with the exit code. Names have characters that XML reserves.
"""

import json
import random
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from lxml import etree

SOURCE = "pytest==8.4.2"
MEMBER = "testing/example_scripts/junit-10.xsd"
QUESTIONS = 1500
LETTERS = "ABCD"


def schema(folder):
    """The schema, fetched once."""
    path = folder / "junit-10.xsd"
    if not path.exists():
        with tempfile.TemporaryDirectory() as download:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                            "--disable-pip-version-check", "--no-binary", ":all:", "-d", download, SOURCE],
                           check=True)
            [archive] = Path(download).glob("*.tar.gz")
            with tarfile.open(archive) as tar:
                [member] = [name for name in tar.getnames() if name.endswith(MEMBER)]
                path.write_bytes(tar.extractfile(member).read())
    return etree.XMLSchema(etree.parse(path))


def write_models(folder):
    """An answer key, and models that answer a share of questions right."""
    key = [{"id": id, "answer": LETTERS[id % 4]} for id in range(QUESTIONS)]
    (folder / "key.json").write_text(json.dumps(key))
    for name, right in [("base", 70), ("same", 70), ("worse", 40), ('a<b&"c\'>', 70)]:
        draws = random.Random(1)
        with open(folder / f"{name}_mmlu_10k_base_icl1.jsonl", "w") as file:
            for id in range(QUESTIONS):
                logits = [2 * draws.random() for _ in range(6)]
                logits[id % 4 if id % 100 < right else (id + 1) % 4] = 2 + 2 * draws.random()
                file.write(json.dumps({"id": id, "logits_options": logits}) + "\n")


def check(schema, document, code, fails):
    """Whether a document meets the schema and its exit code."""
    tree = etree.fromstring(document)
    schema.assertValid(tree)
    [suite] = tree.findall("testsuite")
    cases = suite.findall("testcase")
    number = {
        "tests": len(cases),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    said = {name: int(suite.get(name)) for name in number}
    assert said == number, f"the suite says {said}, and has {number}"
    assert len({case.get("name") for case in cases}) == len(cases), "two tests have one name"
    assert (number["failures"] > 0) == fails, f"exit code {code} with {number}"


def main():
    folder = Path(sys.argv[2])
    valid = schema(folder)
    if sys.argv[1] == "--fetch":
        return
    sureness = Path(sys.argv[1]).resolve()
    # A schema that takes everything would show nothing.
    assert not valid.validate(etree.fromstring("<testsuites><testsuite><testcase/></testsuite></testsuites>"))
    early = ["--until", "gate"]
    runs = [
        ("same", "acc=2pp,size=0.2,uacc=5pp,coverage=9pp,ece=5pp", [], 0, False),
        ("worse", "acc=2pp,size=0.2", [], 3, True),
        ("worse", "acc=2pp,size=0.2", early, 3, True),
        ("same", "acc=2pp", early, 0, False),
        ('a<b&"c\'>', "acc=0.01pp", [], 4, True),
        ('a<b&"c\'>', "acc=0.01pp", ["--undecided", "pass"], 0, False),
        ("same", "acc=2pp,size=0.2", [*early, "--max-questions", "30"], 4, True),
        ("same", "acc=2pp,size=0.2", [*early, "--max-questions", "30", "--undecided", "pass"], 0, False),
        ("same", "acc=2pp", ["--per-task"], 0, False),
    ]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        write_models(scratch)
        for candidate, margin, flags, code, fails in runs:
            paths = [f"{name}_mmlu_10k_base_icl1.jsonl" for name in ["base", candidate]]
            command = ["compare", "--logits"] if flags[:1] == ["--until"] else ["gate"]
            command = [sureness, *command, *paths, "--questions", "key.json", "--drop-ids", "none",
                       "--margin", margin, "--output", "junit", *flags]
            done = subprocess.run(command, cwd=scratch, capture_output=True, check=False)
            assert done.returncode == code, (command, done)
            check(valid, done.stdout, code, fails)
    print(f"{len(runs)} JUnit documents meet junit-10.xsd, and agree with their exit codes")


main()
