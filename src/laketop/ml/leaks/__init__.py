"""Find features of a training set that know more than the moment of prediction allowed.

`find` looks at a training set's specification and rows: the features that were looked up, those
that functions compute, and the columns that the frame brings itself. Each check is a row of
evidence a feature or split:

`after_cutoff`: the share of rows whose feature was looked up, holds, or is a time later than the
row's cut-off. Times that a feature holds are the TIMESTAMP, TIMESTAMP_NTZ and DATE columns of its
feature table that are no key (`last_departure_at`): the newest event that went into the row.
`vanishes_when_lagged`: how much of what the feature tells of the label, in either direction or
only for some of its values, is left when it is looked up a little earlier. An honest feature fades,
one that holds the answer is gone.
`tells_the_label_alone`: how well the feature orders the label by itself, on a sample of the rows.
`made_of_a_leak`: whether the feature is computed from, or looked up by, one that leaks.
`duplicates_across_split`: the share of test rows whose inputs and cut-off a training row has too.
`split_by_time`: the share of training rows whose cut-off is not before the first of the test rows.

A feature table by itself does not tell which events went into its rows. `replay` makes the features
again from their source with the future hidden, and names those that change:

`changes_without_the_future`: the share of feature rows that are otherwise, or are not there, when
what was known only after a moment is hidden.

```python
evidence = leaks.find(spark, training_set, cutoff="known_at", split="month > '2013-03'")
evidence += leaks.replay(
    delays, flights, known="departed_at", keys=["origin"], time="known_at", cutoffs=[moment]
)
leaks.record(spark, "dev.flights", evidence, model="dev.flights.delay", version="3")
leaks.require(evidence)
```
"""

from laketop.ml.evidence import Evidence
from laketop.ml.leaks.finding import find
from laketop.ml.leaks.outcome import leaking, record, require
from laketop.ml.leaks.replaying import replay

__all__ = ["Evidence", "find", "leaking", "record", "replay", "require"]
