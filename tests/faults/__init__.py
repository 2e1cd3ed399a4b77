"""Fault rounds: real servers fail as a seed says, under writers who keep every acknowledgement."""
