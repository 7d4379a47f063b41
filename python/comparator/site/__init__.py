"""The machine: its profile, the folders of the project, the surroundings of a process, short calls of its programs."""
