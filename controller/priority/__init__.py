"""Requests from outside: emergency routes, late buses, flooded and closed streets.

`message` and `gatekeeper` decide who may ask, `dispatcher` what that means for each intersection in each
second, `attendant` what one intersection makes of it; all pure. `receiver` is the only edge.
"""
