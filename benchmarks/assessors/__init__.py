"""The default assessor beside others that install from a package registry, and encoders beside one another."""
