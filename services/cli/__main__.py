"""`python -m services.cli` is `jdi`."""

from services.cli.commands import main

if __name__ == "__main__":
    main()
