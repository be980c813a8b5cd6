"""`python -m denxanh.cli`, the same as `denxanh`."""

from denxanh.cli.main import main

main()
