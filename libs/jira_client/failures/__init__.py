"""What a failure means: from an answer or an exception to a code with advice. Pure; needs no HTTP library."""
