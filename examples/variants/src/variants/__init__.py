"""Other families of models, small: boosting, statistics, a network."""
