"""The machine: its profile, the folders of the project, the surroundings of a process."""
