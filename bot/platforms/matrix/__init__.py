"""Matrix: rooms of any homeserver, encrypted or not. Nothing outside this package knows nio."""
