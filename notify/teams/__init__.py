"""Teams: invitations to services and organisations, requests to join, and going live, with their emails."""
