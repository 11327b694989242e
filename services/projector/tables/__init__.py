"""How rows get into the read tables, and how far these are. Nothing here knows an event, nor what a row means."""
