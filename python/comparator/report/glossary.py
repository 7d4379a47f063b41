"""What a page's words mean, for who has read nothing else of it."""

from __future__ import annotations

#: Each word, or words that go together, with what it means.
GLOSSARY = (
    (
        "hyperparameter",
        "A setting of a training, such as the noise that is added or the size of a layer. The search varies some of"
        " them: the axes of the map.",
    ),
    (
        "point, evaluation",
        "A point is one value for each of these. An evaluation is what was trained there, with its result.",
    ),
    (
        "metric",
        "How well a model predicts rows that it was not trained on. A loss, as val_loss, is an error: less is better."
        " R2 and a correlation are scores: more is better.",
    ),
    (
        "seed, split",
        "What is left to chance in a training, and which rows of the data are held out. Trainings of one point differ"
        " in these alone.",
    ),
    ("fresh block", "A split of the data with seeds that the search has not used. What was found is tried on several."),
    ("region", "A part of the space in which the two models differ more than in the rest of it."),
    (
        "[ ... ]",
        "An interval of 95 %: where the mean lies, as far as these trainings tell. 1 of 20 such intervals errs.",
    ),
    ("mean predictor", "What always predicts the mean of the labels. A model that is no better has learnt nothing."),
)
