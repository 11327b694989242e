"""The simulated site: its data, the acts that change it, and the log of every change."""
