"""The Pupil Quality Label: certificates for a labelled teacher's class, whose names nothing here keeps."""
