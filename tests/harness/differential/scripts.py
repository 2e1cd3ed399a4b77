"""Scripts and functions: those that execute the command that they are given, and some others."""
import hashlib

CALL = "return redis.call(unpack(ARGV))"
PROTECTED_CALL = "return redis.pcall(unpack(ARGV))"
CALL_IN_RESP3 = "redis.setresp(3) return redis.call(unpack(ARGV))"
CALLS = (CALL, PROTECTED_CALL, CALL_IN_RESP3)
SCRIPTS = (
    *CALLS,
    "return redis.call('set', KEYS[1], ARGV[1])",
    "redis.call('rpush', KEYS[1], ARGV[1], ARGV[2]) return redis.call('llen', KEYS[1])",
    "return {1, 'two', {ok='three'}, false, 4.9, redis.call('get', KEYS[1])}",
    "return redis.pcall('incrby', KEYS[1], ARGV[1])",
    "local n = redis.call('incr', KEYS[1]) if n % 2 == 0 then redis.call('del', KEYS[2]) end "
    "return n",
    "return redis.error_reply('MINE ' .. (ARGV[1] or ''))",
    "redis.call('hset', KEYS[1], ARGV[1], ARGV[2]) redis.call('sadd', KEYS[2], ARGV[1])",
    "redis.setresp(3) return {true, {double=1.5}, {map={a=1}}, {set={b=true}}, {big_number='7'}}",
    "#!lua flags=no-writes\nreturn {KEYS[1], ARGV[1], redis.call('type', KEYS[1])}",
    "#!lua flags=no-writes\nreturn redis.call('del', KEYS[1])",
    "#!lua flags=nosuch\nreturn 1",
    "return nosuch",
    "return (",
    "",
)
# Each function executes what it is given; "read" must not write.
LIBRARIES = (
    "#!lua name=calls\n"
    "redis.register_function('call', function(keys, args) return redis.call(unpack(args)) end)\n"
    "redis.register_function{function_name='read', flags={'no-writes'},\n"
    "  callback=function(keys, args) return redis.pcall(unpack(args)) end}",
    "#!lua name=more\n"
    "redis.register_function{function_name='echo', flags={'no-writes'},\n"
    "  callback=function(keys, args) return {keys, args} end}\n"
    "redis.register_function('count', function(keys) return redis.call('incr', keys[1]) end)",
    "#!lua name=calls\nredis.register_function('call', function() return 'another' end)",
    "#!lua name=empty\nreturn 1",
    "#!lua name=wrong\nnosuch()",
    "#!lua\nreturn 1",
    "#!python name=other\n",
    "return 1",
)
LIBRARY_NAMES = ("calls", "more", "empty", "nosuch", "c*", "")
FUNCTION_NAMES = ("call", "read", "echo", "count", "nosuch", "")


def digest(script):
    """What EVALSHA calls it by."""
    return hashlib.sha1(script.encode()).hexdigest()


# Commands, and what they call, that execute what follows; after it stands the number of keys.
CALLING = (*(("eval", script) for script in CALLS), ("evalsha", digest(CALL)), ("eval_ro", CALL),
           ("fcall", "call"), ("fcall_ro", "read"))


def called(words):
    """The command that a script or function executes for this one, or None: what ARGV holds."""
    name = words[0].upper()
    known = {"EVAL": CALLS, "EVAL_RO": CALLS, "EVALSHA": [digest(script) for script in CALLS],
             "EVALSHA_RO": [digest(script) for script in CALLS], "FCALL": ("call", "read"),
             "FCALL_RO": ("read",)}
    name = name.decode("latin-1")
    if name not in known or len(words) < 4 or not words[2].isdigit():
        return None
    inner = words[3 + int(words[2]):]
    return inner if inner and words[1].decode("latin-1") in known[name] else None
