"""`python -m daybook.cli`, for where the script is not on the path."""

from daybook.cli import main

main()
