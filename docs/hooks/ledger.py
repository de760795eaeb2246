"""The ledger's pages, below ledger/, from what a run wrote: ``pytest proofs_checks --ledger build/ledger.json``.

Another file is named by LEDGER in the environment. Without one there is a page that tells how to make it.
"""

import os
import tempfile
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
RUN = Path(os.environ.get("LEDGER") or ROOT / "build" / "ledger.json")
ABSENT = """# The ledger

These pages were built without a run of the ledger. To have its pages here:

```sh
python -m pytest proofs_checks --ledger build/ledger.json
mkdocs build --strict
```
"""
pages = tempfile.TemporaryDirectory()


def on_config(config):
    config.nav.insert(1, {"The ledger": "ledger/index.html" if RUN.is_file() else "ledger/index.md"})
    return config


def on_files(files, *, config):
    if not RUN.is_file():
        files.append(File.generated(config, "ledger/index.md", content=ABSENT))
        return files
    from nct.site.command import make_site

    make_site(Path(pages.name), ROOT / "proofs_checks", run=RUN, home="../index.html")
    for path in sorted(path for path in Path(pages.name).rglob("*") if path.is_file()):
        name = f"ledger/{path.relative_to(pages.name).as_posix()}"
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_shutdown():
    pages.cleanup()
