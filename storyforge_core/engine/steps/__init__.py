"""One function per stage of a recipe: a frozen draft in, a better draft out."""
