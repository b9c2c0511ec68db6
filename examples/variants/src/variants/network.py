"""A small network in PyTorch: on CUDA where there is one, else on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import torch

EPOCHS, BATCH, HIDDEN = 20, 256, 32


def device() -> torch.device:
    """Return where to compute."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fitted(inputs: pd.DataFrame, label: pd.Series[float], *, seed: int = 7) -> torch.nn.Module:
    """Return a network, on the CPU again, whose output is the probability of the event.

    Shapes: `inputs` numeric, without nulls; `label` 0 and 1. Inputs are standardised within the
    network. On the CPU the same rows and seed give the same bits.
    Errors: ValueError for a null.
    """
    import torch

    if inputs.isna().any().any():
        raise ValueError("the inputs hold nulls, which the network cannot use")
    torch.manual_seed(seed)
    x = torch.tensor(inputs.to_numpy(dtype="float32"), device=device())
    y = torch.tensor(label.to_numpy(dtype="float32"), device=device()).reshape(-1, 1)
    norm = torch.nn.BatchNorm1d(x.shape[1], affine=False, momentum=None)
    layers = (norm, torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.ReLU())
    network = torch.nn.Sequential(*layers, torch.nn.Linear(HIDDEN, 1), torch.nn.Sigmoid())
    network.to(device())
    steps = torch.optim.Adam(network.parameters(), lr=0.01)
    loss = torch.nn.BCELoss()
    for _ in range(EPOCHS):
        for part in torch.randperm(len(x)).split(BATCH):
            steps.zero_grad()
            loss(network(x[part]), y[part]).backward()
            steps.step()
    return network.cpu().eval()
