"""Turns a GGUF file of a Llama-like model into a folder that vLLM can serve.

    gguf_to_hf.py MODEL.gguf FOLDER

vLLM does not read GGUF on the CPU. The weights are dequantised and stored as bfloat16.
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(source, folder):
    """Converts weights, configuration and tokeniser."""
    where = {"pretrained_model_name_or_path": str(source.parent), "gguf_file": source.name}
    quantised = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)

    # The loaded model still calls itself a GGUF one. A new one of the same shape does not.
    settings = quantised.config.to_dict()
    settings.pop("quantization_config", None)
    model = type(quantised)(type(quantised.config).from_dict(settings))
    # A tied output layer is absent from the file and comes back by tying.
    missing = model.load_state_dict(quantised.state_dict(), strict=False).missing_keys
    if set(missing) - {"lm_head.weight"}:
        sys.exit(f"{source}: no weights for {', '.join(missing)}")
    model.tie_weights()
    model.generation_config.eos_token_id = settings.get("eos_token_id")

    model.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(**where).save_pretrained(folder)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
