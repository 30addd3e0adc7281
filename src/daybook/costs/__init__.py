"""What a month of agents costs on AWS: a workload, what it uses, and what that is billed.

Arithmetic and nothing else: nothing here sends a request or reads the clock.

    >>> from daybook.costs import Workload, bill
    >>> one = bill(Workload(agents=1, cycles_per_day=144, decisions_per_cycle=4))
    >>> one.dollars < bill(Workload(agents=2, cycles_per_day=144, decisions_per_cycle=4)).dollars
    True
"""

from daybook.costs.bill import Bill, Line, bill
from daybook.costs.prices import AS_OF, PRICES, REGION, Meter, Price
from daybook.costs.usage import Use, usage
from daybook.costs.workload import HOURS_A_MONTH, Workload

__all__ = [
    "AS_OF",
    "HOURS_A_MONTH",
    "PRICES",
    "REGION",
    "Bill",
    "Line",
    "Meter",
    "Price",
    "Use",
    "Workload",
    "bill",
    "usage",
]
