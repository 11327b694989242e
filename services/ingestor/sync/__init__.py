"""One run: plan, fetch, translate, look up, record. The order of the steps stands in `workflows`."""
