"""Views as Markdown, for the artifacts and the forms that Prefect's pages show.

All text of applicants and reviewers goes through `markdown_plain`, so that it is text and nothing else.
"""
