"""What must hold before an installation goes live, and how it is told; operations/golive looks."""
