"""Shared by all folders: argument checks, threads, compiled loops, safe writing of files."""
