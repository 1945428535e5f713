"""Technicians: their skills, the cells they answer for, how much they have to do."""
