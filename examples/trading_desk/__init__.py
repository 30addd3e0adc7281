"""A trading desk of three agents whose every decision is in Daybook, and who remember.

Read `prices` and `features` for what the agents see, `agents` for what they decide, `results`
for what came of it, `desk` for a day at the desk, `memory` and `learning` for how they recall
and learn, and the three `…door` modules for the ways into the log.
`python -m examples.trading_desk` runs it on the local platform.
"""
