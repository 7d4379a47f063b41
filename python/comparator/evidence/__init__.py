"""What an experiment's numbers are evidence of: pure functions, points and numbers in, plain values out."""
