"""What can be wrong without a load test noticing: numbers that are read from other programs, and the end of processes.

`python3 -m unittest discover -s load-tests -t load-tests`
"""

import os
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

from harness import charts, oha
from harness.openmetrics import Metrics
from harness.processes import Failure, Processes
from harness.table import part, quantity, table

OHA = """{"summary": {"requestsPerSec": 1000.5, "sizePerRequest": 7}, "latencyPercentiles": {"p50": 0.001, "p99": 0.02},
"statusCodeDistribution": {%s}, "errorDistribution": {%s}}"""


class OpenMetrics(unittest.TestCase):
    TEXT = """# HELP beetroot_answers Lists given.
# TYPE beetroot_answers counter
beetroot_answers_total{state="fresh"} 7
beetroot_answers_total{state="made"} 2
beetroot_http_in_flight 1
beetroot_http_requests_total{route="/persons/{personId}/photos",method="GET",status="200"} 4
# EOF
"""

    def test_values_are_added_up_over_the_labels_that_are_not_asked_for(self):
        metrics = Metrics(self.TEXT)
        self.assertEqual(metrics.total("beetroot_answers_total"), 9)
        self.assertEqual(metrics.total("beetroot_answers_total", state="made"), 2)
        self.assertEqual(metrics.total("beetroot_answers_total", state="kept"), 0)
        self.assertEqual(metrics.total("beetroot_http_in_flight"), 1)

    def test_a_label_may_hold_braces(self):
        route = "/persons/{personId}/photos"
        self.assertEqual(Metrics(self.TEXT).total("beetroot_http_requests_total", route=route), 4)


class Oha(unittest.TestCase):
    def test_seconds_become_milliseconds(self):
        load = oha.parse(OHA % ('"200": 10', ""), "200")
        self.assertEqual(load, oha.Load(requests=10, per_second=1000.5, p50=1.0, p99=20.0, bytes=7))

    def test_another_status_and_an_error_are_failures(self):
        for statuses, errors in [('"200": 10, "503": 1', ""), ('"304": 10', ""), ('"200": 10', '"connection closed": 1'), ("", "")]:
            with self.subTest(statuses=statuses, errors=errors), self.assertRaises(Failure):
                oha.parse(OHA % (statuses, errors), "200")

    def test_what_the_end_of_the_time_broke_off_is_no_error(self):
        load = oha.parse(OHA % ('"200": 10', '"aborted due to deadline": 32'), "200")
        self.assertEqual(load.requests, 10)


class ProcessesOfOurOwn(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.logs = Path(folder.name)

    def test_they_end_with_the_block_even_when_it_fails_and_they_ignore_the_polite_signal(self):
        with self.assertRaises(ZeroDivisionError):
            with Processes(self.logs) as processes:
                stubborn = processes.start("stubborn", ["sh", "-c", "trap '' TERM; echo on; while :; do sleep 1; done"])
                stubborn.until(lambda: "on" in stubborn.tail(), "word")
                stubborn.end_timeout = 0.1
                raise ZeroDivisionError
        with self.assertRaises(ProcessLookupError):
            os.kill(stubborn.pid, 0)

    def test_one_that_ends_before_it_is_ready_tells_why(self):
        with Processes(self.logs) as processes, self.assertRaisesRegex(Failure, "(?s)exit code 3.*no such luck"):
            processes.start("unlucky", ["sh", "-c", "echo no such luck; exit 3"]).until(lambda: False, "luck")

    def test_only_path_and_home_of_this_environment_reach_them(self):
        os.environ["AWS_PROFILE_OF_SOMEBODY"] = "real"
        self.addCleanup(os.environ.pop, "AWS_PROFILE_OF_SOMEBODY")
        with Processes(self.logs) as processes:
            env = processes.start("env", ["env"], {"PORT": "1"})
            env.wait(10)
        names = {line.split("=")[0] for line in env.tail().splitlines()}
        self.assertLessEqual(names, {"PATH", "HOME", "PORT", "PWD", "SHLVL", "_", "LC_CTYPE"})
        self.assertIn("PORT", names)


class Drawings(unittest.TestCase):
    def test_every_plot_is_well_formed_even_with_odd_names_and_values(self):
        plots = [
            charts.lines([("a<b", [(0, 0), (1, 5)]), ("&", [(0, 1)])], "x", "y", marks=[(0.5, "<mark>")]),
            charts.lines([("one", [(0, 0.02), (6, 300)])], "x", "y", logarithmic=True),
            charts.bars([("none", 0, "0", 0), ("some", 7, "7", 1)], "bars & more"),
            charts.dots([("few", 0.03, "0.03", 0), ("many", 7000, "7k", 1)], "dots & more"),
        ]
        for plot in [*plots, charts.standalone(charts.stacked(plots))]:
            xml.fromstring(plot)

    def test_an_axis_reaches_over_its_highest_value_in_round_steps(self):
        for top, expected in [(0, [0, 1]), (4, [0, 1, 2, 3, 4]), (23, [0, 10, 20, 30]), (100, [0, 25, 50, 75, 100])]:
            self.assertEqual(charts.steps(top), expected, top)


class Tables(unittest.TestCase):
    def test_columns_are_aligned_and_it_is_markdown(self):
        self.assertEqual(
            table(["", "rate"], [["ours", "1"], ["floor", "12,000"]]),
            "|       |   rate |\n| ----- | -----: |\n| ours  |      1 |\n| floor | 12,000 |",
        )

    def test_a_small_part_is_told_as_a_fraction(self):
        self.assertEqual([part(value) for value in (1.0, 0.89, 0.0134)], ["1.00", "0.89", "1/75"])

    def test_quantities_have_the_digits_that_matter(self):
        self.assertEqual([quantity(value) for value in (0, 0.034, 3.14159, 42.0, 12345.6)], ["0", "0.03", "3.1", "42.0", "12,346"])


if __name__ == "__main__":
    unittest.main()
