"""The command line `nct`, and the ledger of claims."""
