"""The tree of a story as a drawn picture: fold, lay out, write as SVG, render as PNG."""
