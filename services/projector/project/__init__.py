"""How a project stands: what was decided about it, its job, its runs, its alerts and notifications."""
