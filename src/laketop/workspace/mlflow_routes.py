"""The routes of Databricks' own client that MLflow's handlers serve, which a test compares."""

from __future__ import annotations

_API = "/api/2.0/mlflow"

ROUTES = (
    f"GET {_API}/artifacts/list",
    f"GET {_API}/metrics/get-history",
    *(f"GET {_API}/experiments/{name}" for name in ("get", "get-by-name", "list")),
    *(
        f"POST {_API}/experiments/{name}"
        for name in ("create", "delete", "restore", "search", "set-experiment-tag", "update")
    ),
    f"GET {_API}/runs/get",
    *(
        f"POST {_API}/runs/{name}"
        for name in (
            *("create", "delete", "delete-tag", "log-batch", "log-inputs", "log-metric"),
            *("log-model", "log-parameter", "outputs", "restore", "search", "set-tag", "update"),
        )
    ),
    *(f"POST {_API}/logged-models{rest}" for rest in ("", "/search", "/{model_id}/params")),
    *(f"{method} {_API}/logged-models/{{model_id}}" for method in ("DELETE", "GET", "PATCH")),
    f"PATCH {_API}/logged-models/{{model_id}}/tags",
    f"DELETE {_API}/logged-models/{{model_id}}/tags/{{key}}",
)
"""`"METHOD /path"`, holes in braces."""
