"""The rules every file of the pack must keep. Each check yields messages, none when all is well."""

import re
from collections import Counter
from itertools import combinations

from item import LETTERS

MINIMUM = 240
EXAMPLES = {"qa": 5, "rc": 5, "ci": 5, "drs": 3, "ds": 1}
WORDS = {"rc": (60, 140), "ds": (90, 180)}
TURNS = (3, 6)
MAX_BYTES = 2_000_000
LONGEST_SHARE = 0.35
ABSTENTIONS = re.compile(
    r"don['’]t know|(none|all|both|neither|any) of (the (above|others|options)|these)\b|not enough information|not sure"
    r"|cannot be (known|determined)|impossible to (say|tell)",
    re.IGNORECASE,
)
SEAMS = re.compile(r"[{}|]|  |\ba (?=[aeio]\w)|\ban (?=[bcdfgjklmnpqrstvwxyz]\w)| [.,;?!]|\.\.|,\.")
SEAM_EXCEPTIONS = re.compile(r"\ba (one|once|union|unit\w*|uni\w+|use\w*|euro\w*|European)\b|\ban (X|x|MRI|hour)")


def broken(task, lines):
    """Everything wrong with one task's lines."""
    real = [line for line in lines if not line.get("example")]
    yield from _counts(task, lines, real)
    for line in lines:
        yield from _line(task, line)
    yield from _twins(lines)
    yield from _letters(task, real)
    yield from _lengths(task, real)


def _counts(task, lines, real):
    if len(real) < MINIMUM:
        yield f"{task}: {len(real)} questions, at least {MINIMUM} are needed"
    examples = len(lines) - len(real)
    if examples != EXAMPLES[task]:
        yield f"{task}: {examples} worked examples, there must be {EXAMPLES[task]}"
    repeated = [key for key, n in Counter(line["id"] for line in lines).items() if n > 1]
    if repeated:
        yield f"{task}: ids used twice: {', '.join(repeated)}"


def _line(task, line):
    name, options = line["id"], line["options"]
    if line["level"] not in (1, 2, 3):
        yield f"{name}: level {line['level']} is not 1, 2 or 3"
    if len(options) != 4 or line["answer"] not in LETTERS:
        yield f"{name}: needs four options and an answer from A to D"
    if len({option.casefold().rstrip(".") for option in options}) != len(options):
        yield f"{name}: an option is there twice"
    if any(ABSTENTIONS.search(option) for option in options):
        yield f"{name}: an option abstains; the program adds those itself"
    if ("context" in line) == (task == "qa"):
        yield f"{name}: a context belongs to every task but qa"
    for text in [line.get("context", ""), line["question"], *options]:
        seam = SEAMS.search(SEAM_EXCEPTIONS.sub("x", text))
        if seam:
            yield f"{name}: suspicious text near '{text[max(0, seam.start() - 15):seam.end() + 15]}'"
    if task in WORDS:
        least, most = WORDS[task]
        count = len(line["context"].split())
        if not least <= count <= most:
            yield f"{name}: {count} words of context, wanted {least} to {most}: {line['context'][:60]}"
    if task == "drs":
        turns = sum(not turn.startswith("[") for turn in line["context"].split("\n"))
        if not TURNS[0] <= turns <= TURNS[1]:
            yield f"{name}: {turns} turns, wanted {TURNS[0]} to {TURNS[1]}"


def _twins(lines):
    """Two items that ask the same, or differ by a single word of context and question."""
    bags = [
        Counter(re.findall(r"[\w'’.]+", f"{line.get('context', '')} {line['question']}".casefold()))
        for line in lines
    ]
    for (first, one), (second, two) in combinations(zip(lines, bags), 2):
        if abs(one.total() - two.total()) > 1:
            continue
        if (one - two).total() <= 1 and (two - one).total() <= 1:
            yield f"{first['id']} and {second['id']} differ by one word at most: {first['question']}"


def _letters(task, real):
    for letter in LETTERS:
        share = sum(line["answer"] == letter for line in real) / max(1, len(real))
        if not 0.24 <= share <= 0.26:
            yield f"{task}: {letter} is right in {share:.1%} of the questions, wanted 24 to 26 %"
        for level in {line["level"] for line in real}:
            group = [line["answer"] == letter for line in real if line["level"] == level]
            if len(group) >= 40 and not 0.2 <= sum(group) / len(group) <= 0.3:
                yield f"{task}: {letter} is too frequent or too rare at level {level}"
    for lag in range(1, 5):
        pairs = list(zip(real, real[lag:]))
        same = sum(a["answer"] == b["answer"] for a, b in pairs) / max(1, len(pairs))
        if not 0.15 <= same <= 0.35:
            yield f"{task}: the answer {lag} lines on is the same in {same:.0%} of the cases"


def _lengths(task, real):
    for what, extreme in (("longest", max), ("shortest", min)):
        count = 0
        for line in real:
            sizes = [len(option) for option in line["options"]]
            own = sizes[LETTERS.index(line["answer"])]
            count += own == extreme(sizes) and sizes.count(own) == 1
        share = count / max(1, len(real))
        if share > LONGEST_SHARE:
            yield f"{task}: the right option is the {what} in {share:.0%}, at most 35 % are allowed"
