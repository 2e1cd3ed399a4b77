"""What the integration tests stand on: servers, connections, a network to cut, random loads."""
