"""Line plots as SVG, in a few lines of text: axes with ticks, one line for each series, whiskers for its range."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777", "#000000", "#ee7733", "#009988"]
WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 76, 130, 34, 46


def nice_ticks(low, high, about=5):
    """Round numbers from below `low` to above `high`."""
    if high <= low:
        high = low + 1
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= min((1, 2, 5, 10), key=lambda times: abs((high - low) / (step * times) - about))
    first = math.floor(low / step)
    ticks = []
    while not ticks or ticks[-1] < high:
        ticks.append((first + len(ticks)) * step)
    return ticks


def log_ticks(low, high):
    """The powers of ten around."""
    return [10.0 ** power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def short(number):
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= limit:
            return f"{number / limit:g}{unit}"
    return f"{number:g}"


class Axis:
    def __init__(self, label, values, log=False, at=None, from_zero=False):
        self.label, self.log = label, log
        low, high = min(values), max(values)
        if at is not None:
            self.ticks = sorted(set(at))
        elif log:
            self.ticks = log_ticks(low, high)
        else:
            self.ticks = nice_ticks(0 if from_zero else low, high)
        self.low, self.high = min(low, self.ticks[0]), max(high, self.ticks[-1])
        if self.low == self.high:
            self.low, self.high = (self.low / 2, self.high * 2) if log else (self.low - 1, self.high + 1)

    def place(self, value):
        """From 0 to 1 along the axis."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def lines(title, x, y, series):
    """`series`: {name: [(x, y, low, high)]}; a point without a range has low = high = y."""
    def px(value):
        return LEFT + x.place(value) * (WIDTH - LEFT - RIGHT)

    def py(value):
        return HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}</text>']
    for tick in y.ticks:
        out.append(f'<path d="M{LEFT} {py(tick):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 6}" y="{py(tick) + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    for tick in x.ticks:
        out.append(f'<path d="M{px(tick):.1f} {HEIGHT - BOTTOM}v4" stroke="black"/>'
                   f'<text x="{px(tick):.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{short(tick)}</text>')
    out.append(f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="black"/>'
               f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>'
               f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{escape(y.label)}</text>')
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = sorted(points)
        path = "L".join(f"{px(at):.1f} {py(value):.1f}" for at, value, _, _ in points)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        if len(points) <= 30:
            for at, value, low, high in points:
                if high > low:
                    out.append(f'<path d="M{px(at):.1f} {py(low):.1f}V{py(high):.1f}" stroke="{colour}" stroke-width="0.8"/>')
                out.append(f'<circle cx="{px(at):.1f}" cy="{py(value):.1f}" r="2.6" fill="{colour}"/>')
        line = TOP + 10 + 18 * number
        out.append(f'<path d="M{WIDTH - RIGHT + 10} {line}h18" stroke="{colour}" stroke-width="2"/>'
                   f'<text x="{WIDTH - RIGHT + 34}" y="{line + 4}">{escape(name)}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
