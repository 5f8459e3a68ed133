"""Write the HTML page of a song folder: it plays the sound and shows the pictures, without a network."""

from __future__ import annotations

from collections.abc import Collection
from html import escape

from ritornello.music.score import Score
from ritornello.rendering import roll_contents
from ritornello.rendering.palette import BACKGROUND, FAINT_TEXT, TEXT

STYLE = f"""
:root {{ color-scheme: dark; }}
body {{ margin: 0 auto; max-width: 1100px; padding: 24px; background: {BACKGROUND}; color: {TEXT};
  font: 16px/1.5 Helvetica, Arial, sans-serif; }}
h1 {{ font-weight: 400; margin: 0; overflow-wrap: anywhere; }}
p {{ color: {FAINT_TEXT}; margin: 4px 0 20px; }}
audio {{ width: 100%; margin-bottom: 20px; }}
figure {{ margin: 0 0 20px; overflow-x: auto; border-radius: 6px; }}
img {{ width: 100%; min-width: 720px; display: block; }}
.score {{ background: #fff; }}
a {{ color: #56B4E9; margin-right: 16px; overflow-wrap: anywhere; }}
"""


def song_page(score: Score, files: Collection[str]) -> str:
    """The text of index.html for a folder that contains `files`."""
    title = escape(roll_contents.printable(score.title) or "A song")
    summary = escape(roll_contents.summary_line(score, roll_contents.shown_bars(score)))
    body = [f"<h1>{title}</h1>", f"<p>{summary}</p>"]
    if "song.ogg" in files:
        body.append('<audio controls preload="auto" src="song.ogg"></audio>')
    if "roll.png" in files:
        body.append('<figure><img src="roll.png" alt="Piano roll"></figure>')
    if "score.svg" in files:
        body.append('<figure class="score"><img src="score.svg" alt="Score"></figure>')
    links = " ".join(f'<a href="{escape(name)}" download>{escape(name)}</a>' for name in files)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + f"\n<p>{links}</p>\n</body></html>\n"
    )
