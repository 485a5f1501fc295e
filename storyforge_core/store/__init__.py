"""The only SQL in the project: tables, queries, migrations at start, the embedded server."""
