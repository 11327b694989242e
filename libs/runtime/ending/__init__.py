"""The end of a process: asked for, in time whatever hangs, and with the right exit code."""
