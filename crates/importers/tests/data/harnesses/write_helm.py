"""Writes runs of HELM with crfm-helm 0.5.16's own classes and made-up log-probabilities, as
`benchmark/runner.py` writes them: `python write_helm.py helm`."""

import json
import os
import sys

from helm.benchmark.adaptation.adapter_spec import AdapterSpec
from helm.benchmark.adaptation.request_state import RequestState
from helm.benchmark.adaptation.scenario_state import ScenarioState
from helm.benchmark.metrics import basic_metrics
from helm.benchmark.metrics.metric import PerInstanceStats
from helm.benchmark.run_spec import RunSpec
from helm.benchmark.scenarios.scenario import CORRECT_TAG, Input, Instance, Output, Reference, ScenarioSpec
from helm.common.general import asdict_without_nones
from helm.common.request import GeneratedOutput, Request, RequestResult, Token

QUESTIONS = [
    ("What barks?", ["a dog", "a very old oak tree"], 0, [[-1.0, -2.0], [-1.0, -1.0, -1.0, -0.5, -1.0]]),
    ("What has leaves?", ["a dog", "a very old oak tree"], 1, [[-1.0, -1.5], [-0.5, -1.0, -0.5, -1.0, -1.0]]),
    ("What is made of wood?", ["a cup of tea", "an oar"], 1, [[-2.0, -1.0, -1.0, -3.0], [-1.0, -2.0]]),
]
ALONE = {"a dog": -3.5, "a very old oak tree": -8.0, "a cup of tea": -5.0, "an oar": -7.0}


class Window:
    def tokenize(self, text):
        return [" " + word for word in text.split()]


class Factory:
    @staticmethod
    def get_window_service(deployment, service):
        return Window()


def state(instance, index, mode, logprobs):
    reference = instance.references[index].output.text
    prompt = f"Question: {instance.input.text}\nAnswer: {reference}"
    if mode == "calibration":
        prompt = f"Answer: {reference}"
        logprobs = [ALONE[reference] / len(logprobs)] * len(logprobs)
    tokens = [Token(text=word, logprob=-4.0) for word in ("Question:", " x", "\n", "Answer:")]
    words = zip(Window().tokenize(reference), logprobs)
    tokens += [Token(text=word, logprob=logprob) for word, logprob in words]
    text = GeneratedOutput(text=prompt, logprob=sum(token.logprob for token in tokens), tokens=tokens)
    request = Request(model="toy/small", model_deployment="local/small", prompt=prompt, max_tokens=0,
                      temperature=0, echo_prompt=True, num_completions=1, stop_sequences=[])
    return RequestState(
        instance=instance, reference_index=index, request_mode=mode, train_trial_index=0,
        output_mapping=None, request=request, num_train_instances=2, prompt_truncated=False,
        result=RequestResult(success=True, embedding=[], completions=[text], cached=False))


def write(folder, method):
    spec = AdapterSpec(method=method, model="toy/small", model_deployment="local/small", max_train_instances=2)
    name = f"toy:dataset=woods,method={method},model=toy_small"
    states, stats = [], []
    basic_metrics.WindowServiceFactory = Factory
    metric = basic_metrics.BasicReferenceMetric()
    basic_metrics.compute_request_state_metrics = lambda *_: []
    for number, (question, options, answer, logprobs) in enumerate(QUESTIONS):
        references = [Reference(Output(text), [CORRECT_TAG] if at == answer else [])
                      for at, text in enumerate(options)]
        instance = Instance(Input(question), references, split="test", id=f"id{number}")
        modes = ["original"] + (["calibration"] if method.endswith("calibrated") else [])
        own = [state(instance, index, mode, logprobs[index]) for index in range(len(options)) for mode in modes]
        states += own
        values = metric.evaluate_references(spec, own, None, "")
        stats.append(PerInstanceStats(f"id{number}", None, 0, values))
    run = RunSpec(name=name, scenario_spec=ScenarioSpec(class_name="Toy", args={}), adapter_spec=spec,
                  metric_specs=[])
    path = os.path.join(folder, method.rsplit("_")[-1])
    os.makedirs(path, exist_ok=True)
    for file, content in [
        ("run_spec.json", asdict_without_nones(run)),
        ("scenario_state.json", asdict_without_nones(ScenarioState(spec, states))),
        ("per_instance_stats.json", [asdict_without_nones(it) for it in stats]),
    ]:
        with open(os.path.join(path, file), "w") as out:
            json.dump(content, out, indent=2)


write(sys.argv[1], "multiple_choice_separate_original")
write(sys.argv[1], "multiple_choice_separate_calibrated")
