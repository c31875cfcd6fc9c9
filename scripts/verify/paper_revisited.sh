#!/usr/bin/env bash
# Prints the tables of docs/paper-revisited.md: the published QA columns of four models, with
# intervals of both halves.
#
#   paper_revisited.sh PAPER           prints them as Markdown
#   paper_revisited.sh PAPER --check   says whether the page has them as they are
#
# PAPER is the folder with the published logits, mmlu_10k.json and published_qa.csv. Runs the binary
# that $SURENESS names, else the release binary (make build). Fails where a published figure is not
# met to its last digit.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

if (($# < 1 || $# > 2)) || [[ ${2:---check} != --check ]]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
paper=$1
sureness=${SURENESS:-$root/${CARGO_TARGET_DIR:-target}/release/sureness}
if [[ ! -x $sureness ]]; then
    printf 'paper_revisited: %s is not there\nhint: make build, or name a binary in SURENESS\n' "$sureness" >&2
    exit 1
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$sureness" analyze --protocol paper --modes comparative basic prompt --splits 1 \
    --questions "$paper/mmlu_10k.json" "$paper"/logits/*_mmlu_10k_*_icl1.pkl \
    --output-dir "$out" --formats json >"$out/log" 2>&1 || {
    cat "$out/log" >&2
    exit 1
}

tables() {
    python3 - "$out/report.json" "$paper/published_qa.csv" "$paper/published_qa_appendix.json" <<'PYTHON'
import csv
import json
import sys

report, columns, appendix = sys.argv[1:]
document = json.load(open(report))
published = {row["logits_prefix"]: row for row in csv.DictReader(open(columns))}
names = {prefix: row["model"] for prefix, row in published.items()}
by_score = json.load(open(appendix))
tables = {table["id"]: table for section in document["sections"] for table in section["tables"]}
missed = []


def rows(table):
    keys = [column["key"] for column in table["columns"]]
    for row in table["rows"]:
        yield dict(zip(keys, row))


def value(cell):
    return cell["figure"]["value"]


def estimate(cell, scale=100, sign=""):
    figure = cell["figure"]
    parts = [f"{scale * figure[key]:{sign}.2f}" for key in ("value", "low", "high")]
    return "{} [{}, {}]".format(*parts).replace("-", "−")


def p(cell):
    return "<0.001" if value(cell) < 0.001 else f"{value(cell):.3f}"


def check(what, ours, theirs):
    """A published figure, which must be ours rounded."""
    if abs(ours - float(theirs)) > 0.005 + 1e-9:
        missed.append(f"{what}: {ours:.4f} here, {theirs} there")
    return f"{float(theirs):.2f}"


def table(title, text, numbers, lines):
    print(f"**{title}**\n")
    print("| " + " | ".join([*text, *numbers]) + " |")
    print("|" + "---|" * len(text) + "--:|" * len(numbers))
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


lines = []
for row in rows(tables["leaderboard"]):
    model = row["model"]["text"]
    theirs = published[model]
    line = [names[model], row["ranks"]["text"]]
    for key, column, scale in [("acc", "acc", 100), ("set_size", "ss", 1), ("uacc", "uacc", 100)]:
        line += [check(f"{model} {column}", scale * value(row[key]), theirs[column]), estimate(row[key], scale)]
    lines.append([*line, estimate(row["coverage"])])
table(
    "Means over the three strategies and both scores: as published, and with 95 % intervals",
    ["Model", "Rank by UAcc"],
    ["Acc %", "here", "SS", "here", "UAcc %", "here", "Coverage %, here"],
    lines,
)

cells = [t for name, t in tables.items() if name.startswith("figures-")]
lines, detail = [], []
for of_model in sorted(cells, key=lambda t: list(published).index(t["title"])):
    model = of_model["title"]
    groups = list(rows(of_model))
    for score in ("lac", "aps"):
        mean = {key: sum(value(row[f"{score}_{key}"]) for row in groups) / len(groups) for key in ("set_size", "coverage", "uacc")}
        theirs = by_score[model]
        printed = [
            check(f"{model} {name}_{score}", scale * mean[key], theirs[f"{name}_{score}"]) if f"{name}_{score}" in theirs else "–"
            for name, key, scale in [("ss", "set_size", 1), ("cr", "coverage", 100)]
        ]
        lines.append([
            names[model], score.upper(),
            printed[0], f"{mean['set_size']:.2f}", printed[1], f"{100 * mean['coverage']:.2f}", f"{100 * mean['uacc']:.2f}",
        ])
        for row in groups:
            detail.append([
                names[model], score.upper(), row["strategy"]["text"].replace("_", " "),
                estimate(row[f"{score}_set_size"], 1), estimate(row[f"{score}_coverage"]), estimate(row[f"{score}_uacc"]),
            ])
table("By score, means over the three strategies", ["Model", "Score"], ["SS", "here", "Coverage %", "here", "UAcc %, here"], lines)
table("By score and strategy, with 95 % intervals", ["Model", "Score", "Strategy"], ["SS", "Coverage %", "UAcc %"], detail)

lines = []
for row in rows(tables["differences"]):
    line = [f"{names[row['first']['text']]} − {names[row['second']['text']]}"]
    for key, scale in [("uacc", 100), ("set_size", 1), ("acc", 100)]:
        line += [estimate(row[key], scale, "+"), p(row[f"{key}_p"])]
    lines.append(line)
table(
    "Paired differences, with 95 % intervals; p adjusted after Holm for all pairs",
    ["Pair"], ["ΔUAcc, points", "p", "ΔSS", "p", "ΔAcc, points", "p"], lines,
)

lines = []
for row in sorted(rows(tables["prompts"]), key=lambda row: list(published).index(row["model"]["text"])):
    pair = f"{row['first']['text']} − {row['second']['text']}".replace("_", " ")
    line = [names[row["model"]["text"]], pair, f"{100 * value(row['changed']):.1f}"]
    for key, scale in [("uacc", 100), ("set_size", 1), ("acc", 100)]:
        line += [estimate(row[key], scale, "+"), p(row[f"{key}_p"])]
    lines.append(line)
table(
    "Prompt strategies of one model, paired; p not adjusted",
    ["Model", "Strategies"], ["Answers changed %", "ΔUAcc, points", "p", "ΔSS", "p", "ΔAcc, points", "p"], lines,
)
print(f"{document['method']}.")
if missed:
    sys.exit("published figures that are not met:\n" + "\n".join(missed))
PYTHON
}

tables >"$out/tables.md"
if [[ ${2:-} != --check ]]; then
    cat "$out/tables.md"
    exit
fi
python3 - "$out/tables.md" "$root/docs/paper-revisited.md" <<'PYTHON'
import sys

tables, page = (open(path).read() for path in sys.argv[1:])
blocks = [block.strip() for block in tables.split("\n\n")]
absent = [block for block in blocks if block not in page]
for block in absent:
    print(f"not in docs/paper-revisited.md:\n{block}\n")
print(f"{len(blocks) - len(absent)} of {len(blocks)} pieces of the output stand on the page")
sys.exit(bool(absent))
PYTHON
