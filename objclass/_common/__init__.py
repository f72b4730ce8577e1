"""What all folders share: checks of arguments, threads and compiled loops, files written safely."""
