"""The text of /metrics as numbers."""

import re

LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """All values of one moment."""

    def __init__(self, text: str):
        self.values: list[tuple[str, dict[str, str], float]] = []
        for line in text.splitlines():
            if found := LINE.match(line):
                name, labels, value = found.groups()
                self.values.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def total(self, name: str, **labels: str) -> float:
        """The sum over all values of this name that have these labels; 0 when there is none."""
        wanted = labels.items()
        return sum(value for found, has, value in self.values if found == name and wanted <= has.items())
