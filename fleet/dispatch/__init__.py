"""Dispatch: who is sent, and in which order they go.

`technician` is who may be sent, `visit` what there is to do, `fitness` the filter, `cost` what a
choice costs, `assignment` the one optimisation over all open tickets, `day_plan` a technician's
day, `roster` technicians from a file. All of it is pure; the api reads and writes.
"""
