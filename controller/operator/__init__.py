"""Orders of people: a held stage, a plan for a while, a hand-back, a pre-emption by the police's liaison.

`message` says what an order is and who may give it; the controller takes orders in once per tick, records
them before they have any effect, and lets them end by themselves. The guard decides what becomes of each.
"""
