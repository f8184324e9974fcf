"""Tables and pages for people, from the records of a run alone."""

from iwr.report.table import print_comparison, print_leaderboard, write_report

__all__ = ["print_comparison", "print_leaderboard", "write_report"]
