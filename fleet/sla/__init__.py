"""Service levels: how long a fault may wait, counted on a calendar, minus what stood still.

`calendar` knows when work is done, `clock` measures on it, `policy` says what is promised to whom,
`reading` puts a ticket's history against the promise. All of it is pure: nothing here is stored.
"""
