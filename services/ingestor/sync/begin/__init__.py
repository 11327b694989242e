"""How a run asks Jira before its pages: whether there is anything new, and what a longer run has to know."""
