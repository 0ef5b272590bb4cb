"""The command service of training programs: creation, review and release."""
