"""What a monthly report says, and when two of them say the same."""
