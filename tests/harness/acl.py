"""Users for tests, and what the denied are told."""
from .servers import is_stock

ALL = ("on", "nopass", "~*", "&*", "+@all")
FOO = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"  # SHA-256 of foo
OLD = is_stock("tandem")  # a 7.0 in Tandem's place, which words much in another way


def no_command(command, user):
    return (f"NOPERM this user has no permissions to run the '{command}' command" if OLD else
            f"NOPERM User {user} has no permissions to run the '{command}' command")


NO_KEY = ("NOPERM this user has no permissions to access one of the keys used as arguments" if OLD
          else "NOPERM No permissions to access a key")
NO_CHANNEL = ("NOPERM this user has no permissions to access one of the channels used as arguments"
              if OLD else "NOPERM No permissions to access a channel")


def user(server, name, *rules):
    """A connection that is a user with these rules."""
    with server.connect() as admin:
        assert admin("ACL", "SETUSER", name, "reset", "on", "nopass", *rules) == "OK"
    connection = server.connect()
    assert connection("AUTH", name, "any") == "OK"
    return connection


def fields(flat):
    return dict(zip(flat[::2], flat[1::2]))
