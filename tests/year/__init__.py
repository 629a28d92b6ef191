"""A year of simulated life: made from a seed, played by the product, judged apart from it.

`homes` says who lives where and what they wish, `life` what their suppliers say in a year
and what of it is news, `play` has the product live it, `record` reads what came of that,
`almanac` knows the wall clocks of the world, `invariants` judges. `almanac` and
`invariants` import nothing of the product: its rules are not their own witness.
"""
