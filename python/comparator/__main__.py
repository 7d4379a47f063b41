"""`python -m comparator`: the command line of a Python that has no `comparator` on its path."""

from comparator.cli import main

if __name__ == "__main__":
    main()
