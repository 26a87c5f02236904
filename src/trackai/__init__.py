"""Track AI: from an ad click to the ad platform's acknowledgement, on the server."""
