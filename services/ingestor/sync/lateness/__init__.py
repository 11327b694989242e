"""How late Jira's search serves changes: measured by runs, remembered by site, and forgotten with the weeks."""
