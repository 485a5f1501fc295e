"""Words and pictures on one graphics card: who goes first, and who waits how long. Pure; times in seconds.

Words go first. While a scene is told, or is about to be, no picture is begun. One that is being painted then is painted
to its end if that is near; otherwise it is put aside and painted anew afterwards, so that a scene never waits longer
than `MOST_WAIT`. A picture is put aside so often and no more: then it keeps the card, and words come beside it.
"""

from typing import Final

SOON: Final = 20
"""Before a vote's time is up, no picture is begun."""
FORGOTTEN: Final = 60
"""A scene that nobody has taken up for so long holds up no picture any more."""
NEARLY: Final = 10.0
"""A picture that takes no longer than this is painted to its end."""
MOST_WAIT: Final = 15.0
"""A scene waits for the card no longer."""
MOST_TIMES: Final = 4
"""How often one picture is put aside."""


def goes_on(painted_for: float, done: float, put_aside: int) -> bool:
    """Tell whether a picture keeps the card although a scene waits for it.

    Args:
        painted_for: how long it has been painted, loading the model included.
        done: how much of it is painted, from 0 to 1.
        put_aside: how often it was put aside before.
    """
    if put_aside >= MOST_TIMES:
        return True
    return done > 0 and painted_for * (1 - done) / done <= NEARLY
