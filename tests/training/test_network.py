"""The network of the training says what the served NumPy says, and learns what it is shown. Needs PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.cache import Cache, NotDone  # noqa: E402
from training.data.rows import Row  # noqa: E402
from training.fit import Recipe, _blanked, scored, seeded, train  # noqa: E402
from training.messages import SHAPE, Contexts, MessageLoss  # noqa: E402
from training.network import FirstLayer, Network, SecondHalf, Shape  # noqa: E402
from training.scores import read_rows, reader_of  # noqa: E402
from training.store import store_of  # noqa: E402

from quitbutton.assessors.branch import IN_CONTEXT  # noqa: E402
from quitbutton.assessors.encoder import Encoder  # noqa: E402
from quitbutton.assessors.heads import Heads  # noqa: E402
from training import messages, scores  # noqa: E402

TEXTS = ("please water the orange flowers", "der Zug kommt heute nicht", "帮我写一封信", "ok")


def moved(network: Network) -> Network:
    """A network whose tuned layers are no longer the encoder's own."""
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.02 * (weight.std(correction=0) + 0.01))
    return network.eval()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    return store_of(tmp_path_factory.mktemp("store") / "texts", TEXTS)


def test_both_halves_are_the_encoder_as_it_is_served(store) -> None:
    encoder, half = Encoder(), SecondHalf()
    with torch.no_grad():
        pieces, vectors = half(*store.batch(TEXTS))
    for place, text in enumerate(TEXTS):
        served = encoder.encode(encoder.ids(text))
        assert (
            np.abs(pieces[place, : len(served.pieces)].numpy() - served.pieces).max() < 2e-2
        )  # the store is half precision
        assert float(vectors[place].numpy() @ served.vector) > 0.9999


def test_the_first_layer_pays_no_heed_to_padding() -> None:
    layer, ids = FirstLayer(), torch.tensor([[5, 99, 1234, 0, 0]])
    alone = layer(ids[:, :3], torch.ones(1, 3))
    padded = layer(ids, torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0]]))
    assert torch.allclose(alone, padded[:, :3], atol=1e-3)


def test_heads_say_in_numpy_what_they_say_in_pytorch() -> None:
    shape = Shape(outputs=5, queries=2, values=3, peaks=4, hidden=8)
    network = moved(Network(shape))
    heads = Heads({name: array.astype(np.float32) for name, array in network.exported().items()}, {})
    with torch.no_grad():  # as exported: half precision
        for weight in network.parameters():
            weight.copy_(weight.half().float())
    encoder, layer, context = Encoder(), FirstLayer(), np.linspace(-1, 1, 512, dtype=np.float32)
    for text in TEXTS:
        ids = torch.tensor([encoder.ids(text)])
        mask = torch.ones(ids.shape)
        with torch.no_grad():
            pieces, vector = network.upper(layer(ids, mask), mask)
            said = network(layer(ids, mask), mask, torch.from_numpy(context)[None]).numpy()[0]
        seen = encoder.encode(ids[0].numpy())._replace(pieces=pieces[0].numpy(), vector=vector[0].numpy())
        hidden = heads.hidden(seen)
        served = [*heads.out(hidden), heads.in_context(hidden, context)]
        assert np.abs(said - served).max() < 1e-3


def test_the_served_reader_says_what_the_network_says(store) -> None:
    torch.manual_seed(1)
    network = moved(Network(SHAPE))
    reader = reader_of(network)
    rows = [Row(text, "s", "f", text, {}, context=TEXTS[:place][-2:]) for place, text in enumerate(TEXTS)]
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.half().float())
    contexts = Contexts(rows, store)
    contexts.refresh(network)
    with torch.no_grad():
        said = network(*store.batch(TEXTS), contexts.of(np.arange(len(rows)))).numpy()
    said = np.concatenate([said[:, :IN_CONTEXT], said[:, -1:], said[:, IN_CONTEXT:-1]], axis=1)
    assert np.abs(read_rows(reader, rows) - said).max() < 2e-2  # the store is half precision


def test_the_network_learns_what_it_is_shown_and_only_that(store) -> None:
    rows = [
        Row(TEXTS[0], "s", "f", "1", {"abuse": 1}, context=(TEXTS[3],)),
        Row(TEXTS[1], "s", "f", "2", {"abuse": 0}),
        Row(TEXTS[2], "s", "f", "3", {"abuse": 1}, weight=0.0),
    ]
    contexts = Contexts(rows, store)
    loss = MessageLoss(rows, contexts)
    assert loss.learned.tolist() == [0, 1]
    recipe = Recipe(epochs=30, rate=3e-3, tuned_rate=1e-4, batch=2, warm_up=1)
    network = seeded(SHAPE, recipe, seed=0)
    before = [weight.clone() for weight in network.upper.parameters()]
    train(network, store, [row.text for row in rows], loss.learned, loss, recipe, 0, contexts.refresh)
    abuse = scored(network, store, TEXTS[:2])[:, 0]
    assert abuse[0] > 1 > -1 > abuse[1]
    assert any(not torch.equal(old, new) for old, new in zip(before, network.upper.parameters(), strict=True))
    assert contexts.vectors[0].norm() == pytest.approx(1, abs=1e-3)


def test_a_rate_of_zero_leaves_the_encoder_as_it_is_and_exports_nothing_of_it() -> None:
    network = seeded(Shape(6, hears_context=False), Recipe(1, 1e-3, 0.0, 2), seed=0)
    assert not any(name.startswith(("tuned_", "context")) for name in network.exported())


def test_a_blanked_text_keeps_its_first_piece() -> None:
    dice = np.random.default_rng(0)
    masks = [_blanked(torch.ones(4, 20), 0.9, dice) for _ in range(20)]
    assert all((mask[:, 0] == 1).all() for mask in masks)
    assert any(mask.sum() < 80 for mask in masks)


def test_a_fold_is_read_by_a_network_that_learned_nothing_of_it(store, tmp_path, monkeypatch) -> None:
    families = ("author_ada", "author_bex", "author_finn", "dolly")
    rows = [
        Row(text, family, family, family, {"abuse": 0}, weight=float(family != "dolly"))
        for text, family in zip(TEXTS, families, strict=True)
    ]
    learned: list[int] = []

    def fitted(rows, store, places, seed):
        learned.extend(places.tolist())
        return messages.fitted(rows, store, places, seed)

    monkeypatch.setattr(messages, "RECIPE", Recipe(epochs=1, rate=1e-3, tuned_rate=1e-4, batch=2))
    monkeypatch.setattr(scores, "fitted", fitted)
    cache = Cache(tmp_path, "of these")
    scores.run_fold(0, rows, store, cache)
    assert learned == [1, 2]
    kept = cache.load("scores0", "folds")
    assert kept["places"].tolist() == [0, 3]
    assert np.isfinite(kept["logits"]).all()
    assert kept["logits"].any(axis=1).all()
    with pytest.raises(NotDone, match="scores1"):
        scores.left_out_logits(rows, cache)
