"""The rules of branching stories: pure, frozen values; standard library only, no clock, no input or output."""
