"""The live reader: the migrations that Django has imported, to the values that the static reader makes of their source.

Here the project runs: its settings are in force and its modules are imported. No database is asked for anything.
"""
