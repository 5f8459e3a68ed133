"""Pack a model folder into one file, and open packed models and models of the Hugging Face Hub.

A packed model is a ZIP file of the files of a model folder, without sub-folders. It is unpacked into a
temporary folder when it is opened; only files with known names are read, and their sizes are limited.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from ritornello.errors import InputError, ModelError
from ritornello.models.fingerprints import FILE as FINGERPRINTS
from ritornello.models.model import Model
from ritornello.models.model_folder import MAX_JSON_BYTES, MAX_PLANS_BYTES, MAX_WEIGHTS_BYTES, PLANS
from ritornello.system.extras import require_extra
from ritornello.system.files import file_path, replacing, write_bytes

SUFFIX = ".ritornello"
HUB = "hub:"
CARD, HUB_CARD = "card.md", "README.md"  # the Hub shows README.md as the card of a model
MAX_TEXT_BYTES = MAX_FEEL_BYTES = 16 << 20
MAX_BYTES = {
    "model.json": MAX_JSON_BYTES,
    "weights.safetensors": MAX_WEIGHTS_BYTES,
    "tables.safetensors": MAX_WEIGHTS_BYTES,
    "sketch.safetensors": MAX_WEIGHTS_BYTES,
    "drums.safetensors": MAX_FEEL_BYTES,
    "parts.safetensors": MAX_FEEL_BYTES,
    PLANS: MAX_PLANS_BYTES,
    FINGERPRINTS: 256 << 20,
    CARD: MAX_TEXT_BYTES,
    "rights.json": MAX_TEXT_BYTES,
}
HUB_NAME = re.compile(r"hub:(\w[\w.-]*/\w[\w.-]*)(?:@(\w[\w./-]*))?", re.ASCII)
HUB_HEAD = b"---\nlibrary_name: ritornello\ntags:\n- music\n- midi\n- symbolic-music\n---\n\n"
TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # of each file, so that the same model always gives the same bytes


def pack(
    model: str | Path, out: str | Path | None = None, *, hub: str | Path | None = None
) -> dict[str, Any]:
    """Pack a model folder into the file `out`, by default FOLDER.ritornello; return its name and size.

    With `hub`, copy the model to that folder instead, with its card as README.md for the Hugging Face Hub.
    Raises ModelError, InputError if both are given, OutputError.
    """
    folder = Model.open(model).path
    files = packed_files(model, out, hub)
    if hub is not None:
        _write_hub_folder(folder, Path(hub))
    else:
        _write_packed(folder, files[0])
    names = [file for file in files if file.is_file()]
    return {"file": str(hub if hub is not None else files[0]), "bytes": sum(f.stat().st_size for f in names)}


def packed_files(model: str | Path, out: str | Path | None, hub: str | Path | None) -> list[Path]:
    """The files that `pack` writes. Raises InputError if both `out` and `hub` are given."""
    if hub is not None and out is not None:
        raise InputError("--out and --hub exclude each other: give only one of the two")
    if hub is not None:
        return [file_path(hub, "hub") / (HUB_CARD if name == CARD else name) for name in MAX_BYTES]
    return [file_path(out) if out is not None else Path(f"{str(model).rstrip('/')}{SUFFIX}")]


def _write_packed(folder: Path, out: Path) -> None:
    """Write the files of a model folder into one ZIP file. Raises OutputError."""
    with replacing(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in MAX_BYTES:
            if (folder / name).is_file():
                entry = zipfile.ZipInfo(name, TIMESTAMP)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, (folder / name).read_bytes())


def _write_hub_folder(folder: Path, out: Path) -> None:
    """Copy a model folder for the Hub, with its card as README.md. Raises OutputError."""
    for name in MAX_BYTES:
        if name != CARD and (folder / name).is_file():
            write_bytes(out / name, (folder / name).read_bytes())
    card = (folder / CARD).read_bytes() if (folder / CARD).is_file() else b""
    write_bytes(out / HUB_CARD, HUB_HEAD + card)


def local_folder(model: str | Path) -> Path:
    """Return the folder of a model: an unpacked copy of a packed model, or a download of `hub:user/model`.

    Any other path is returned as it is. Raises ModelError, InputError if the extra [hub] is not installed.
    """
    file_path(model, "model")
    if str(model).startswith(HUB):
        return _fetched(str(model))
    path = Path(model)
    if not path.is_file() or path.name == "model.json":
        return path
    status = path.stat()
    return _unpacked(path.resolve(), status.st_mtime_ns, status.st_size)


@cache
def _unpacked(path: Path, _modified_ns: int, _size: int) -> Path:
    """Unpack a model into a folder that is deleted when this process ends. Raises ModelError."""
    folder = Path(tempfile.mkdtemp(prefix="ritornello-model-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename not in MAX_BYTES:
                    continue  # no other file belongs to a model
                if entry.file_size > MAX_BYTES[entry.filename]:
                    raise ModelError(
                        f"{str(path)!r}: {entry.filename} has {entry.file_size} bytes: "
                        f"must be at most {MAX_BYTES[entry.filename]}"
                    )
                with archive.open(entry) as source, (folder / entry.filename).open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise ModelError(f"{str(path)!r} is neither a model folder nor a packed model: {error}") from error
    if not (folder / "model.json").is_file():
        raise ModelError(f"{str(path)!r} is not a packed model: it has no model.json")
    return folder


def _fetched(name: str) -> Path:
    """Return the folder of a model downloaded with huggingface_hub. Raises ModelError."""
    match = HUB_NAME.fullmatch(name)
    if not match:
        raise ModelError(f"model {name!r}: must be hub:USER/MODEL or hub:USER/MODEL@REVISION")
    require_extra("hub", "huggingface_hub")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    allowed = [*(name for name in MAX_BYTES if name != CARD), HUB_CARD]
    try:
        folder = Path(snapshot_download(match[1], revision=match[2], allow_patterns=allowed))
    except LocalEntryNotFoundError as error:
        raise ModelError(f"model {name!r}: the Hub cannot be reached, and no local copy exists") from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"model {name!r} cannot be fetched: {reason}") from error
    return folder
