"""Random courses through the record, each beside a model of the process in BPMN that an engine of other people runs."""
