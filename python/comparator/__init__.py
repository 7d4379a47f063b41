"""The Comparator: finds where two deep-learning models of drug response differ most."""
