"""What each command does, by kind: playing, retelling, moving, hosting, showing."""
