"""Dispatch: who is sent, why, and in which order they go.

`people` reads technicians as dispatch knows them, `jobs` what may be given out, `assigning` is the
engine's part, `choices` keeps why, `plans` the day of a technician. What is decided is decided in
`fleet.dispatch`.
"""
