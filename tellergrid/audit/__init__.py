"""Audits: what the stored rows themselves prove, whatever the services say."""
