"""Papers as PDF: facts go in, the bytes of a certificate or letter come out.

`certificates` and `letters` are the doors in; `environment` words the page from the project's own
templates, `fonts` knows what can be printed, `pdf` is the only place that opens WeasyPrint.
"""
