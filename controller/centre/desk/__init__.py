"""What engineers and operators prepare and look back on: drafts of plans and of the calendar, comparisons.

Pure: everything here takes data and gives data; the routes and the store are elsewhere.
"""
