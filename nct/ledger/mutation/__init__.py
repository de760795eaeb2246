"""Near misses made by machine: false neighbours of a claim's statement, and how many of them its checks reject.

A near miss chosen by hand shows that a check tells the statement from one other. Here the neighbours are made from
the statement itself (`edits_of`): in functions and lambdas the syntax tree is edited at its exact place, with the
closure rebuilt and the constants that it carries put in; in SymPy expressions the tree; in records, tuples, mappings,
arrays and graphs the numbers and switches. Numbers move by two per cent or by one, signs and operators are exchanged,
factors, terms and conditions dropped, comparisons made strict or not, ranges one wider.

What says nothing stronger or different does not count: edits of code that the checks never reach on the statement
itself (`Trace`), those that make a declared bound or condition weaker for all arguments that the checks gave it, and
edits that are no statements (type errors). An edit that is true is declared in the claim's file, ``true_edits={name:
reason}``, which is a fault as soon as a check rejects it. Of the others at least one check has to reject each, by an
AssertionError; a crash is not a refutation.

``pytest proofs_checks --ledger-mutate`` does this for every claim, as one item ``mutants`` more; `Trials` takes the
edits through the checks, the quickest first, and stops at the first that rejects.
"""

from nct.ledger.mutation._edit import Comparison, Edit, Place, name_edits
from nct.ledger.mutation._memory import fingerprint
from nct.ledger.mutation._tracing import Trace
from nct.ledger.mutation._trials import LEAST_OF_A_CLAIM, OutOfTime, Survivor, Tally, Trials, limited
from nct.ledger.mutation._values import Manner, edits_of

__all__ = [
    "LEAST_OF_A_CLAIM",
    "Comparison",
    "Edit",
    "Manner",
    "OutOfTime",
    "Place",
    "Survivor",
    "Tally",
    "Trace",
    "Trials",
    "edits_of",
    "fingerprint",
    "limited",
    "name_edits",
]
