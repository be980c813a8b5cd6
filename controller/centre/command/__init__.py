"""Commands of people, from the request to what the cabinet's read-back shows.

`picture` is an intersection now, `effect` judges whether an order shows in it, `preview` says beforehand what
a plan would do; these three are pure. `service` gives orders, watches them and writes down what came of each.
"""
