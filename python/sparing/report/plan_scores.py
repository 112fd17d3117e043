"""The HyperScore of every period on record, as a plot and a table."""

from __future__ import annotations

from collections.abc import Sequence

from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.scoring import PeriodScore
from sparing.planning.updating import PlanChange
from sparing.report import html
from sparing.report.times import time_text

LEFT, TOP, WIDTH, HEIGHT = 56.0, 12.0, 660.0, 180.0
LEAST_TOP = 112.0  # a score is at most 111.11


def score_section(plan: MaintenancePlan, change: PlanChange | None) -> str:
    """Return how the periods on record did against what the plan expects, or the targets set."""
    settings, scores = plan.source.scoring, plan.scores
    target = settings.targets(plan.expected).target
    aims = ", ".join(f"{measure} {value:.6g}" for measure, value in target.items())
    words = (
        f"100 to 111.11, per period and unit against {aims}"
        f" ({'as set' if settings.target else 'what the plan expects'}). New records that score"
        f" below {settings.resolve_below:g} have the policy solved anew."
    )
    if change is not None and change.score.num_looks:
        words += f" The new records score {change.score.score:.2f} against the last plan's."
    rows = [
        [
            time_text(period.start),
            f"{period.score:.2f}",
            str(period.num_looks),
            *(f"{value:.4g}" for value in period.measures.values()),
        ]
        for period in scores
    ]
    if not rows:
        return html.section("HyperScore", html.paragraph("No inspections are on record."))
    columns = ["period from", "score", "inspections", *scores[0].measures]
    first_new = change.score.start if change is not None else float("inf")
    return html.section(
        "HyperScore",
        html.paragraph(words),
        score_plot(scores, settings.resolve_below, first_new),
        html.folded(f"All {len(rows)} periods", html.table(columns, rows)),
    )


def score_plot(scores: Sequence[PeriodScore], threshold: float, first_new: float) -> str:
    """Return the scores over time as SVG; those from `first_new` on stand out."""
    low = min(100.0, threshold - 0.5)
    first, last = scores[0].start, scores[-1].end

    def place(time: float, score: float) -> tuple[float, float]:
        across = (time - first) / (last - first)
        return LEFT + WIDTH * across, TOP + HEIGHT * (LEAST_TOP - score) / (LEAST_TOP - low)

    points = [place((p.start + p.end) / 2.0, p.score) for p in scores]
    level = place(first, threshold)[1]
    parts = [
        '<svg class="wide" viewBox="0 0 780 230" role="img"'
        ' aria-label="HyperScore of each period">',
        f'<path d="M{LEFT:g} {level:.1f}h{WIDTH:g}" stroke="#c8502a" stroke-dasharray="5 4"/>',
        f'<text x="{LEFT + WIDTH + 4:g}" y="{level + 4:.1f}" font-size="12">{threshold:g}</text>',
    ]
    for score in (100.0, 105.0, 110.0):
        y = place(first, score)[1]
        parts.append(
            f'<text x="{LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end" font-size="12">{score:g}'
            f'</text><path d="M{LEFT:g} {y:.1f}h{WIDTH:g}" stroke="#e4e4e4"/>'
        )
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts.append(f'<path d="M{line}" stroke="#1f5a99" fill="none" stroke-width="1.5"/>')
    for (x, y), period in zip(points, scores, strict=True):
        is_new = period.start >= first_new - 1e-9
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4.5 if is_new else 2.5}"'
            f' fill="{"#c8502a" if is_new else "#1f5a99"}"><title>{time_text(period.start)}:'
            f" {period.score:.2f}</title></circle>"
        )
    for time, anchor in ((first, "start"), (last, "end")):
        x = place(time, low)[0]
        parts.append(
            f'<text x="{x:.1f}" y="{TOP + HEIGHT + 22:g}" text-anchor="{anchor}"'
            f' font-size="12">{time_text(time)}</text>'
        )
    return "".join(parts) + "</svg>"
