"""Writes predictions with OpenCompass 0.5.4's own inferencers and a made-up model:
`python write_opencompass.py opencompass/predictions/toy`."""

import math
import sys

import numpy as np
from datasets import Dataset, DatasetDict
from opencompass.models.base import BaseModel
from opencompass.openicl import PromptTemplate
from opencompass.openicl.icl_dataset_reader import DatasetReader
from opencompass.openicl.icl_inferencer.icl_base_inferencer import CLPInferencerOutputHandler
from opencompass.openicl.icl_inferencer.icl_ppl_inferencer import PPLInferencer
from opencompass.openicl.icl_retriever import ZeroRetriever

QUESTIONS = [
    ("What barks?", "a dog", "a very old oak tree", "0"),
    ("What has leaves?", "a dog", "a very old oak tree", "1"),
    ("What is made of wood?", "a cup of tea", "an oar", "1"),
]


class Toy(BaseModel):
    """A token is a word; its log-likelihood depends on its letters."""

    def get_token_len(self, prompt):
        return len(prompt.split()) + 1

    def get_ppl(self, inputs, mask_length=None):
        def total(text):
            return sum(0.1 + (sum(map(ord, word)) % 29) / 10 for word in text.split())

        return np.array([total(text) / self.get_token_len(text) for text in inputs])


def main(folder):
    columns = ["question", "opt1", "opt2", "gold"]
    rows = Dataset.from_dict({name: list(values) for name, values in zip(columns, zip(*QUESTIONS))})
    data = DatasetDict({"train": rows, "test": rows})
    reader = DatasetReader(data, input_columns=columns[:3], output_column="gold")

    class Data:
        pass

    holder = Data()
    holder.reader, holder.train, holder.test = reader, rows, rows
    holder.dataset = data
    template = PromptTemplate({
        "0": "Question: {question}\nAnswer: {opt1}",
        "1": "Question: {question}\nAnswer: {opt2}",
    })
    inferencer = PPLInferencer(model=Toy("toy"), batch_size=2)
    inferencer.inference(
        ZeroRetriever(holder), prompt_template=template,
        output_json_filepath=folder, output_json_filename="toy_ppl.json")
    clp = CLPInferencerOutputHandler()
    clp.save_ice(["", ""])
    clp.save_prompt_and_condprob("Is it so?", "Is it so?", [0.25, 0.75], 0, ["no", "yes"], gold=1)
    clp.save_prompt_and_condprob("Is it not?", "Is it not?", [0.375, 0.625], 1, ["no", "yes"], gold=0)
    clp.write_to_json(folder, "toy_clp.json")


main(sys.argv[1])
