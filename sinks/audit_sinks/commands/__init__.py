"""The subcommands that this part contributes to `audit`, one module each."""
