"""The commands: one table, how they are typed, how they are explained."""
