"""One package per place a story can live in; platforms do not know each other."""
