"""The domain of eTwinning's label applications: what is true, what is allowed and why.

Nothing below this package imports Prefect, boto3 or WeasyPrint.
"""
