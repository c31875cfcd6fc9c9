"""Asks the questions of questions.jsonl with vLLM's own tools, which write the files beside this one.

    python vllm.py MODEL FOLDER requests     the batch's requests
    vllm run-batch -i FOLDER/requests.jsonl -o FOLDER/results.jsonl --model MODEL
    python vllm.py MODEL FOLDER offline      the offline engine's outputs
"""

import json
import pathlib
import sys

model, folder, action = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
here = pathlib.Path(__file__).parent
questions = [json.loads(line) for line in (here / "questions.jsonl").open()]


def prompt(question):
    options = zip("ABCD", question["options"])
    lines = [question["question"], *(f"{letter}. {text}" for letter, text in options)]
    return "\n".join(lines)


def write(name, rows):
    with (folder / name).open("w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def requests():
    def chat(question, **more):
        return {
            "custom_id": question["id"],
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": model,
                "messages": [
                    {"role": "system", "content": "Answer with the letter of the right option."},
                    {"role": "user", "content": prompt(question)},
                ],
                "max_completion_tokens": 1,
                "temperature": 0,
                "logprobs": True,
                "top_logprobs": 8,
                **more,
            },
        }

    # The last request of the first batch fails: more tokens than vLLM lists.
    chats = [chat(question) for question in questions[:-1]]
    write("requests.jsonl", [*chats, chat(questions[-1], top_logprobs=100)])


def offline():
    import vllm

    engine = vllm.LLM(model, dtype="bfloat16", max_model_len=1024, enforce_eager=True)
    settings = vllm.SamplingParams(temperature=0, max_tokens=1, logprobs=8)
    flat = vllm.SamplingParams(temperature=0, max_tokens=1, logprobs=8, flat_logprobs=True)
    prompts = [prompt(question) + "\nAnswer:" for question in questions]
    messages = [[{"role": "user", "content": prompt(question)}] for question in questions]
    rows = lambda outputs: [json.loads(json.dumps(vars(it), default=vars)) for it in outputs]
    keyed = lambda outputs: [
        {"id": question["id"], "answer": question["answer"], "model": "smollm2", **row}
        for question, row in zip(questions, rows(outputs))
    ]
    # Only vars(), as the engine returns it.
    write("offline.jsonl", rows(engine.generate(prompts, settings)))
    write("offline_flat.jsonl", rows(engine.generate(prompts, flat)))
    write("offline_chat.jsonl", keyed(engine.chat(messages, settings)))


# The engine starts processes that import this file.
if __name__ == "__main__":
    {"requests": requests, "offline": offline}[action]()
