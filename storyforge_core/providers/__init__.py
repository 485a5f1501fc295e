"""One file per engine that writes, paints or speaks."""
