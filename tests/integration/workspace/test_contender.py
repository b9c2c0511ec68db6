"""A registered version stands for evaluation as the registry describes it."""

from __future__ import annotations

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.integration.workspace.conftest import USER
from tests.integration.workspace.test_model_registry import FEATURES, register
from tests.integration.workspace.test_model_registry import registry as registry  # noqa: PLC0414

from laketop.ml import contender

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")


def test_a_contender_is_what_the_registry_says_of_it(registry: MlflowClient) -> None:
    register("main.ml.stands")
    registry.set_model_version_tag("main.ml.stands", "1", "owner", "flights")
    registry.update_model_version("main.ml.stands", "1", "predicts the distance")
    found = contender(registry, "main.ml.stands", "1")
    assert found.inputs == {"distance": "double", "hour": "double"}
    assert (found.outputs, found.author) == (1, USER)
    assert (found.description, found.tags) == ("predicts the distance", {"owner": "flights"})
    assert "scikit-learn" in found.requirements
    assert found.predict(FEATURES) == pytest.approx(FEATURES["distance"].to_numpy())
    with pytest.raises(MlflowException, match="not found"):
        contender(registry, "main.ml.stands", "9")
