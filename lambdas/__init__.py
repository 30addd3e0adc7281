"""The Lambda functions: `handlers`, and beside it what they stand on."""
