"""Rate limits: a bucket for each route and place, one for everything, and the headers that tell of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import md5

GLOBAL = 50  # requests a second
_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = f"{_MESSAGES}/{{message_id}}"
_REACTION = f"{_MESSAGE}/reactions/{{emoji_name}}"
_ANSWER = "/webhooks/{webhook_id}/{webhook_token}"


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests fit into how long a window."""

    count: int
    window: float  # seconds


RATES: Mapping[tuple[str, str], Rate] = {
    ("POST", _MESSAGES): Rate(5, 5.0),
    ("PATCH", _MESSAGE): Rate(5, 5.0),
    ("DELETE", _MESSAGE): Rate(5, 1.0),
    ("PUT", f"{_REACTION}/@me"): Rate(1, 0.25),
    ("DELETE", f"{_REACTION}/{{user_id}}"): Rate(1, 0.25),
    ("POST", "/channels/{channel_id}/typing"): Rate(5, 5.0),
    ("PATCH", "/channels/{channel_id}"): Rate(5, 15.0),
    ("POST", _ANSWER): Rate(5, 5.0),
    ("PATCH", f"{_ANSWER}/messages/@original"): Rate(5, 5.0),
    ("PATCH", f"{_ANSWER}/messages/{{message_id}}"): Rate(5, 5.0),
}
"""Message windows are what everybody observes: Discord documents no numbers."""
OTHERS = Rate(50, 1.0)


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and what its answer says about the next."""

    retry_after: float
    """0: it may pass."""
    of_all: bool
    headers: Mapping[str, str]


@dataclass(slots=True)
class Limits:
    """Counts requests."""

    window: float = 5.0
    """Seconds for which five messages are let through; the others keep their proportion to it. 0: no limits."""
    _windows: dict[tuple[str, ...], _Window] = field(default_factory=dict)

    def take(self, method: str, template: str, major: str, now: float) -> Verdict:
        """Count one request of a route in a place."""
        if self.window <= 0:
            return Verdict(0.0, of_all=False, headers={})
        free = template.startswith(("/interactions/", "/webhooks/"))
        if not free and (wait := self._count(("all",), Rate(GLOBAL, 1.0), now)[0]):
            return Verdict(wait, of_all=True, headers={})
        rate = RATES.get((method, template), OTHERS)
        rate = Rate(rate.count, rate.window * self.window / 5.0)
        wait, state = self._count((method, template, major), rate, now)
        return Verdict(wait, of_all=False, headers=_headers(f"{method} {template}", rate, state, now))

    def _count(self, key: tuple[str, ...], rate: Rate, now: float) -> tuple[float, _Window]:
        state = self._windows.get(key)
        if state is None or now >= state.ends:
            state = self._windows[key] = _Window(now + rate.window)
        if state.used >= rate.count:
            return max(state.ends - now, 0.001), state
        state.used += 1
        return 0.0, state


def _headers(route: str, rate: Rate, state: _Window, now: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(rate.count),
        "X-RateLimit-Remaining": str(rate.count - state.used),
        "X-RateLimit-Reset": f"{state.ends:.3f}",
        "X-RateLimit-Reset-After": f"{max(state.ends - now, 0.0):.3f}",
        "X-RateLimit-Bucket": md5(route.encode(), usedforsecurity=False).hexdigest(),
        "X-RateLimit-Scope": "user",
    }
