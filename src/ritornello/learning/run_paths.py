"""Home: where learning from a folder puts what it makes.

music/                  the folder; nothing in it is changed
music-model/            the model that is kept
  work/corpus/          the prepared folder
  work/HASH/            the trainings on the corpus of this hash: from-START/, chosen.json
  work/HASH/before/     what had been learnt when the folder had other files
music-songs/            the songs
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ritornello.errors import InputError
from ritornello.models import fingerprints
from ritornello.models import model as folder_of_model
from ritornello.models.model import Model
from ritornello.system.files import output_errors, write_bytes
from ritornello.system.lock import locked

Say = Callable[[str, str], None]  # the stage, and what there is to say of it
MODEL, SONGS = "-model", "-songs"


@dataclass(frozen=True)
class Home:
    """The folders of one `learn`."""

    folder: Path
    model: Path
    songs: Path

    @classmethod
    def of(cls, folder: str | Path, out: str | Path | None) -> Home:
        """The folders for MIDI files in `folder`. Raises InputError: `out` is no place for a model."""
        folder = Path(folder)
        if not folder.is_dir():
            found = "is a file" if folder.exists() else "does not exist"
            raise InputError(f"{str(folder)!r} {found}, must be a folder of MIDI files")
        named = folder if folder.name not in ("", "..") else folder.resolve()
        model = Path(out) if out is not None else named.parent / f"{named.name or 'midi'}{MODEL}"
        home = cls(folder, model, model.with_name(model.name.removesuffix(MODEL) + SONGS))
        home._check()
        return home

    @property
    def work(self) -> Path:
        """What is needed to go on."""
        return self.model / "work"

    @property
    def corpus(self) -> Path:
        """The folder, prepared."""
        return self.work / "corpus"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Inside, nobody else learns into these folders. Raises InputError, OutputError."""
        with output_errors(self.work):
            self.work.mkdir(parents=True, exist_ok=True)
        with locked(self.model / "lock"):
            yield

    def kept(self) -> Model | None:
        """The model that was kept so far."""
        return Model.open(self.model) if (self.model / "model.json").is_file() else None

    def round(self, data: str) -> Path:
        """The folder of the trainings on the corpus of hash `data`; a new one goes on from what was kept."""
        path = self.work / data[:12]
        if path.is_dir():
            return path
        part = self.work / "part"
        with output_errors(path):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            kept = self.kept()
            if kept is not None and kept.info.get("learn", {}).get("kept") != "bundled":
                copy(kept, part / "before")
            part.rename(path)
            for old in self.work.iterdir():
                if old not in (path, self.corpus):
                    shutil.rmtree(old, ignore_errors=True)
        return path

    def _check(self) -> None:
        """Raise InputError where the model's folder is something else, or the songs would be learnt from."""
        inside = self.folder.resolve()
        for path in (self.model, self.songs):
            if inside in (path.resolve(), *path.resolve().parents):
                raise InputError(f"{str(path)!r} is inside {str(self.folder)!r}, must be outside of it")
            if path.exists() and not path.is_dir():
                raise InputError(f"{str(path)!r} is a file, must be a folder")
        if self.model.is_dir() and not self.work.is_dir():
            strange = [path.name for path in self.model.iterdir() if path.name != "lock"]
            if strange:
                found = f"{str(self.model)!r} holds other files ({min(strange)!r})"
                raise InputError(f"{found}, must be new, empty, or made by `ritornello learn`")


def copy(model: Model, path: Path, **more: object) -> None:
    """Write a model anew, its model.json with `more` in it, beside the songs it knows. Raises OutputError."""
    card = (model.path / "card.md").read_text("utf-8", "replace")
    folder_of_model.write(path, {**model.info, **more}, model.weights, model.tables, card, model.plans)
    if (model.path / fingerprints.FILE).is_file():
        write_bytes(path / fingerprints.FILE, (model.path / fingerprints.FILE).read_bytes())
