"""Checks of models and sites, one finding for each thing that was tried."""
