-- Prefect's own database beside the record's, with the extension that it searches with.
CREATE DATABASE prefect OWNER labels;
\connect prefect
CREATE EXTENSION IF NOT EXISTS pg_trgm;
