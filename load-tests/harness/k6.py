"""One k6 script, run to its end, and the summary that lib.js wrote."""

import json
from dataclasses import dataclass
from pathlib import Path

from . import tools
from .processes import Failure, Processes


@dataclass
class Summary:
    # metric → stat → value; times in milliseconds
    figures: dict[str, dict[str, float]]
    thresholds: list[dict]
    failed_checks: list[dict]

    def figure(self, metric: str, stat: str) -> float:
        return self.figures.get(metric, {}).get(stat, 0.0)

    def distribution(self, metric: str) -> list[tuple[float, float]]:
        """Percent of the requests, and the milliseconds within which they were answered."""
        stats = self.figures.get(metric, {})
        points = [(float(name[2:-1]), value) for name, value in stats.items() if name.startswith("p(")]
        return sorted(points)


def start(processes: Processes, script: str, variables: dict[str, str]):
    """k6 on its way, and where its summary will be."""
    summary = tools.WORK / f"{script}.json"
    summary.unlink(missing_ok=True)
    command = [str(tools.k6()), "run", "--quiet", "--no-usage-report", "--address", "", str(tools.LOAD_TESTS / f"{script}.js")]
    return processes.start(f"k6-{script}", command, variables | {"SUMMARY": str(summary)}), summary


def read(process, summary: Path) -> Summary:
    # 99 is a threshold that failed, which the summary tells, too
    if process.child.returncode not in (0, 99) or not summary.exists():
        raise Failure(f"{process.name} ended with exit code {process.child.returncode}:\n{process.tail()}")
    told = json.loads(summary.read_text())
    return Summary(told["figures"], told["thresholds"], told["failedChecks"])
