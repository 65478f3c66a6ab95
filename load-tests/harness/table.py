"""Tables for a terminal; as Markdown they are the same."""


def table(titles: list[str], rows: list[list[str]]) -> str:
    """The first column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in [titles, *rows]) for at in range(len(titles))]

    def line(cells: list[str]) -> str:
        first, *others = [(cell, width) for cell, width in zip(cells, widths)]
        return " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]).join(["| ", " |"])

    rule = "| " + " | ".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]) + " |"
    return "\n".join([line(titles), rule, *map(line, rows)])


def quantity(value: float) -> str:
    """Three digits that matter, thousands apart."""
    if value == 0 or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


def part(ratio: float) -> str:
    """Of something that is 1."""
    return f"1/{1 / ratio:,.0f}" if ratio < 0.1 else f"{ratio:.2f}"
