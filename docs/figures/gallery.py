"""Draws the pictures of docs/gallery.md by its commands: ``python docs/figures/gallery.py [part of a command ...]``."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = re.findall(r"^python (examples/.*)$", (ROOT / "docs/gallery.md").read_text(encoding="utf-8"), re.MULTILINE)


def main() -> None:
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "docs/figures/gallery").mkdir(exist_ok=True)
    for command in COMMANDS:
        if len(sys.argv) == 1 or any(part in command for part in sys.argv[1:]):
            print(command, flush=True)
            subprocess.run([sys.executable, *shlex.split(command)], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
