"""One attempt on its way: out through a channel, what follows from the outcome, and what is kept of it."""
