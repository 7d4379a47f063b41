"""The Comparator: finds where two deep-learning models of drug response differ most."""


def __getattr__(name: str) -> str:
    """`__version__`, that of the installed package. It is looked up late: models import this file in images."""
    if name == "__version__":
        from importlib.metadata import version

        return version("comparator")
    raise AttributeError(f"module 'comparator' has no attribute '{name}'")
