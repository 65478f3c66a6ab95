"""Processes that were started here, and nobody else's: each is ended by its id, whatever happens."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """Something that the runner needs did not happen; the text says what."""


class Processes:
    """All that was started and still runs. Leaving the `with` ends it, the last one first."""

    def __init__(self, logs: Path):
        self.logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self.running: list[Process] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_) -> None:
        for process in reversed(self.running):
            process.end()

    def start(self, name: str, command: list[str], variables: dict[str, str] | None = None, cores: str | None = None):
        """Starts a program with nothing of this environment but PATH and HOME; its output goes to a log of its own.
        `cores` pins it, as taskset writes them."""
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | (variables or {})
        pinned = ["taskset", "-c", cores] if cores else []
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            # a session of its own, or Ctrl-C would reach it before the runner can end things in order
            child = subprocess.Popen(
                [*pinned, *command], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )
        process = Process(name, child, log)
        self.running = [one for one in self.running if one.is_running()] + [process]
        return process


class Process:
    """One of them."""

    def __init__(self, name: str, child: subprocess.Popen, log: Path):
        self.name, self.child, self.log = name, child, log
        # seconds between the polite signal and the other one
        self.end_timeout = 10.0

    @property
    def pid(self) -> int:
        return self.child.pid

    def is_running(self) -> bool:
        return self.child.poll() is None

    def send(self, number: signal.Signals) -> None:
        if self.is_running():
            self.child.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.child.wait()

    def end(self) -> None:
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            self.child.wait(self.end_timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait(self, seconds: float) -> int:
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {seconds:.0f} s; its log: {self.log}") from None

    def tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def until(self, is_ready, what: str, seconds: float = 60.0):
        """Asks again and again until `is_ready` gives something; a process that ended meanwhile is a failure."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := is_ready():
                return found
            if not self.is_running():
                raise Failure(f"{self.name} ended with exit code {self.child.returncode}:\n{self.tail()}")
            time.sleep(0.05)
        raise Failure(f"{self.name}: no {what} within {seconds:.0f} s:\n{self.tail()}")

    def until_answers(self, url: str) -> None:
        self.until(lambda: answers(url), f"answer at {url}")

    def family(self) -> list[int]:
        """It and all its descendants."""
        found, left = [], [self.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    left.extend(int(child) for child in children.read_text().split())
                except OSError:
                    continue
        return found

    def cpu_seconds(self) -> float:
        """Processor time of it and its descendants until now, in steps of a hundredth."""
        total = 0
        for pid in self.family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def resident_bytes(self) -> int:
        """Memory of it and its descendants; what they share is counted once for each."""
        total = 0
        for pid in self.family():
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except OSError:
                continue
        return total


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
