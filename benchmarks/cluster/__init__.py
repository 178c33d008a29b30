"""The parts of an installation on hosts of their own, on one machine: network namespaces with shares of a processor."""
