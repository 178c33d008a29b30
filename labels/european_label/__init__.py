"""The European Quality Label: once a year, the best of the National Quality Labels, country by country."""
