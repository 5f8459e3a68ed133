"""Caches: their probabilities sum to 1, look only back, and do not depend on the pieces of a song."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import ritornello
from benchmarks.__main__ import main
from benchmarks.cache import CachedNetwork, best_share
from ritornello.models.lstm.network import Lstm
from ritornello.representations.table import Field
from tests.folders import write_songs

FIELDS = (Field("shift", 3, "choice"), Field("part", 2, "choice"), Field("pitch", 4, "choice"))
# shares of the cache: none if nothing can be copied, and more after longer matches
SHARES = {field.name: torch.tensor([0.0, 0.1, 0.3, 0.6, 0.8, 0.9]) for field in FIELDS}


def cached(sharpness: tuple[float, float] = (1.0, 2.0)) -> CachedNetwork:
    torch.manual_seed(0)
    network = Lstm({"fields": [field._asdict() for field in FIELDS], "width": 8, "layers": 1, "embedding": 4})
    return CachedNetwork(network, FIELDS, sharpness, SHARES)


def rows(count: int = 12, songs: int = 2) -> Tensor:
    """Songs (B, T+1, F) with a start row; the second half repeats the first."""
    generator = torch.Generator().manual_seed(1)
    half = torch.stack([torch.randint(f.size, (songs, count // 2), generator=generator) for f in FIELDS], -1)
    start = torch.tensor([field.size for field in FIELDS]).expand(songs, 1, -1)
    return torch.cat([start, half, half], dim=1)


def test_probabilities_sum_to_one_and_look_back() -> None:
    values, network = rows(), cached()
    predictions, _ = network.predict(values, None, None)
    changed = values.clone()
    changed[:, 9:] = 0
    other, _ = network.predict(changed, None, None)
    for field in FIELDS:
        p = predictions[field.name][:, 1:].exp()
        torch.testing.assert_close(p.sum(-1), torch.ones(p.shape[:-1]))
        torch.testing.assert_close(predictions[field.name][:, :9], other[field.name][:, :9])


def test_a_song_in_pieces_is_predicted_as_whole() -> None:
    values, network = rows(), cached()
    whole, _ = network.predict(values, None, None)
    state, pieces = None, []
    for start in (0, 5, 9):
        end = min({0: 5, 5: 9, 9: 12}[start], 12)
        found, state = network.predict(values[:, start : end + 1], None, state)
        pieces.append(found["pitch"][:, 1:])
    torch.testing.assert_close(torch.cat(pieces, 1), whole["pitch"][:, 1:])


def test_the_cache_is_the_mean_of_earlier_rows() -> None:
    """By hand: the shift of the last of four rows, after one row that occurred once before."""
    values = torch.tensor([[[3, 2, 4], [0, 0, 1], [1, 0, 2], [2, 1, 3], [1, 0, 2], [2, 1, 3]]])
    network = cached((1.0, 0.0))
    own = network.network.predict(values)[0]["shift"][0, 5].softmax(-1)
    # before rows 0 to 3 of the song are rows that equal row 3 in 0, 0, 1, 0 cases: row 2 follows it, with e^1
    weights = np.exp([0, 0, 1, 0])
    cache = np.array([weights[0], weights[1] + weights[3], weights[2]]) / weights.sum()
    share = float(SHARES["shift"][2])  # the longest match has length 1
    expected = share * cache + (1 - share) * own.detach().numpy()
    found = network.predict(values, None, None)[0]["shift"][0, 5].exp()
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5)


def test_the_best_share_is_found() -> None:
    rng = np.random.default_rng(0)
    network, cache = rng.random(400), rng.random(400)
    shares = np.linspace(0.001, 0.999, 999)
    nats = [-np.log(s * cache + (1 - s) * network).sum() for s in shares]
    assert best_share(network, cache) == pytest.approx(shares[int(np.argmin(nats))], abs=0.02)


def test_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = tmp_path / "corpus"
    ritornello.prepare(write_songs(tmp_path / "songs", 40), corpus, workers=1)
    words = ["cache", corpus, "--out", tmp_path / "out", "--minutes", 0.02, "--seeds", 1]
    assert main([str(word) for word in [*words, "--caches", "suffix,both"]]) == 0
    out = capsys.readouterr().out
    assert "| the same with the suffix cache |" in out and "| LSTM with echo, alone and form |" in out
