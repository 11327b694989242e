"""How the syncs stand: state, job, runs, log, absences, drift; and what censuses have proved."""
