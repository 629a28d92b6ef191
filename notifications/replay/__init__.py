"""Stories: timed contacts in, what the owner sees out.

`story` reads and checks a story, `world` stores its first line, `entrances` speaks to
the real ways in, `player` runs the clock, `report` says what came of it, `scratch`
lends a database that leaves no trace, `demo` tells the base story around the present.
"""
