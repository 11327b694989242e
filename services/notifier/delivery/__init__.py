"""One attempt on its way: sent through a channel, recorded, and what follows from its outcome."""
