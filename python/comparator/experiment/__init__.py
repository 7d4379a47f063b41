"""One experiment from its file to its end: its settings, the frozen plan, the controller, the session."""
