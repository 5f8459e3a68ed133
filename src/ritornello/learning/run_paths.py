"""The files of `ritornello learn`: where they are, the lock on them, and copying a model.

music/                  the folder of MIDI files, which is never changed
music-model/            the model that is kept
  work/corpus/          the corpus made of the folder
  work/HASH/            the training runs on the corpus of this hash: from-START/, chosen.json
  work/HASH/before/     the model trained on an earlier content of the folder
music-songs/            the composed songs
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ritornello.errors import InputError
from ritornello.models import fingerprints
from ritornello.models import model as model_folder
from ritornello.models.model import Model
from ritornello.system.files import file_path, output_errors, write_bytes
from ritornello.system.lock import locked

Say = Callable[[str, str], None]
"""Called as say(stage, text) to print one line about a stage."""
CARD_HEADING = "\n## Why `ritornello learn` kept this model"
MODEL_SUFFIX, SONGS_SUFFIX = "-model", "-songs"


@dataclass(frozen=True)
class RunPaths:
    """The folders of one `learn`: the MIDI files, the model, the songs."""

    folder: Path
    model: Path
    songs: Path

    @classmethod
    def of(cls, folder: str | Path, out: str | Path | None) -> RunPaths:
        """The paths for a folder of MIDI files; `out` is the folder of the model. Raises InputError."""
        folder = file_path(folder, "folder")
        if not folder.is_dir():
            problem = "is a file" if folder.exists() else "does not exist"
            raise InputError(f"{str(folder)!r} {problem}: must be a folder of MIDI files")
        named = folder if folder.name not in ("", "..") else folder.resolve()
        model = file_path(out) if out is not None else named.parent / f"{named.name or 'midi'}{MODEL_SUFFIX}"
        paths = cls(folder, model, model.with_name(model.name.removesuffix(MODEL_SUFFIX) + SONGS_SUFFIX))
        paths._check()
        return paths

    @property
    def work(self) -> Path:
        """The folder of the corpus and the training runs."""
        return self.model / "work"

    @property
    def corpus(self) -> Path:
        """The folder of the corpus."""
        return self.work / "corpus"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock on the model folder. Raises InputError if another `learn` has it, and OutputError."""
        with output_errors(self.work):
            self.work.mkdir(parents=True, exist_ok=True)
        with locked(self.model / "lock"):
            yield

    def runs(self, corpus_hash: str) -> Path:
        """The folder of the training runs on a corpus.

        A new one gets the model trained before, if any, as before/, and those of other corpora are deleted.
        """
        path = self.work / corpus_hash[:12]
        if path.is_dir():
            return path
        part = self.work / "part"
        with output_errors(path):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            if (self.model / "model.json").is_file():
                model = Model.open(self.model)
                if (why := model.info.get("learn", {})).get("kept") != "bundled":
                    copy_model(model, part / "before", {"why": "it was kept before", **why})
            part.rename(path)
            for old in self.work.iterdir():
                if old not in (path, self.corpus):
                    shutil.rmtree(old, ignore_errors=True)
        return path

    def _check(self) -> None:
        """Raise InputError if the model or songs would overwrite something or lie inside the MIDI folder."""
        inside = self.folder.resolve()
        for path in (self.model, self.songs):
            if inside in (path.resolve(), *path.resolve().parents):
                raise InputError(f"{str(path)!r} is inside {str(self.folder)!r}: must be outside of it")
            if path.exists() and not path.is_dir():
                raise InputError(f"{str(path)!r} is a file: must be a folder")
        if self.model.is_dir() and not self.work.is_dir():
            others = [path.name for path in self.model.iterdir() if path.name != "lock"]
            if others:
                problem = f"{str(self.model)!r} contains other files ({min(others)!r})"
                raise InputError(f"{problem}: must be new, empty, or made by `ritornello learn`")


def copy_model(model: Model, path: Path, learn: dict[str, Any]) -> None:
    """Write a model to a folder, with why `learn` kept it in model.json and the card. Raises OutputError."""
    card = (model.path / "card.md").read_text("utf-8", "replace").partition(CARD_HEADING)[0].rstrip()
    card += f"\n{CARD_HEADING}\n\n{learn['why'][:1].upper()}{learn['why'][1:]}.\n"
    info = {**model.info, "learn": learn}
    model_folder.write(path, info, model.weights, model.tables, card, model.plans, model.sketch)
    if (model.path / fingerprints.FILE).is_file():
        write_bytes(path / fingerprints.FILE, (model.path / fingerprints.FILE).read_bytes())
