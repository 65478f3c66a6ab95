"""The command line of `load-tests/run`."""

import argparse
import signal
import sys
from pathlib import Path

from . import report, side_by_side, tools
from .oha import compare
from .processes import Failure, Processes
from .run_scenario import run_scenario
from .scenarios import SCENARIOS
from .side_by_side import OTHER_CORE, SERVER_CORE
from .stack import Aws, Redis, start_service
from .table import table

REPORT = tools.WORK / "report.html"
OTHERS = {"oha": "raw comparisons with oha", "side-by-side": "this service beside the floor, nginx and peers"}


def main() -> int:
    arguments = parse()
    # the way out of Ctrl-C: `with` ends what was started
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return run(arguments.scenarios or [scenario.name for scenario in SCENARIOS])
    except Failure as failure:
        print(f"load-tests/run: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parse() -> argparse.Namespace:
    names = [scenario.name for scenario in SCENARIOS] + list(OTHERS)
    lines = [f"  {scenario.name:14}{scenario.question}" for scenario in SCENARIOS]
    lines += [f"  {name:14}{what}" for name, what in OTHERS.items()]
    parser = argparse.ArgumentParser(
        prog="load-tests/run",
        description="Starts what it needs on loopback, runs, prints a table, writes target/load-tests/report.html.",
        epilog="scenarios; all of k6 without one:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="scenario", choices=[*names, []], help="any of those below")
    return parser.parse_args()


def run(names: list[str]) -> int:
    programs = tools.build(*(side_by_side.EXAMPLES if "side-by-side" in names else []))
    chosen = [scenario for scenario in SCENARIOS if scenario.name in names]
    sections, holds = [], True
    tools.WORK.mkdir(parents=True, exist_ok=True)
    if chosen:
        section, holds = run_k6(chosen, programs)
        sections += section
    if "oha" in names:
        sections.append(run_oha(programs))
    if "side-by-side" in names:
        sections.append(side_by_side.run(programs))
    REPORT.write_text(report.page(sections))
    tools.say(f"report: {REPORT}")
    return 0 if holds else 1


def run_k6(chosen: list, programs: Path) -> tuple[list[str], bool]:
    tools.k6()
    results = []
    with Processes(tools.WORK / "logs") as processes:
        aws = Aws(processes, programs)
        for scenario in chosen:
            tools.say(f"{scenario.name}, {scenario.length():.0f} s: {scenario.question}")
            result = run_scenario(scenario, programs, aws, processes)
            for verdict in result.verdicts:
                print(f"   {'ok    ' if verdict.holds else 'FAILED'} {verdict.text}", flush=True)
            results.append(result)
    titles, rows = report.scenario_rows(results)
    print(f"\n{table(titles, rows)}\n")
    return [report.html_table(titles, rows), *map(report.scenario_section, results)], all(one.holds for one in results)


def run_oha(programs: Path) -> str:
    with Processes(tools.WORK / "logs" / "oha") as processes:
        aws = Aws(processes, programs)
        redis = Redis(processes)
        one_worker = {"REDIS_URL": redis.url, "BEETROOT__SERVER__WORKERS": "1"}
        _, address = start_service(processes, programs, aws.variables | one_worker, cores=SERVER_CORE)
        titles, rows = compare(address, f"{address}/healthz", OTHER_CORE)
    print(f"\n{table(titles, rows)}\n")
    return f"<section><h2>oha</h2><p>One core for the service, the other for oha; alternating rounds, medians. The floor is /healthz of the same service.</p>{report.html_table(titles, rows)}</section>"
