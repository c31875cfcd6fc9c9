#!/usr/bin/env python3
"""Writes the ten made-up questions below in every layout of the table.

    make.py FOLDER            JSON lines, one file per layout
    make.py FOLDER --parquet  and the same as Parquet, written by pyarrow

Each function gives a question the columns that its data set has on the hub, those included that are
not read.
"""

import csv
import json
import sys
from pathlib import Path

# Category, question, four options, the place of the right one, a passage.
TABLE = """\
botany|Which part of a fern carries its spores?|Frond/Root hair/Thorn/Petal|0|Ferns bear no flowers. Their spores sit below the fronds.
botany|What does the lamp moss of the tale live on?|Chalk/Dew/Ash/Salt|1|The lamp moss drinks dew and glows at dusk.
tools|Which tool cuts along the grain?|File/Mallet/Rip saw/Awl|2|A rip saw has teeth like chisels. It follows the grain.
tools|What holds the board in the story?|A nail/A rope/A stone/A clamp|3|Ola laid the board down and turned the clamp tight.
harbour|Why does the ferry wait?|For the tide/For coal/For snow/For mail|0|The ferry lies still until the tide comes in.
harbour|Who rings the bell at noon?|The cook/The pilot/The clerk/The guard|1|At noon the pilot rings the bell, and the boats turn.
harbour|How many masts has the Heron?|1/2/3/4|2|The Heron has three masts, the Tern only two.
weather|What comes before the hail here?|Fog/Frost/Dew/A green sky|3|The sky turns green, and soon the hail falls.
weather|Which cloud is the highest?|Cirrus/Stratus/Fog/Cumulus|0|Cirrus drifts far above the others.
weather|When does the north wind rest?|In May/At dawn/On Sunday/Never|1|At dawn the north wind rests, and the mill stands.
"""
QUESTIONS = [
    (category, question, options.split("/"), int(right), passage)
    for category, question, options, right, passage in (row.split("|") for row in TABLE.splitlines())
]
LETTERS = "ABCD"


def lists(options, labels=LETTERS):
    return {"text": options, "label": list(labels)}


def wrong(options, right):
    return [option for place, option in enumerate(options) if place != right]


def prefixed(options):
    return [f"({letter}){option}" for letter, option in zip(LETTERS, options)]


def columns(names, options):
    return dict(zip(names, options))


def query(q):
    return f"Q: {q[1]} Answer Choices: {' '.join(prefixed(q[2]))}\nA: Among A through D, the answer is"


def exam(q, question="question", answer="answer"):
    """A question with a column per letter."""
    return {question: q[1], **columns(LETTERS, q[2]), answer: LETTERS[q[3]]}


def arc_label(n, right):
    """A few rows of ARC number their options."""
    return ("1234" if n == 3 else LETTERS)[right]


LAYOUTS = {
    "mmlu-hub": lambda n, q: {
        "question": q[1], "subject": q[0], "choices": q[2], "answer": q[3]},
    "mmlu-redux": lambda n, q: {
        "question": q[1], "choices": q[2], "answer": q[3], "error_type": "ok", "source": None,
        "correct_answer": None, "potential_reason": None},
    "mmlu-pro": lambda n, q: {
        "question_id": 70 + n, "question": q[1], "options": q[2], "answer": LETTERS[q[3]],
        "answer_index": q[3], "cot_content": "", "category": q[0], "src": "made up"},
    "mmmlu": lambda n, q: {
        "Unnamed: 0": n, **exam(q, "Question", "Answer"), "Subject": q[0]},
    "cmmlu": lambda n, q: exam(q, "Question", "Answer"),
    "ceval": lambda n, q: {"id": n, **exam(q), "explanation": ""},
    "global-mmlu": lambda n, q: {
        "sample_id": f"{q[0]}/test/{n}", "subject": q[0], "subject_category": "STEM",
        "question": q[1], **columns(["option_a", "option_b", "option_c", "option_d"], q[2]),
        "answer": LETTERS[q[3]], "required_knowledge": None, "time_sensitive": None,
        "reference": None, "culture": None, "region": None, "country": None,
        "cultural_sensitivity_label": "CA", "is_annotated": True},
    "supergpqa": lambda n, q: {
        "uuid": f"{n:032x}", "question": q[1], "options": q[2], "answer": q[2][q[3]],
        "answer_letter": LETTERS[q[3]], "discipline": "Made up", "field": q[0],
        "subfield": "None", "difficulty": "easy", "is_calculation": False},
    "gpqa": lambda n, q: {
        "Record ID": f"rec{n}", "Question": q[1], "Correct Answer": q[2][q[3]],
        **{f"Incorrect Answer {k + 1}": text for k, text in enumerate(wrong(q[2], q[3]))},
        "Explanation": q[4], "High-level domain": q[0], "Subdomain": "None"},
    "commonsense-qa": lambda n, q: {
        "id": f"{n:032x}", "question": q[1], "question_concept": q[0], "choices": lists(q[2]),
        "answerKey": LETTERS[q[3]]},
    "arc": lambda n, q: {
        "id": f"made_{n}", "question": q[1],
        "choices": lists(q[2], "1234" if n == 3 else LETTERS), "answerKey": arc_label(n, q[3])},
    "arc-original": lambda n, q: {
        "id": f"made_{n}", "answerKey": LETTERS[q[3]],
        "question": {"stem": q[1], "choices": [
            {"text": text, "label": label} for text, label in zip(q[2], LETTERS)]}},
    "openbookqa": lambda n, q: {
        "id": f"7-{n}", "question_stem": q[1], "choices": lists(q[2]),
        "answerKey": LETTERS[q[3]]},
    "medqa": lambda n, q: {
        "question": q[1], "answer": q[2][q[3]], "options": columns(LETTERS, q[2]),
        "meta_info": "step1", "answer_idx": LETTERS[q[3]], "metamap_phrases": ["made up"]},
    "medqa-endings": lambda n, q: {
        "id": f"test-{n:05}", "sent1": q[1], "sent2": "",
        **columns(["ending0", "ending1", "ending2", "ending3"], q[2]), "label": q[3]},
    "medmcqa": lambda n, q: {
        "id": f"{n:08x}-made", "question": q[1], **columns(["opa", "opb", "opc", "opd"], q[2]),
        "cop": q[3], "choice_type": "single", "exp": None, "subject_name": q[0],
        "topic_name": None},
    "truthfulqa": lambda n, q: {
        "question": q[1],
        "mc1_targets": {"choices": [q[2][q[3]], *wrong(q[2], q[3])], "labels": [1, 0, 0, 0]},
        "mc2_targets": {"choices": [q[2][q[3]], *wrong(q[2], q[3])], "labels": [1, 0, 0, 0]}},
    "halueval-qa": lambda n, q: {
        "knowledge": q[4], "question": q[1], "right_answer": q[2][q[3]],
        "hallucinated_answer": wrong(q[2], q[3])[0]},
    "agieval": lambda n, q: {
        "query": query(q), "choices": prefixed(q[2]), "gold": [q[3]]},
    "agieval-original": lambda n, q: {
        "passage": q[4], "question": q[1], "options": prefixed(q[2]), "label": LETTERS[q[3]],
        "other": None},
    "race": lambda n, q: {
        "example_id": "high1.txt", "article": q[4], "answer": LETTERS[q[3]], "question": q[1],
        "options": q[2]},
    "quality": lambda n, q: {
        "article": q[4], "question": q[1], "options": q[2], "answer": q[3], "hard": n % 2 == 0},
    "quality-original": lambda n, q: {
        "article_id": str(5000 + n), "source": "made up", "article": q[4], "questions": [
            {"question": q[1], "question_unique_id": f"{5000 + n}_1", "options": q[2],
             "writer_label": q[3] + 1, "gold_label": q[3] + 1, "difficult": n % 2}]},
    "sciq": lambda n, q: {
        "question": q[1], "distractor3": wrong(q[2], q[3])[2],
        "distractor1": wrong(q[2], q[3])[0], "distractor2": wrong(q[2], q[3])[1],
        "correct_answer": q[2][q[3]], "support": q[4]},
    "boolq": lambda n, q: {"question": q[1], "answer": q[3] < 2, "passage": q[4]},
    "boolq-superglue": lambda n, q: {
        "question": q[1], "passage": q[4], "idx": n, "label": int(q[3] < 2)},
    "pubmedqa": lambda n, q: {
        "pubid": 9000 + n, "question": q[1],
        "context": {"contexts": q[4].split(" ", 1), "labels": ["AIM", "RESULT"], "meshes": ["Made"]},
        "long_answer": q[4], "final_decision": ["yes", "no", "maybe", "no"][q[3]]},
    "logiqa": lambda n, q: {
        "context": q[4], "query": q[1], "options": q[2], "correct_option": q[3]},
    "logiqa-letters": lambda n, q: {
        "label": LETTERS[q[3]].lower(), "context": q[4], "question": q[1], "options": q[2]},
    "reclor": lambda n, q: {
        "context": q[4], "question": q[1], "answers": q[2], "label": q[3],
        "id_string": f"val_{n}"},
    "winogrande": lambda n, q: {
        "sentence": q[1], "option1": q[2][0], "option2": q[2][1], "answer": str(1 + q[3] % 2)},
    "piqa": lambda n, q: {
        "goal": q[1], "sol1": q[2][0], "sol2": q[2][1], "label": q[3] % 2},
    "social-iqa": lambda n, q: {
        "context": q[4], "question": q[1], "answerA": q[2][0], "answerB": q[2][1],
        "answerC": q[2][2], "label": str(1 + q[3] % 3)},
    "bbq": lambda n, q: {
        "example_id": n, "question_index": "1", "question_polarity": "neg",
        "context_condition": "ambig", "category": q[0],
        "answer_info": {f"ans{k}": [q[2][k], "made"] for k in range(3)}, "context": q[4],
        "question": q[1], "ans0": q[2][0], "ans1": q[2][1], "ans2": q[2][2], "label": q[3] % 3},
}  # fmt: skip


def rows(layout):
    return [LAYOUTS[layout](n, question) for n, question in enumerate(QUESTIONS)]


def main():
    folder = Path(sys.argv[1]).resolve()
    for layout in LAYOUTS:
        with open(folder / f"{layout}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(layout))
        if "--parquet" in sys.argv:
            import pyarrow
            import pyarrow.parquet

            table = pyarrow.Table.from_pylist(rows(layout))
            pyarrow.parquet.write_table(table, folder / f"{layout}.parquet")
    if "--parquet" in sys.argv:
        # The small MMLU beside this folder as the hub has it.
        small = folder.parent / "mmlu"
        for split in ("dev", "test"):
            hub = []
            for path in sorted((small / split).glob("*.csv")):
                subject = path.stem.removesuffix(f"_{split}")
                with open(path, encoding="utf-8", newline="") as file:
                    hub += [
                        {"question": row[0], "subject": subject, "choices": row[1:5],
                         "answer": LETTERS.index(row[5])}
                        for row in csv.reader(file)
                    ]  # fmt: skip
            target = folder.parent / "mmlu_hub"
            target.mkdir(exist_ok=True)
            table = pyarrow.Table.from_pylist(hub)
            pyarrow.parquet.write_table(table, target / f"{split}-00000-of-00001.parquet")
        table = pyarrow.Table.from_pylist(rows("piqa"))
        pyarrow.parquet.write_table(table, folder / "brotli.parquet", compression="brotli")
        # A fault far down, in the second of two row groups.
        faulty = (rows("mmlu-hub") * 1000)[:9900]
        faulty[9811] = {**faulty[9811], "answer": 4}
        table = pyarrow.Table.from_pylist(faulty)
        pyarrow.parquet.write_table(
            table, folder / "out_of_range.parquet", row_group_size=5000, compression="zstd"
        )


if __name__ == "__main__":
    main()
