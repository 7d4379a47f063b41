"""The tables of a data folder: cell lines, drugs, responses and features, as users and other programs write them."""
