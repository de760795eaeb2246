"""Names of code are links to the API: `theory.dufm.bounds` anywhere, `bounds` on the page of `theory.dufm`."""

import re

CODE = re.compile(r"<code>((?:\w+\.)*\w+)</code>(?!\s*</(?:a|autoref|h\d))")
ROOTS = ("theory.", "numerics.", "nct.")


def on_page_content(content, *, page, config, files):
    path = page.file.src_uri.removesuffix(".md").removesuffix("/index")
    module = path.removeprefix("api/").replace("/", ".") if path.startswith("api/") else None

    def linked(found):
        name = found[1]
        if not name.startswith(ROOTS):
            if module is None:
                return found[0]
            name = f"{module}.{name}"
        return f'<autoref identifier="{name}" optional>{found[0]}</autoref>'

    return CODE.sub(linked, content)
