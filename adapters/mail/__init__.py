"""Mail: worded, sent, and marked as sent."""
