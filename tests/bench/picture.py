#!/usr/bin/env python3
"""Draws docs/images/performance-light.svg and -dark.svg from the figures of tests/bench/run.sh.

    picture.py build/bench/figures.tsv docs/images

On the left what a switch costs, as bars; on the right what a scrape costs as processes grow, on scales
of tens. No fonts but the reader's, nothing from elsewhere.
"""

import math
import sys

THEMES = {
    "light": {"text": "#1f2328", "faint": "#59636e", "line": "#d1d9e0", "ours": "#0969da", "other": "#9aa4af"},
    "dark": {"text": "#f0f6fc", "faint": "#9198a1", "line": "#3d444d", "ours": "#4493f8", "other": "#656c76"},
}
WIDTH, HEIGHT = 880, 428
BARS = [
    ("sched_exporter", "on_switch"),
    ("cpudist", "cpudist"),
    ("runqlat", "runqlat"),
    ("bpftrace", "bpftrace_oncpu"),
    ("textbook program", "textbook"),
]
LOADS = [("hot", "2 tasks, hot caches"), ("cold", "400 tasks, cold caches"), ("4,000 tasks", "4,000 tasks")]
SIZES = [100, 1000, 10000]


def read_figures(path):
    """Name to median."""
    with open(path, encoding="utf-8") as file:
        return {name: float(median) for name, median, _, _ in (line.rstrip("\n").split("\t") for line in file)}


def text(x, y, words, size=13, color="text", anchor="start", weight=400):
    return (
        f'  <text x="{x:.0f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" class="{color}">{words}</text>'
    )


def switch_ns(figures, load, key):
    return figures[f"hook.{load}, in turns.{key}.net_ns"]


def bars(figures, x, y, title, load):
    """One line for each program: name, bar, nanoseconds; all loads on one scale."""
    name_width, bar_width, step = 122, 252, 20
    values = [(name, switch_ns(figures, load, key), key) for name, key in BARS]
    most = max(switch_ns(figures, any_load, key) for any_load, _ in LOADS for _, key in BARS)
    parts = [text(x, y, title, 13, "text", weight=600)]
    for i, (name, value, key) in enumerate(values):
        top = y + 12 + i * step
        kind = "ours" if key == "on_switch" else "other"
        weight = 600 if kind == "ours" else 400
        length = max(2, bar_width * value / most)
        parts.append(text(x, top + 12, name, 12, "text" if kind == "ours" else "faint", weight=weight))
        parts.append(f'  <rect x="{x + name_width}" y="{top + 2:.1f}" width="{length:.1f}" height="13" rx="2" class="{kind}"/>')
        parts.append(text(x + name_width + length + 6, top + 12, f"{value:.0f} ns", 12, "text", weight=weight))
    return parts


def duration(milliseconds):
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2g} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def lines(figures, x, y, title, what):
    """Both exporters over the number of processes, both scales of tens."""
    width, height = 340, 130
    values = {who: [figures[f"scrape.{size}.{who}.{what}_ms"] for size in SIZES] for who in ("ours", "peer")}
    low = math.floor(math.log10(min(values["ours"] + values["peer"])))
    high = math.ceil(math.log10(max(values["ours"] + values["peer"])))

    def place(i, value):
        return x + 52 + i * (width - 90) / (len(SIZES) - 1), y + 14 + height * (high - math.log10(value)) / (high - low)

    parts = [text(x, y, title, 13, "text", weight=600)]
    for power in range(low, high + 1):
        at = place(0, 10.0**power)[1]
        parts.append(f'  <line x1="{x + 44}" x2="{x + width - 20}" y1="{at:.1f}" y2="{at:.1f}" class="line"/>')
        parts.append(text(x + 38, at + 4, duration(10.0**power).replace(".0", ""), 11, "faint", "end"))
    for i, size in enumerate(SIZES):
        parts.append(text(place(i, 1)[0], y + 14 + height + 16, f"{size:,}", 11, "faint", "middle"))
    for who, kind in (("peer", "other"), ("ours", "ours")):
        points = [place(i, value) for i, value in enumerate(values[who])]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'  <polyline points="{path}" fill="none" stroke-width="2.5" class="stroke-{kind}"/>')
        for px, py in points:
            parts.append(f'  <circle cx="{px:.1f}" cy="{py:.1f}" r="3.5" class="{kind}"/>')
        px, py = points[-1]
        parts.append(text(px + 9, py + 4, duration(values[who][-1]), 12, "text", weight=600 if who == "ours" else 400))
    return parts


def draw(figures, theme):
    colors = THEMES[theme]
    right = 498
    ratio = figures["scrape.10000.peer_over_ours_cpu"]
    description = (
        f"With hot caches a switch costs {figures['hook.hot, in turns.on_switch.net_ns']:.0f} ns, cpudist's "
        f"{figures['hook.hot, in turns.cpudist.net_ns']:.0f} ns. A scrape with 10,000 processes takes "
        f"{duration(figures['scrape.10000.ours.time_ms'])}, that of the /proc exporter "
        f"{duration(figures['scrape.10000.peer.time_ms'])} and {ratio:.0f} times the CPU."
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title desc" '
        'font-family="system-ui, -apple-system, \'Segoe UI\', Helvetica, Arial, sans-serif">',
        '  <title id="title">What sched_exporter costs</title>',
        f'  <desc id="desc">{description}</desc>',
        "  <style>",
        f"    .text {{ fill: {colors['text']}; }} .faint {{ fill: {colors['faint']}; }}",
        f"    .ours {{ fill: {colors['ours']}; }} .other {{ fill: {colors['other']}; }}",
        f"    .stroke-ours {{ stroke: {colors['ours']}; }} .stroke-other {{ stroke: {colors['other']}; }}",
        f"    .line {{ stroke: {colors['line']}; stroke-width: 1; }}",
        "  </style>",
        text(8, 22, "One switch of tasks", 15, "text", weight=600),
        text(430, 22, "more than an empty BPF program", 12, "faint", "end"),
        text(right, 22, "One scrape, by the number of processes", 15, "text", weight=600),
    ]
    for i, (load, title) in enumerate(LOADS):
        parts += bars(figures, 8, 52 + i * 132, title, load)
    parts += lines(figures, right, 52, "time", "time")
    parts += lines(figures, right, 236, "CPU time", "cpu")
    parts.append(f'  <circle cx="{right + 7}" cy="{HEIGHT - 16}" r="4" class="ours"/>')
    parts.append(text(right + 17, HEIGHT - 12, "sched_exporter", 12))
    parts.append(f'  <circle cx="{right + 127}" cy="{HEIGHT - 16}" r="4" class="other"/>')
    parts.append(text(right + 137, HEIGHT - 12, "prometheus-process-exporter", 12, "faint"))
    return "\n".join(parts + ["</svg>", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} FIGURES DIRECTORY")
    figures = read_figures(sys.argv[1])
    for theme in THEMES:
        with open(f"{sys.argv[2]}/performance-{theme}.svg", "w", encoding="utf-8") as file:
            file.write(draw(figures, theme))


main()
