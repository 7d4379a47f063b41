"""The record: its forms, where it is kept, and what it says of a point."""
