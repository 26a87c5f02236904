"""PerfectPay: numbered statuses, the account's token in the body."""
