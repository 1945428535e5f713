"""Tests of rules: series of snapshots in virtual time, straight into the engine. Pure."""
