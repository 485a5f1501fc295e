"""Discord: a story in a thread, told by edits, steered by slash commands, buttons and reactions."""
