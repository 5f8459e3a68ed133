"""A chart of the loss of a wrong note by its distance, and a table of the loss at whole semitones."""

import numpy as np

from ritornello.models.losses.curve import Curve
from ritornello.rendering.charts import Chart, Line


def note_loss_chart(curve: Curve) -> Chart:
    """Return the chart of a curve, with half an octave of its tails, and its points."""
    minima = curve.points.minima()[:, 0]
    reach = curve.points.reach_semitones
    d = np.linspace(-reach - 6, reach + 6, 40 * (reach + 6) + 1)
    return Chart(
        [Line(d, curve(d))],
        np.stack([minima, curve.points.target(minima)], axis=1),
        title="What a wrong note costs",
        x_label="predicted - true note, semitones",
        y_label="loss",
        x_step=4,
    )


def cost_table(curve: Curve) -> str:
    """Return a Markdown table of the costs of whole semitones within reach: a column for each octave.

    The minima are bold.
    """
    reach = curve.points.reach_semitones
    octaves = range(-reach // 12, reach // 12 + 1)

    def cell(shift: int) -> str:
        if abs(shift) > reach:
            return ""
        cost = f"{float(curve(np.array([shift], np.float64))[0]):.2f}"
        return f"**{cost}**" if curve.points.depth(shift) else cost

    head = [f"octave {octave:+d}" if octave else "octave of the note" for octave in octaves]
    rows = [[f"+{tone}", *(cell(12 * octave + tone) for octave in octaves)] for tone in range(12)]
    lines = [["semitones above", *head], ["---"] * (len(head) + 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
