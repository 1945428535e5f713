"""The stream of changes of faults and tickets, from which no change is ever left out."""
