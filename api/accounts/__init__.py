"""Accounts: who may sign in, with which role, and what they see."""
