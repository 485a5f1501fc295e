"""The terminal: one screen, one keyboard, as many players as somebody speaks for."""
