"""The whole system as one command: `jdi up`, `jdi demo`."""
