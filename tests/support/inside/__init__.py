"""Put first on PYTHONPATH, this folder lets every Python process tell what it holds."""
