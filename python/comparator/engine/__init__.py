"""Engines: what carries evaluations to workers."""
