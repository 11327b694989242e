"""Files that are damaged, cut short, replaced or removed, while everything runs and while nothing does."""
