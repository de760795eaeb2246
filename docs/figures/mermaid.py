"""Draws the Mermaid drawings of docs/, as pictures beside this file: ``python docs/figures/mermaid.py mermaid.min.js``.

The pages of the site show the pictures, so that readers need no script. mermaid.min.js comes from ``npm pack mermaid``;
the browser is the system's Chromium, driven by Playwright.
"""

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parents[1]
sys.path.insert(0, str(DOCS / "hooks"))
from drawings import FENCE, digest, picture  # noqa: E402

OPTIONS = "{startOnLoad: false, theme: 'neutral', fontFamily: 'sans-serif', flowchart: {htmlLabels: false}}"


def main(script: str) -> None:
    with sync_playwright() as run:
        browser = run.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content("<body></body>")
        page.add_script_tag(path=script)
        page.evaluate(f"mermaid.initialize({OPTIONS})")
        for path in sorted(DOCS.rglob("*.md")):
            for number, source in enumerate(FENCE.findall(path.read_text(encoding="utf-8"))):
                svg = page.evaluate("async source => (await mermaid.render('drawing', source)).svg", source)
                svg = re.sub(r'width="100%"', "", svg, count=1)
                DOCS.joinpath(picture(path.stem, number)).write_text(
                    f"{svg}\n<!-- {digest(source)} -->\n", encoding="utf-8"
                )
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
