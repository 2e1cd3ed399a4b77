"""Plots of what was measured, as SVG: points on two axes."""
import math

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 44, 56
COLOURS = ("#1b6ca8", "#2a9d5c", "#c8553d", "#7a5195")


def text(x, y, words, anchor="middle", size=13, turn=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-family="sans-serif" fill="#333"{turn}>{words}</text>')


class Axis:
    """From values to places; by powers of ten where `powers` is true."""

    def __init__(self, values, start, end, powers=False):
        self.powers = powers
        self.start, self.end = start, end
        if powers:
            self.low = math.floor(math.log10(min(values)))
            self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        else:
            self.low, self.high = 0, max(values) * 1.05 or 1

    def place(self, value):
        scaled = math.log10(value) if self.powers else value
        return self.start + (scaled - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self):
        if self.powers:
            return [10.0 ** power for power in range(self.low, self.high + 1)]
        step = 10 ** math.floor(math.log10(self.high))
        while self.high / step < 4:
            step /= 2
        return [step * n for n in range(int(self.high / step) + 1)]


def short(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def plot(title, x_name, y_name, series, powers_x=False, powers_y=False):
    """`series`: {name: [(x, y), ...]}, each a line with its points; the text of an SVG."""
    points = [point for line in series.values() for point in line]
    across = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT, powers_x)
    up = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP, powers_y)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             text(WIDTH / 2, 20, title, size=15)]
    for value in across.ticks():
        x = across.place(value)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e4e4e4"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 18, short(value)))
    for value in up.ticks():
        y = up.place(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e4e4e4"/>')
        parts.append(text(LEFT - 8, y + 4, short(value), anchor="end"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_name))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text(16, middle, y_name, turn=f' transform="rotate(-90 16 {middle})"'))
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(across.place(x), up.place(y)) for x, y in line]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(places) < 20:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
                      for x, y in places]
        y = TOP + 14 + 18 * number
        parts.append(f'<path d="M{LEFT + 12} {y - 4}h22" stroke="{colour}" stroke-width="3"/>')
        parts.append(text(LEFT + 40, y, name, anchor="start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def shares(waits):
    """For waits in milliseconds: how long it was for the slowest of so many, as points."""
    ordered = sorted(waits, reverse=True)
    ranks = sorted({int(10 ** (n / 8)) for n in range(8 * len(str(len(ordered))) + 1)})
    return [(rank, ordered[rank - 1]) for rank in ranks if rank <= len(ordered)]
