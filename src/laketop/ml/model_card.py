"""The model card: what a model is for, made of, and worth, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CARD_FILE = "model_card.md"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model card says; `text` is Markdown.

    Source: the sections of Mitchell et al., Model Cards for Model Reporting (2019), those that a
    training run knows by itself.
    """

    name: str
    intended_use: str
    owner: str
    limits: tuple[str, ...] = ()
    personal_data: str = "none"
    rows: int
    period: str
    positive_share: float
    inputs: Mapping[str, int] = field(default_factory=dict)
    code_version: str = "uncommitted"
    parameters: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a card that leaves open what only a person knows."""
        for what in ("name", "intended_use", "owner"):
            if not getattr(self, what).strip():
                raise ValueError(f"a model card needs {what!r}, which is empty")

    @property
    def text(self) -> str:
        """The card as Markdown."""
        parts = [
            f"# {self.name}",
            f"Owner: {self.owner}. Personal data: {self.personal_data}.",
            "## Intended use",
            self.intended_use,
            "## Limits",
            "\n".join(f"- {limit}" for limit in self.limits) or "None are stated.",
            "## Training data",
            f"{self.rows:,} rows, {self.period}; {self.positive_share:.1%} of them positive.",
            _table(("table", "version"), {k: str(v) for k, v in sorted(self.inputs.items())}),
            f"Code: `{self.code_version}`.",
            "## Parameters",
            _table(("parameter", "value"), {k: str(v) for k, v in self.parameters.items()}),
            "## Measured",
            _table(("figure", "value"), {k: f"{v:.4f}" for k, v in self.metrics.items()}),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"


def _table(head: tuple[str, str], rows: Mapping[str, str]) -> str:
    if not rows:
        return ""
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [f"| {_cell(name)} | {_cell(value)} |" for name, value in rows.items()]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
