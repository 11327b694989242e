"""A notification in words, and the contract between the loop and the channels."""
