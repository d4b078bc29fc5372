"""Commands of the ``minsyn`` program, one a file: functions with Typer annotations.

What a command needs is imported when it runs.
"""
