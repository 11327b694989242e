"""What `jdi doctor` looks at, a file for each thing that may be ill."""
