"""Knows stories, not chat platforms: rules, engine, store and providers."""
