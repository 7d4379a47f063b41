"""Models: what stands behind `train.sh` or `run(params)`, and how one training of it is carried out."""
