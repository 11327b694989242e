"""How the syncs stand: state, job, runs, log, absences, drift."""
