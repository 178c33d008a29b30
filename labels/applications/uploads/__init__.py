"""Which files an applicant may hand in: judged by what they contain, never by what they are called."""
