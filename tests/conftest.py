"""Fixtures shared by all tests. Heavy parts (a vLLM server, a browser) are started once a session."""
