"""Following the log: the loop, a reader with saved state, the lag, one leader among several processes."""
