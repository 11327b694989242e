"""Jira's endpoints over a site. They read it only: what changes it stands in `site.mutations`, behind `control`."""
