"""A chart of the curve of a wrong note's loss."""

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
