"""Processes of our own: started, heard, kept alive, and ended. What they are is not known here."""
