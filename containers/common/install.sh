#!/usr/bin/env bash
# Called while an image of a model is built: install.sh MODEL PACKAGE...
# Installs what all models need and the further packages, and puts the model's scripts on the PATH. The folders stand in
# the image as in the project.
set -eu
project=/usr/local/comparator
model=$1
shift

find $project -name __pycache__ -prune -exec rm -rf {} +
# The set-up of a host's own certificates is not the image's.
install=(python3 -m pip install --no-cache-dir --root-user-action ignore)
if python3 -m pip install --help | grep -q break-system-packages; then
    install+=(--break-system-packages)
fi
# build-container.sh lends the folder where the host's pip finds packages.
if compgen -G '/mnt/*.whl' >/dev/null; then
    install+=(--find-links /mnt)
fi
"${install[@]}" 'numpy>=1.26' 'pandas>=2.2' 'scipy>=1.15' 'rdkit>=2024.9' "$@"
"${install[@]}" --no-deps -r $project/data-requirements.txt
rm $project/data-requirements.txt
for script in train.sh preprocess.sh infer.sh; do
    ln -s "$project/containers/$model/$script" /usr/local/bin/$script
done
mkdir -p /candle_data_dir
