"""Turns commands into told scenes: one door, recipes as data, steps, runner, jobs and the bus."""
