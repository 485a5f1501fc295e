"""Turns SVG into PNG, as a program of its own: the renderer holds the interpreter's lock until it is done.

Reads from standard input one JSON object: `svgs`, a list; `fonts`, paths; `system`, whether to load the computer's
fonts too. Writes each PNG after its length in four bytes, big end first. Imports nothing of the project.
"""

import json
import sys

from resvg_py import svg_to_bytes


def main() -> None:
    """Render everything that was asked for."""
    order = json.load(sys.stdin.buffer)
    for svg in order["svgs"]:
        png = svg_to_bytes(svg_string=svg, font_files=order["fonts"], skip_system_fonts=not order["system"])
        sys.stdout.buffer.write(len(png).to_bytes(4) + png)


if __name__ == "__main__":
    main()
