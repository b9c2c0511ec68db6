"""Tests of the room that reads bundles."""
