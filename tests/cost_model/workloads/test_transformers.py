"""Shapes of transformers, and the products of a pass through them."""

import pytest

from multipede.cost_model.workloads.transformers import (
    TRANSFORMERS,
    Product,
    Transformer,
    transformer,
)

SMALL = Transformer(
    "small", "a test", layers=2, width=8, heads=4, kv_heads=2, intermediate=12, vocabulary=10,
    published_parameters=0, gated=True, own_head=True,
)  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_parameters_are_the_published_ones(name):
    """But for biases and norms, which are below one in a hundred of them."""
    shape = transformer(name)
    missing = shape.published_parameters - shape.parameters
    assert -0.002 < missing / shape.published_parameters < 0.01
    # Whole numbers of heads.
    assert shape.heads * shape.head_width == shape.width
    assert shape.kv_width % shape.head_width == 0


@pytest.mark.parametrize("name", ["llama-2-7b", "llama-2-13b", "llama-3-8b", "yi-6b"])
def test_parameters_with_norms_exactly(name):
    """Two norms in a layer and one behind; these models have no biases."""
    shape = transformer(name)
    assert shape.parameters + (2 * shape.layers + 1) * shape.width == shape.published_parameters


def test_products_by_hand():
    """Eight tokens of one sequence; two heads share each key of two elements."""
    assert SMALL.prefill(8) == [
        Product("query", 8, 8, 8, 2),
        Product("key and value", 8, 8, 4, 4, cached=True),
        Product("attention output", 8, 8, 8, 2),
        Product("feed-forward in", 8, 8, 12, 4),
        Product("feed-forward out", 8, 12, 8, 2),
        Product("scores", 16, 2, 8, 4, weights=False, on_chip=True),
        Product("values", 16, 8, 2, 4, weights=False, from_chip=True),
        Product("head", 1, 8, 10),
    ]
    decode = {product.name: product for product in SMALL.decode(100, batch=3)}
    assert decode["query"] == Product("query", 3, 8, 8, 2)
    assert decode["scores"] == Product("scores", 2, 2, 100, 12, weights=False, on_chip=True)
    assert decode["head"] == Product("head", 3, 8, 10)
    assert SMALL.parameters == 2 * (2 * 64 + 2 * 32 + 3 * 96) + 2 * 80


class TestEncoders:
    def test_which(self):
        assert {name for name in TRANSFORMERS if transformer(name).encoder} == {
            "all-minilm-l6-v2",
            "vit-b",
        }

    @pytest.mark.parametrize("name", ["all-minilm-l6-v2", "vit-b"])
    def test_none_decodes(self, name):
        said = f"transformer = '{name}': an encoder has no decode phase, allowed is prefill"
        with pytest.raises(ValueError, match=said):
            transformer(name).decode(8)

    def test_of_text_have_no_head(self):
        """Each weight of the layers is taken once by each token, and the embeddings by none."""
        shape = transformer("all-minilm-l6-v2")
        products = shape.prefill(16, batch=2)
        assert [p.name for p in products if p.count == shape.layers][-1] == "feed-forward out"
        by_weights = sum(p.multiplications for p in products if p.weights)
        embedded = (shape.vocabulary + shape.positions) * shape.width
        assert by_weights == 32 * (shape.parameters - embedded)

    def test_of_images_embed_patches_and_have_classes(self):
        """Of ViT-B/16: 14 x 14 patches of 3 x 16 x 16 values, and the token for the class."""
        shape = transformer("vit-b")
        first, *_, last = shape.prefill(197, batch=2)
        assert first == Product("patch embedding", 2 * 14 * 14, 3 * 16 * 16, 768)
        assert last == Product("head", 2, 768, 1000)
        by_weights = sum(p.multiplications for p in shape.prefill(197) if p.weights)
        others = (shape.patch_inputs + shape.vocabulary) * shape.width
        in_layers = shape.parameters - others - shape.positions * shape.width
        assert by_weights == 197 * in_layers + 196 * 768 * 768 + 768 * 1000

    def test_of_images_have_two_tokens_at_least(self):
        with pytest.raises(ValueError, match="tokens = 1: allowed are 2 to"):
            transformer("vit-b").prefill(1)
        assert transformer("vit-b").prefill(2)[0].m == 1


def test_each_token_takes_each_weight_once():
    shape = transformer("llama-2-7b")
    by_weights = sum(p.multiplications for p in shape.prefill(64, batch=2) if p.weights)
    embedded = shape.vocabulary * shape.width
    in_layers = shape.parameters - 2 * embedded
    assert by_weights == 128 * in_layers + 2 * embedded


@pytest.mark.parametrize("numbers", [{"tokens": 0}, {"tokens": 8, "batch": 0}])
def test_bad_numbers(numbers):
    with pytest.raises(ValueError, match="= 0"):
        SMALL.prefill(**numbers)
    with pytest.raises(TypeError, match="context"):
        SMALL.decode("8")


def test_unknown_ones():
    with pytest.raises(ValueError, match=r"transformer = 'gpt-9': allowed are all-minilm-l6-v2, "):
        transformer("gpt-9")
    with pytest.raises(TypeError, match="transformer"):
        transformer(7)


def test_there_is_no_more_than_one_token_for_each_position():
    image, text = transformer("vit-b"), transformer("opt-6.7b")
    assert image.prefill(197)
    with pytest.raises(ValueError, match="tokens = 198: vit-b has 197 positions"):
        image.prefill(198)
    assert text.decode(2048)
    with pytest.raises(ValueError, match=r"context = 2049: opt-6\.7b has 2048 positions"):
        text.decode(2049)
    assert transformer("llama-2-7b").decode(100_000)  # whose positions are not learned
