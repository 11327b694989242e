"""What building the read tables costs, against statements written by hand."""
