"""Gates on what goes in and comes out: the signature, and that a champion's callers go on."""

from __future__ import annotations

from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Verdict

_KINDS = {
    "boolean": "b",
    "integer": "iu",
    "long": "iu",
    "float": "fiu",
    "double": "fiu",
    "string": "O",
    "datetime": "M",
}


def signature() -> Gate:
    """Return a gate that wants inputs and outputs declared, and every input in the rows.

    `measured` counts the faults: no signature, a missing column, a column of another type.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        faults = [] if candidate.inputs and candidate.outputs else ["no signature"]
        for name, kind in candidate.inputs.items():
            if name not in rows.features.columns:
                faults.append(f"{name!r} is not in the rows")
            elif rows.features[name].dtype.kind not in _KINDS.get(kind, ""):
                faults.append(f"{name!r} is {rows.features[name].dtype}, not {kind}")
        reason = "; ".join(faults) or f"{len(candidate.inputs)} inputs, all in the rows"
        return Verdict(
            gate="signature",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason=reason,
        )

    return gate


def compatible_schema() -> Gate:
    """Return a gate that wants callers of the champion to be able to call the candidate.

    An input that the champion does not take, one of another type, and another number of outputs
    are faults, which `measured` counts; an input that is no longer taken is none, since a column
    too many is dropped.
    """

    def gate(candidate: Contender, champion: Contender | None, rows: LabelledRows) -> Verdict:
        del rows
        if champion is None:
            return Verdict(gate="compatible_schema", passed=True, reason="no champion yet")
        faults = []
        for name, kind in candidate.inputs.items():
            before = champion.inputs.get(name)
            if before is None:
                faults.append(f"{name!r} is a new input")
            elif before != kind:
                faults.append(f"{name!r} was {before}, is {kind}")
        if candidate.outputs != champion.outputs:
            faults.append(f"{champion.outputs} outputs have become {candidate.outputs}")
        same = f"callers of version {champion.version} need no change"
        return Verdict(
            gate="compatible_schema",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason="; ".join(faults) or same,
        )

    return gate
