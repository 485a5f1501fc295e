"""Every expected failure. The text of each is one sentence or two, fit to be shown to a player.

StoryForgeError
├── Refused            the asker can do something else; nothing went wrong
│   ├── Invalid        the words make no sense here
│   ├── NotFound       no such scene, story, player …
│   ├── NotAllowed     somebody else may do this
│   ├── Busy           something is under way; ask again later
│   └── TooFast        rate limit; `retry_after` seconds
├── ServiceDown        a model or server is away, silent or broken; worth another try
│   ├── ServiceSilent  it took the request and said nothing in time
│   └── BrokenAnswer   it answered something unusable
├── Superseded         another worker has taken this run over; nobody needs to be told
├── ModelMissing       the server is there, the model is not; another try is pointless
│   └── WindowTooSmall it is there, and reads less at once than is planned
├── PaintingFailed    no picture comes of this, and asking again would change nothing
└── SetupError         the owner has to change something; the program cannot start
"""


class StoryForgeError(Exception):
    """An expected failure; `str(error)` is fit to be shown to a player."""


class Refused(StoryForgeError):
    """The request cannot be done; the text says what can."""


class Invalid(Refused):
    """The words of the request make no sense here."""


class NotFound(Refused):
    """What the request names does not exist."""


class NotAllowed(Refused):
    """Somebody else may do this."""


class Busy(Refused):
    """Something is under way that has to end first."""


class TooFast(Refused):
    """Too many requests in a short time.

    Attributes:
        retry_after: seconds until the next request is welcome.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceDown(StoryForgeError):
    """A server is away, overloaded or broke off; the same request may work later."""


class ServiceSilent(ServiceDown):
    """A server accepted the request and then said nothing within the time limit."""


class BrokenAnswer(ServiceDown):
    """A server answered something that cannot be used."""


class ModelMissing(StoryForgeError):
    """The server is there, the model is not: trying again is pointless until the owner gets it."""


class WindowTooSmall(ModelMissing):
    """The model is there, but reads less at once than prompts are planned for: it would lose parts of the story."""


class Superseded(StoryForgeError):
    """Another worker has taken this run over; this one lets go without a word."""


class PaintingFailed(StoryForgeError):
    """A picture cannot be painted like this; the same request would fail again."""


class SetupError(StoryForgeError):
    """The owner has to change something before the program can run."""
