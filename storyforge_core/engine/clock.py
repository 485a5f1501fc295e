"""Time and chance as the computer has them."""

import os
import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

from storyforge_core.domain.story import uuid7


class SystemClock:
    """The real clock."""

    def now(self) -> datetime:
        """Tell the time, in UTC."""
        return datetime.now(UTC)

    def new_id(self) -> UUID:
        """Make a UUIDv7."""
        return uuid7(time.time_ns() // 1_000_000, os.urandom(10))

    def seed(self) -> int:
        """Draw a seed, 0 to 2³¹-1."""
        return secrets.randbelow(2**31)
