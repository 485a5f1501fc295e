"""Shows what happens in every room that watches: once, in order, whatever the platform allows."""
