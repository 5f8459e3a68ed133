"""The function `ritornello.judge`: read songs, compare them, find copied passages, write the page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ritornello.composing.compose import BUNDLED
from ritornello.corpus.checks.check import check
from ritornello.errors import InputError, MidiError, check_between
from ritornello.evaluation.compare import FEWEST, SongSet, TrainingFingerprints, compare
from ritornello.evaluation.inputs import CHECKS, CorpusSongs, FolderSongs, LabelledScore, open_songs
from ritornello.evaluation.originality import closest_passages, excerpt, opening
from ritornello.evaluation.song_description import describe_song
from ritornello.models import fingerprints
from ritornello.models.fingerprints import SongFingerprint
from ritornello.models.packing import local_folder
from ritornello.music.score import Score
from ritornello.notation.song_file import STANDARD_INPUT, open_song
from ritornello.system.extras import require_extra
from ritornello.system.files import check_writable, file_path, sha256_file, write_bytes
from ritornello.system.progress import Progress
from ritornello.system.suggest import similar_path

MAX_SONGS = 200  # of each set, by default
SHOWN_PASSAGES = 6  # on the page, with the piano rolls of both songs
SongsPath: TypeAlias = "str | Path | None"


def judge(
    composed: str | Path,
    human: str | Path | None = None,
    *,
    model: str | Path | None = None,
    corpus: str | Path | None = None,
    html: str | Path | None = None,
    seam: int | None = None,
    most: int = MAX_SONGS,
    max_minutes: float = 60.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compare a folder or corpus of songs with human songs, or describe one song, a .mid file.

    The result is that of `compare.compare` for a folder, and of `song_description.describe_song` for a file,
    for which `human` is optional. Passages of the training songs of `model` are searched in the composed
    songs (for a file, the bundled model is the default). `corpus`, a corpus or a folder, gives the training
    songs instead; then the page `html` shows both passages. If the songs of a folder are continuations,
    `seam` is the number of bars of their prompts: the bars before and after its end are compared. At most
    `most` songs of each set are used, drawn with `seed`, and none longer than `max_minutes`. Raises
    InputError for wrong arguments, ModelError if the model cannot be read, MidiError if the file cannot be
    read, OutputError if the page cannot be written.
    """
    check_between("most", most, 2, 100_000)
    check_between("seam", seam, 1, 100_000)
    check_between("max-minutes", max_minutes, 0.1, 100_000)
    check_between("seed", seed, 0, (1 << 63) - 1)
    if html is not None:
        check_writable(file_path(html, "html"))
    limits: dict[str, Any] = {"most": most, "max_s": 60 * max_minutes, "seed": seed, "progress": progress}
    file_path(composed, "songs")
    is_file = str(composed) == STANDARD_INPUT or Path(composed).is_file()
    if not is_file and not Path(composed).exists():
        must = "must be a folder of songs, or one song file"
        raise InputError(f"{str(composed)!r} does not exist: {must}{similar_path(composed)}")
    if is_file:
        report, scores, training = _judge_file(Path(composed), human, model, corpus, limits)
    else:
        report, scores, training = _judge_folder(Path(composed), human, model, corpus, limits, seam)
    if html:
        _write_page(Path(html), report, scores, training)
    return report


# The report, the composed songs by name, and the fingerprints of the training songs if they are known.
Judged: TypeAlias = "tuple[dict[str, Any], dict[str, Score], TrainingFingerprints | None]"


def _judge_file(
    path: Path, human: SongsPath, model: SongsPath, corpus: SongsPath, limits: dict[str, Any]
) -> Judged:
    """Describe one song, with its closest passage."""
    bundled = BUNDLED if (BUNDLED / fingerprints.FILE).is_file() else None
    training = _training_fingerprints(model or bundled, corpus)
    song = _read_song(path, limits["max_s"])
    others = [other.score for other in _sample(human, **limits).songs] if human else []
    report = {"file": str(path), **describe_song(song, others)}
    report["closest"] = _closest_passage(song, others, training) if training else None
    return report, {"": song}, training


def _judge_folder(
    path: Path,
    human: SongsPath,
    model: SongsPath,
    corpus: SongsPath,
    limits: dict[str, Any],
    seam: int | None,
) -> Judged:
    """Compare many songs with human ones."""
    if human is None:
        raise InputError(f"{str(path)!r} is a folder: --human FOLDER must give the human songs")
    require_extra("judge", "sklearn", "scipy")
    training = _training_fingerprints(model, corpus)
    ours, theirs = _sample(path, **limits), _sample(human, **limits)
    report = compare(ours, theirs, training, seam_bar=seam, seed=limits["seed"], progress=limits["progress"])
    return report, {song.name: song.score for song in ours.songs}, training


class _ModelFingerprints:
    """The fingerprints of the training songs of a model, read from its folder."""

    def __init__(self, path: str | Path) -> None:
        folder = local_folder(path)
        self.where, self.fingerprints = str(path), fingerprints.read(folder)
        self.hash = sha256_file(folder / fingerprints.FILE)

    def __iter__(self) -> Iterator[SongFingerprint]:
        return iter(self.fingerprints)


class _CorpusFingerprints:
    """The fingerprints of the training split of a corpus or of the files of a folder, read each time."""

    def __init__(self, path: str | Path) -> None:
        self.where = str(path)
        self.songs = open_songs(path, "train" if (Path(path) / "manifest.json").is_file() else None)

    @property
    def hash(self) -> str:
        """The hash of the corpus, or of the files once they are read."""
        return self.songs.hash

    def __iter__(self) -> Iterator[SongFingerprint]:
        return (SongFingerprint.of(song.score, song.name) for song in self.songs)

    def scores(self, numbers: set[int]) -> dict[int, Score]:
        """Return the songs with these numbers."""
        return {number: song.score for number, song in enumerate(self.songs) if number in numbers}


def _training_fingerprints(model: SongsPath, corpus: SongsPath) -> TrainingFingerprints | None:
    """Return the fingerprints of `corpus`, or else of `model`; None if neither is given."""
    if corpus:
        return _CorpusFingerprints(corpus)
    return _ModelFingerprints(model) if model else None


def _read_song(path: Path, max_s: float) -> Score:
    """Read the song in a file. Raises MidiError if there is none, or if it is too long."""
    song = open_song(path)
    checked = check(song.data, CHECKS, song.name, song.format)
    if checked.score is None:
        raise MidiError(f"{song.name!r}: {checked.outcome}: {checked.reason}")
    if reason := _too_long(checked.score, max_s):
        raise MidiError(f"{song.name!r} {reason}")
    return checked.score


def _closest_passage(song: Score, human: Sequence[Score], training: TrainingFingerprints) -> dict[str, Any]:
    """Return the closest passage of a song, and the median length of those of equally long human songs."""
    openings = [opening(other, len(song)) for other in human]
    queries = [SongFingerprint.of(query) for query in (song, *openings)]
    passage, *human_passages = closest_passages(queries, training)
    runs = [other.notes for other in human_passages if other]
    return {
        "where": training.where,
        "passage": passage.to_dict() if passage else None,
        "human": float(np.median(runs)) if runs else None,
    }


def _write_page(
    path: Path, report: dict[str, Any], scores: Mapping[str, Score], training: TrainingFingerprints | None
) -> None:
    """Write the report as HTML, with both songs' piano rolls of the closest passages if they can be read."""
    from ritornello.evaluation.pages import comparison_page, description_page

    if "file" in report:
        passage = (report["closest"] or {}).get("passage")
        pairs = _draw_pairs([passage] if passage else [], scores, training)
        html = description_page(report, pairs)
    else:
        passages = (report["originality"] or {}).get("passages", [])
        html = comparison_page(report, _draw_pairs(passages[:SHOWN_PASSAGES], scores, training))
    write_bytes(path, html.encode())


def _draw_pairs(
    passages: Sequence[dict[str, Any]], scores: Mapping[str, Score], training: TrainingFingerprints | None
) -> list[tuple[dict[str, Any], str, str]]:
    """Return the passages with the piano rolls (SVG) of both songs; none if only fingerprints are known."""
    if not isinstance(training, _CorpusFingerprints):
        return []
    from ritornello.rendering import roll

    training_scores = training.scores({passage["song"] for passage in passages})
    pairs = []
    for passage in passages:
        ours = excerpt(scores[passage.get("of", "")], passage["bars"], passage["line"])
        theirs = excerpt(training_scores[passage["song"]], passage["there"], passage["there_line"])
        pairs.append((passage, roll.svg(ours), roll.svg(theirs)))
    return pairs


def _too_long(score: Score, max_s: float) -> str:
    """Return the reason if a song is too long, else ""."""
    if score.duration_s <= max_s:
        return ""
    return f"lasts {score.duration_s / 60:.0f} minutes, at most {max_s / 60:g} (--max-minutes)"


def _sample(path: str | Path, *, most: int, max_s: float, seed: int, progress: Progress | None) -> SongSet:
    """Draw at most `most` songs of a corpus or folder, each with the same probability, in a fixed order.

    This is algorithm R (Vitter 1985): one pass, with only the drawn songs in memory. Raises InputError if
    there are fewer than FEWEST songs.
    """
    songs, draw = open_songs(path), np.random.default_rng(seed)
    sample: list[tuple[int, LabelledScore]] = []
    count = 0
    for count, song in enumerate(_short_enough(songs, max_s), start=1):
        place = count - 1 if count <= most else int(draw.integers(count))
        if count <= most:
            sample.append((count, song))
        elif place < most:
            sample[place] = (count, song)
        if progress:
            progress(count, max(count, len(songs) - len(songs.skipped)), f"reading {Path(path).name}")
    if count < FEWEST:
        reasons = "; ".join(f"{name!r}: {why}" for name, why in list(songs.skipped.items())[:3])
        raise InputError(
            f"only {count} songs in {str(path)!r} can be judged: must be at least {FEWEST}"
            + (f" ({reasons})" if reasons else "")
        )
    return SongSet(str(path), songs.hash, count, [song for _, song in sorted(sample)], songs.skipped)


def _short_enough(songs: CorpusSongs | FolderSongs, max_s: float) -> Iterator[LabelledScore]:
    """Yield the songs that are not too long, and list the others as skipped."""
    for song in songs:
        if reason := _too_long(song.score, max_s):
            songs.skipped[song.name] = reason
        else:
            yield song
