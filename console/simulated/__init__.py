"""What ``seawall simulate`` shows: one run or a campaign."""
