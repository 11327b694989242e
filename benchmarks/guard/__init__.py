"""What work costs as counts that no noise moves, held against budgets: `make bench ARGS=--quick`."""
