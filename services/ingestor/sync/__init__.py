"""One run: plan, fetch, translate, record. The order of its steps stands in `workflows`."""
