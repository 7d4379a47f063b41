"""The trees of this package against scikit-learn's, on the same points."""

from __future__ import annotations

import numpy as np
import pytest
from late import Late

from comparator.evidence.coordinates import Coordinates, dense_sample
from comparator.evidence.cover import LEAVES, Lattice
from comparator.evidence.trees import extra_trees
from comparator.space import ParameterSpace

ensemble, tree = Late("sklearn.ensemble"), Late("sklearn.tree")
SPACE = [
    {"name": "noise", "type": "float", "lower": 0, "upper": 50},
    {"name": "size", "type": "int", "lower": 1, "upper": 20},
]


@pytest.mark.long
@pytest.mark.parametrize("columns", [1, 3])
def test_extremely_randomised_trees_say_what_scikit_learns_say(columns: int) -> None:
    rng = np.random.default_rng(columns)
    rows, asked = rng.random((60, columns)), rng.random((200, columns))
    values = np.sin(6 * rows[:, 0]) + (rows[:, -1] > 0.5) + rng.normal(size=60, scale=0.1)
    ours = extra_trees(rows, values, asked, 2000, 3, np.random.default_rng(1))
    theirs = ensemble.ExtraTreesRegressor(2000, min_samples_leaf=3, max_features=1.0, random_state=1).fit(rows, values)
    assert np.abs(ours - theirs.predict(asked)).max() < 0.05
    assert np.abs(ours - theirs.predict(asked)).mean() < 0.01


def test_rows_that_are_alike_are_one_leaf() -> None:
    rng = np.random.default_rng(0)
    ours = extra_trees(np.ones((9, 2)), np.arange(9.0), np.zeros((2, 2)), 4, 3, rng)
    assert ours.tolist() == [4.0, 4.0]


def test_the_leaves_that_boxes_start_from_are_those_of_scikit_learns_tree() -> None:
    coordinates = Coordinates(ParameterSpace.from_entries(SPACE, "here"))
    points = dense_sample(coordinates.space, 2048)
    lattice = Lattice(coordinates, points)
    rng = np.random.default_rng(3)
    weights = np.where(lattice.inside((np.arange(100) < 40, np.arange(20) > 6)), 1.0, -0.5)
    weights *= rng.choice([1.0, -1.0], len(weights), p=[0.9, 0.1])
    their_tree = tree.DecisionTreeClassifier(max_leaf_nodes=LEAVES, random_state=0)
    their_tree.fit(lattice.cells, weights > 0, sample_weight=np.abs(weights))
    theirs = their_tree.predict(lattice.cells)
    ours = np.any([lattice.inside(box) for box in lattice._leaves(weights)[1:]], axis=0)
    assert (ours == theirs).mean() > 0.99
