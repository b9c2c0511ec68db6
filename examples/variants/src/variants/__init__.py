"""Other families of models, small: boosting, statistics, a network, features of a graph."""
