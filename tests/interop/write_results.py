"""Writes the results of the last run between the marks in docs/interop.md."""

import kit

DOCUMENT = kit.ROOT / "docs" / "interop.md"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"

before, rest = DOCUMENT.read_text().split(BEGIN)
after = rest.split(END)[1]
DOCUMENT.write_text(before + BEGIN + (kit.WORK / "results.md").read_text() + END + after)
