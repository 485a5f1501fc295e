"""How large an event becomes whose text is still Markdown. Pure.

A homeserver takes events of 65,536 bytes. An encrypted one is its JSON, in which all letters beyond ASCII are escapes
of six or twelve characters, in base64. Every room is counted as if it were encrypted: it can become so at any
time, and a message of 20,000 Latin letters is longer than anybody wants to read it.
"""

import json
from typing import Final

MOST_BYTES = 60_000
"""Of a whole event; what is left is for servers on the way, which sign it."""
SEALED_ENVELOPE = 1024
"""Bytes of an encrypted event around its text: session, sender's key and device, relation."""
ENVELOPE = 2000
"""Bytes of an event's JSON besides its text: types, relation, the fallback of an edit."""
ROOM: Final = (MOST_BYTES - SEALED_ENVELOPE) * 3 // 4 - ENVELOPE
"""Bytes of JSON that a text may take, in both of its forms."""
MAX_CHARS: Final = ROOM // 24
"""So many characters always fit: the largest take twelve bytes in each form; only marks of quotations take more."""
_TAGS: Final = {
    "\n": 4,  # <br>, </p><p>, and the mark of a quotation in the plain form
    "<": 3,
    ">": 36,  # &gt;, or a quotation
    "&": 4,
    "*": 4,  # <strong></strong> are 17 for 4 marks, <em></em> 9 for 2
    "_": 4,
    "~": 2,  # <del></del>
    "|": 8,  # <span data-mx-spoiler=\"\"></span>
    "`": 6,  # <code></code>
    "#": 10,  # <h1></h1>
}
"""What a mark can take in HTML beyond what it takes as a letter."""


def size(text: str) -> int:
    """What a text takes at the most, in bytes of JSON, as plain words and as HTML together."""
    return 2 * (len(json.dumps(text)) - 2) + sum(more * text.count(mark) for mark, more in _TAGS.items())
