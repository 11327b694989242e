"""Whether all is there: what censuses found of a project, and what is proved by them."""
